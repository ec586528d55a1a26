import { TriangleAlert } from "lucide-react";
import type { Task } from "../../../api/tasks.ts";

/** The smallest picture of a task: its preview, its place in the queue, or the mark of a failure. */
export function Thumbnail({ task }: { task: Task }) {
  if (task.status === "failed") {
    return (
      <span className="blank-print">
        <TriangleAlert className="icon" aria-hidden="true" />
      </span>
    );
  }
  if (task.preview_url === null) return <span className="blank-print">{task.queue_position}</span>;
  return <img src={task.preview_url} alt="" loading="lazy" className={renderingOf(task.engine)} />;
}

/** What the sketch engine drew is shown pixel by pixel; everything else as smoothly as the browser can. */
export function renderingOf(engine: string | null): string {
  return engine === "sketch" ? "pixelated" : "";
}
