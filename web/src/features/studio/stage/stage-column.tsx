import type { RefObject } from "react";
import type { Task } from "../../../api/tasks.ts";
import { Failed } from "../failed.tsx";
import { Stage } from "./stage.tsx";
import { strings } from "./strings.ts";
import { Strip } from "./strip.tsx";

interface StageColumnProps {
  /** The page brings this element into view when something was started. */
  column: RefObject<HTMLElement | null>;
  tasks: readonly Task[];
  shown: Task | null;
  loading: boolean;
  /** Why there is no list of tasks; null when there is one. */
  error: unknown;
  onRetry: () => void;
  onChoose: (id: string) => void;
  onExample: (prompt: string) => void;
}

/** The middle of the studio: the picture, what is under it, and the strip of latest ones. */
export function StageColumn({ column, tasks, shown, loading, error, onRetry, onChoose, onExample }: StageColumnProps) {
  return (
    <section ref={column} className="studio-stage" aria-label={strings.picture}>
      {error && tasks.length === 0 ? (
        <Failed title={strings.tasksFailed} error={error} onRetry={onRetry} />
      ) : (
        <Stage task={shown} loading={loading} onExample={onExample} />
      )}
      <Strip tasks={tasks} chosen={shown?.id ?? null} onChoose={onChoose} />
    </section>
  );
}
