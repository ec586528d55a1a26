import { RotateCcw } from "lucide-react";
import type { Task } from "../../api/tasks.ts";
import { strings } from "./strings.ts";

export interface RowActions {
  toggle: (id: string) => void;
  cancel: (id: string) => void;
  retry: (task: Task) => void;
  vary: (task: Task) => void;
  use: (task: Task) => void;
  remove: (task: Task) => void;
}

interface TextButtonProps {
  task: Task;
  word: string;
  icon?: boolean;
  quiet?: boolean;
  onPress: (task: Task) => void;
}

/** A button of a row: read out with the task it belongs to. */
export function TextButton({ task, word, icon = false, quiet = false, onPress }: TextButtonProps) {
  return (
    <button
      type="button"
      className={`btn btn-small ${quiet ? "btn-quiet" : ""}`}
      aria-label={strings.about(word, task.prompt)}
      onClick={() => onPress(task)}
    >
      {icon ? <RotateCcw className="icon icon-small" aria-hidden="true" /> : null}
      {word}
    </button>
  );
}

/** Seconds from one time of the server to another; null while one of them has not come. */
export function secondsBetween(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null;
  return Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000);
}
