import { CircleSlash, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import type { Task } from "../../../api/tasks.ts";
import { currentLanguage } from "../../../ui/language.ts";
import { ProblemNote } from "../../../ui/problem-note.tsx";
import { failureWords } from "../../../ui/task-words.ts";
import { AgainActions } from "./again-actions.tsx";
import { strings } from "./result-strings.ts";
import { isCancelled } from "./task-facts.ts";

interface FailedViewProps {
  task: Task;
  title: ReactNode;
  onFollow: (taskId: string) => void;
}

/** A task that came to nothing: why, what to do about it, and the ways to try again. */
export function FailedView({ task, title, onFollow }: FailedViewProps) {
  const code = task.error?.code ?? null;
  const words = failureWords(code);
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
          <AgainActions task={task} again={strings.retry} settings={strings.edit} onFollow={onFollow} />
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
