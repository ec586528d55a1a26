import "./stage.css";
import type { RefObject } from "react";
import { later } from "../../../ui/later.tsx";
import { Failed } from "../failed.tsx";
import { Stage } from "./stage.tsx";
import { strings } from "./strings.ts";
import type { StageTask } from "./use-stage-task.ts";

// A first visit has no task yet.
const Strip = later(() => import("./strip.tsx").then((module) => module.Strip), <div className="strip" />);

interface StageColumnProps {
  /** The page brings this element into view when something was started. */
  column: RefObject<HTMLElement | null>;
  stage: StageTask;
  loading: boolean;
  /** Why there is no list of tasks; null when there is one. */
  error: unknown;
  onRetry: () => void;
  onExample: (prompt: string) => void;
}

/** The middle of the studio: the picture, what is under it, and the strip of latest ones. */
export function StageColumn({ column, stage, loading, error, onRetry, onExample }: StageColumnProps) {
  const { latest, shown } = stage;
  return (
    <section ref={column} className="studio-stage" aria-label={strings.picture}>
      {error && latest.length === 0 ? (
        <Failed title={strings.tasksFailed} error={error} onRetry={onRetry} />
      ) : (
        <Stage stage={stage} loading={loading} onExample={onExample} />
      )}
      {latest.length > 0 ? <Strip tasks={latest} chosen={shown?.id ?? null} onChoose={stage.show} /> : null}
    </section>
  );
}
