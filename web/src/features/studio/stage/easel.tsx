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
