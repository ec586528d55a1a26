import type { Task } from "../../../api/tasks.ts";
import { progressWords } from "../../../ui/task-words.ts";

/** More steps than this are one line: segments would be too small to count. */
const countable = 12;

/** Progress as a line of light; a segment for each step while they can be counted. */
export function StepBar({ task }: { task: Task }) {
  const { progress, steps, step } = task;
  const known = task.status === "processing" && task.stage !== "starting";
  const bar = {
    role: "progressbar",
    "aria-label": progressWords(task),
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    ...(known ? { "aria-valuenow": progress } : {}),
  } as const;
  if (known && steps !== null && steps > 1 && steps <= countable) {
    return (
      <div className="step-bar" {...bar}>
        {Array.from({ length: steps }, (_, index) => (
          <i key={index} className={index < (step ?? 0) ? "done" : ""} />
        ))}
      </div>
    );
  }
  return (
    <div className={known ? "bar" : "bar bar-unknown"} {...bar}>
      <i style={known ? { width: `${progress}%` } : undefined} />
    </div>
  );
}
