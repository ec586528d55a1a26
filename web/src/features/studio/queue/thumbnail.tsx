import { CircleSlash, FileX, TriangleAlert } from "lucide-react";
import type { Task } from "../../../api/tasks.ts";
import { FadingImage } from "../../../ui/fading-image.tsx";
import { Still } from "../../../ui/still.tsx";

/** The smallest picture of a task: its newest preview, its place in the queue, or the mark of how it ended. */
export function Thumbnail({ task }: { task: Task }) {
  if (task.status === "failed" || task.result_missing) {
    const Mark = task.result_missing ? FileX : task.error?.code === "cancelled" ? CircleSlash : TriangleAlert;
    return (
      <span className="blank-print">
        <Mark className="icon" aria-hidden="true" />
      </span>
    );
  }
  const picture = task.status === "done" ? (task.thumbnail_url ?? task.preview_url) : task.preview_url;
  if (picture === null) return <span className="blank-print">{task.queue_position}</span>;
  if (task.status === "processing") {
    return (
      <span className="print">
        <FadingImage src={picture} className={renderingOf(task.engine)} />
      </span>
    );
  }
  return <Still src={picture} alt="" loading="lazy" className={renderingOf(task.engine)} />;
}

/** What the sketch engine drew is shown pixel by pixel; everything else as smoothly as the browser can. */
export function renderingOf(engine: string | null): string {
  return engine === "sketch" ? "pixelated" : "";
}
