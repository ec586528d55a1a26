import type { Context } from "../context/context.ts";
import type { Prepare } from "./read.ts";
import { leasedTime } from "./runtime.ts";
import type { TaskRecord } from "./task-record.ts";

/** Recent runs that an estimate looks back on. */
const LOOK_BACK = 12;
// Below this a run's own progress says too little about its pace.
const TELLING_PROGRESS = 10;

/** Place in the queue, 1 for the task that is claimed next. */
export function queuePosition(prepare: Prepare, task: TaskRecord): number {
  const ahead = prepare("SELECT count(*) AS count FROM tasks WHERE status = 'pending' AND sequence < ?").get(
    task.sequence,
  );
  return Number(ahead?.count ?? 0) + 1;
}

/**
 * Whole seconds until the task is likely to end, or null when nothing tells: no finished task of the same model and mode
 * to go by. An estimate from what really happened, never a made-up constant.
 */
export function estimateSeconds(context: Context, prepare: Prepare, task: TaskRecord): number | null {
  const typical = typicalDuration(prepare, task.model, task.mode);
  if (task.status === "processing") return secondsLeft(remaining(leasedTime(context, task), task.progress, typical));
  if (typical === null) return null;
  const waiting = waitingTime(prepare, task.sequence);
  return waiting === null ? null : secondsLeft(waiting + typical);
}

function secondsLeft(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.max(1, Math.ceil(milliseconds / 1000));
}

/** A run that is well under way tells best itself; before that, its predecessors do. */
function remaining(elapsed: number, progress: number, typical: number | null): number | null {
  if (progress >= TELLING_PROGRESS && elapsed > 0) return (elapsed * (100 - progress)) / progress;
  return typical === null ? null : Math.max(0, typical - elapsed);
}

/** Median time under lease of the newest finished tasks of this kind, or null when there are none. */
export function typicalDuration(prepare: Prepare, model: string, mode: string): number | null {
  const rows = prepare(
    `SELECT leased_ms FROM (
       SELECT leased_ms FROM tasks WHERE status = 'done' AND model = ? AND mode = ? ORDER BY finished_at DESC LIMIT ${LOOK_BACK}
     ) ORDER BY leased_ms`,
  ).all(model, mode);
  const middle = rows[Math.floor(rows.length / 2)];
  return middle === undefined ? null : Number(middle.leased_ms);
}

/** Milliseconds until everything ahead is done, at the number of runs that go on side by side now; null when unknown. */
function waitingTime(prepare: Prepare, sequence: number): number | null {
  const ahead = prepare(
    `SELECT model, mode, count(*) AS count, 0 AS running FROM tasks
       WHERE status = 'pending' AND sequence < ? GROUP BY model, mode
     UNION ALL
     SELECT model, mode, count(*), 1 FROM tasks WHERE status = 'processing' GROUP BY model, mode`,
  ).all(sequence);
  let total = 0;
  let lanes = 0;
  for (const row of ahead) {
    const typical = typicalDuration(prepare, String(row.model), String(row.mode));
    if (typical === null) return null;
    const running = row.running === 1;
    // What runs is on average half done.
    total += Number(row.count) * typical * (running ? 0.5 : 1);
    if (running) lanes += Number(row.count);
  }
  return total / Math.max(1, lanes);
}
