import { CircleSlash, RotateCcw, SlidersHorizontal, Trash2, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useResubmit } from "../../../api/resubmit.ts";
import type { Task } from "../../../api/tasks.ts";
import { currentLanguage } from "../../../ui/language.ts";
import { ProblemNote } from "../../../ui/problem-note.tsx";
import { failureWords } from "../../../ui/task-words.ts";
import { strings } from "./strings.ts";
import { isCancelled } from "./task-facts.ts";
import { useRemove } from "./use-remove.ts";
import { useTakeOver } from "./use-take-over.ts";

interface FailedViewProps {
  task: Task;
  title: ReactNode;
  onFollow: (taskId: string) => void;
}

/** A task that came to nothing: why, what to do about it, and the ways to try again. */
export function FailedView({ task, title, onFollow }: FailedViewProps) {
  const { retry } = useResubmit();
  const takeOver = useTakeOver();
  const remove = useRemove();
  const code = task.error?.code ?? null;
  const words = failureWords(code);
  const again = async () => {
    const id = await retry(task);
    if (id !== null) onFollow(id);
  };
  return (
    <>
      <div className="viewer-head">{title}</div>
      <div className="stage-centre">
        <ProblemNote
          icon={isCancelled(task) ? CircleSlash : TriangleAlert}
          title={words.title}
          action={words.advice}
          code={code}
        >
          <ServerDetail task={task} />
          <button type="button" className="btn" onClick={() => void again()}>
            <RotateCcw className="icon" aria-hidden="true" />
            {strings.retry}
          </button>
          <button type="button" className="btn btn-quiet" onClick={() => takeOver(task.id, "settings")}>
            <SlidersHorizontal className="icon" aria-hidden="true" />
            {strings.edit}
          </button>
          <button type="button" className="btn btn-quiet" onClick={() => remove(task)}>
            <Trash2 className="icon" aria-hidden="true" />
            {strings.remove}
          </button>
        </ProblemNote>
      </div>
    </>
  );
}

/** What the engine said in its own words, where it says more than the code does. */
function ServerDetail({ task }: { task: Task }) {
  if (!task.error_msg || isCancelled(task)) return null;
  return (
    <p className="stage-detail" {...(currentLanguage() === "en" ? {} : { lang: "en" })}>
      {task.error_msg}
    </p>
  );
}
