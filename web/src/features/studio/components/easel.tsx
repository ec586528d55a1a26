import type { CSSProperties, ReactNode } from "react";
import type { Task } from "../../../api/tasks.ts";

/** The place of the picture: as large as the stage allows in the task's proportions. */
export function Easel({ task, children }: { task: Task; children: ReactNode }) {
  const ratio = task.width > 0 && task.height > 0 ? task.width / task.height : 1;
  return (
    <div className="easel">
      <figure className="easel-picture" style={{ "--ratio": ratio } as CSSProperties}>
        {children}
      </figure>
    </div>
  );
}

/** What the sketch engine drew is shown pixel by pixel; everything else as smoothly as the browser can. */
export function renderingOf(engine: string | null): string {
  return engine === "sketch" ? "pixelated" : "";
}
