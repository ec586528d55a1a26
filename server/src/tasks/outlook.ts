import type { Context } from "../context/context.ts";
import { isEnded } from "./lifecycle.ts";
import { queueIsPaused } from "./paused.ts";
import type { Prepare } from "./read.ts";
import { leasedTime } from "./runtime.ts";
import type { TaskRecord } from "./task-record.ts";
import { type Kind, type Turn, tasksAhead, turnOf } from "./turns.ts";

/** What a creator who waits wants to know. */
export interface Outlook {
  /** 1 for the task that is claimed next; null once it was claimed. */
  queuePosition: number | null;
  /** Whole seconds until the task is likely to end; null when there is nothing to go by. */
  etaSeconds: number | null;
}

/** Recent runs that an estimate looks back on. */
const LOOK_BACK = 12;
// Below this a run's own progress says too little about its pace.
const TELLING_PROGRESS = 10;
// Further back in the queue every task ahead counts as long as one's own: nobody plans by the minute there.
const COUNTED_AHEAD = 100;

/** What goes before each of the tasks that go next, by its sequence; for those near enough for it to be counted. */
export function aheadOfEach(inOrder: readonly TaskRecord[]): Map<number, readonly Kind[]> {
  const ahead = new Map<number, readonly Kind[]>();
  let kinds: readonly Kind[] = [];
  for (const { sequence, model, mode } of inOrder.slice(0, COUNTED_AHEAD)) {
    ahead.set(sequence, kinds);
    const same = kinds.find((kind) => kind.model === model && kind.mode === mode);
    kinds = [...kinds.filter((kind) => kind !== same), { model, mode, count: (same?.count ?? 0) + 1 }];
  }
  return ahead;
}

const NOTHING_TO_SAY: Outlook = Object.freeze({ queuePosition: null, etaSeconds: null });

/** What somebody who looks at many tasks has found out already. */
export interface Known {
  readonly turn: Turn;
  /** What goes before it. */
  readonly ahead?: readonly Kind[] | undefined;
}

/** The outlook of one task. */
export async function outlookOf(context: Context, prepare: Prepare, task: TaskRecord, known?: Known): Promise<Outlook> {
  if (isEnded(task.status)) return NOTHING_TO_SAY;
  const typical = await typicalDuration(prepare, task.model, task.mode);
  if (task.status !== "pending") {
    return { queuePosition: null, etaSeconds: seconds(timeLeft(leasedTime(context, task), task.progress, typical)) };
  }
  const turn = known?.turn ?? (await turnOf(prepare, task));
  // Nobody knows when an operator will resume the queue.
  if (typical === null || (await queueIsPaused(prepare))) return { queuePosition: turn.position, etaSeconds: null };
  const waiting = await waitingTime(prepare, task, { ...known, turn }, typical);
  return { queuePosition: turn.position, etaSeconds: waiting === null ? null : seconds(waiting + typical) };
}

function seconds(milliseconds: number | null): number | null {
  return milliseconds === null ? null : Math.max(1, Math.ceil(milliseconds / 1000));
}

/** A run that is well under way tells best itself; before that, its predecessors do. */
function timeLeft(elapsed: number, progress: number, typical: number | null): number | null {
  if (progress >= TELLING_PROGRESS && elapsed > 0) return (elapsed * (100 - progress)) / progress;
  return typical === null ? null : Math.max(0, typical - elapsed);
}

/** Median time under lease of the newest finished tasks of this kind, milliseconds; null when there are none. */
export async function typicalDuration(prepare: Prepare, model: string, mode: string): Promise<number | null> {
  const rows = await prepare(
    `SELECT leased_ms FROM (
       SELECT leased_ms FROM tasks WHERE status = 'done' AND model = ? AND mode = ? ORDER BY finished_at DESC LIMIT ${LOOK_BACK}
     ) AS latest ORDER BY leased_ms`,
  ).all(model, mode);
  const middle = rows[Math.floor(rows.length / 2)];
  return middle === undefined ? null : Number(middle.leased_ms);
}

/** Milliseconds until everything ahead is done, at the number of runs that go on side by side now; null when unknown. */
async function waitingTime(prepare: Prepare, task: TaskRecord, known: Known, typical: number): Promise<number | null> {
  const { turn } = known;
  const running = await prepare(
    "SELECT model, mode, count(*) AS count FROM tasks WHERE status = 'processing' GROUP BY model, mode",
  ).all();
  const isFar = turn.position > COUNTED_AHEAD;
  const ahead = isFar ? [] : (known.ahead ?? (await tasksAhead(prepare, task, turn)));
  let total = isFar ? (turn.position - 1) * typical : 0;
  let lanes = 0;
  for (const [rows, share] of [[ahead, 1] as const, [running, HALF_DONE] as const]) {
    for (const row of rows) {
      const each = await typicalDuration(prepare, String(row.model), String(row.mode));
      if (each === null) return null;
      total += Number(row.count) * each * share;
      if (rows === running) lanes += Number(row.count);
    }
  }
  return total / Math.max(1, lanes);
}

// What runs is on average half done.
const HALF_DONE = 0.5;
