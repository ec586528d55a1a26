import { RotateCcw, SlidersHorizontal, Trash2 } from "lucide-react";
import { useResubmit } from "../../../api/resubmit.ts";
import type { Task } from "../../../api/tasks.ts";
import { strings } from "./result-strings.ts";
import { useRemove } from "./use-remove.ts";
import { useTakeOver } from "./use-take-over.ts";

interface AgainActionsProps {
  task: Task;
  /** How the two ways to try again are called here. */
  again: string;
  settings: string;
  onFollow: (taskId: string) => void;
}

/** What can be done with a task that has nothing to show: make it again, as it was or changed, or take it away. */
export function AgainActions({ task, again, settings, onFollow }: AgainActionsProps) {
  const { retry } = useResubmit();
  const takeOver = useTakeOver();
  const remove = useRemove();
  const makeAgain = async () => {
    const id = await retry(task);
    if (id !== null) onFollow(id);
  };
  return (
    <>
      <button type="button" className="btn" onClick={() => void makeAgain()}>
        <RotateCcw className="icon" aria-hidden="true" />
        {again}
      </button>
      <button type="button" className="btn btn-quiet" onClick={() => takeOver(task.id, "settings")}>
        <SlidersHorizontal className="icon" aria-hidden="true" />
        {settings}
      </button>
      <button type="button" className="btn btn-quiet" onClick={() => remove(task)}>
        <Trash2 className="icon" aria-hidden="true" />
        {strings.remove}
      </button>
    </>
  );
}
