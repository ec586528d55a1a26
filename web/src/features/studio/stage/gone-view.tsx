import { RotateCcw, SlidersHorizontal, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { useResubmit } from "../../../api/resubmit.ts";
import type { Task } from "../../../api/tasks.ts";
import { ResultMissing } from "../../../ui/viewer/media-problem.tsx";
import { strings } from "./strings.ts";
import { useRemove } from "./use-remove.ts";
import { useTakeOver } from "./use-take-over.ts";

interface GoneViewProps {
  task: Task;
  title: ReactNode;
  onFollow: (taskId: string) => void;
}

/** A task that is done and whose file is missing: it can be made again, which needs no file. */
export function GoneView({ task, title, onFollow }: GoneViewProps) {
  const { retry } = useResubmit();
  const takeOver = useTakeOver();
  const remove = useRemove();
  const again = async () => {
    const id = await retry(task);
    if (id !== null) onFollow(id);
  };
  return (
    <>
      <div className="viewer-head">{title}</div>
      <div className="stage-centre">
        <ResultMissing>
          <button type="button" className="btn" onClick={() => void again()}>
            <RotateCcw className="icon" aria-hidden="true" />
            {strings.makeAgain}
          </button>
          <button type="button" className="btn btn-quiet" onClick={() => takeOver(task.id, "settings")}>
            <SlidersHorizontal className="icon" aria-hidden="true" />
            {strings.use}
          </button>
          <button type="button" className="btn btn-quiet" onClick={() => remove(task)}>
            <Trash2 className="icon" aria-hidden="true" />
            {strings.remove}
          </button>
        </ResultMissing>
      </div>
    </>
  );
}
