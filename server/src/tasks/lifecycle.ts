/**
 * The whole life of a task. This table is the only way to change a status.
 *
 *     pending ──claim──▶ processing ──finish──▶ done
 *        │                   │
 *        └──────fail─────────┴────────────────▶ failed
 *
 * A lost worker or a graceful stop changes no status: the task stays `processing` and is claimed again.
 */
export type TaskStatus = "pending" | "processing" | "done" | "failed";

/** What can happen to a task's status; the names read in the log. */
export type TaskTransition = "claim" | "finish" | "fail";

const transitions: Readonly<Record<TaskStatus, Readonly<Partial<Record<TaskTransition, TaskStatus>>>>> = {
  pending: { claim: "processing", fail: "failed" },
  processing: { finish: "done", fail: "failed" },
  done: {},
  failed: {},
};

/** The codes with which a task may fail before anything ran. */
const failuresWhilePending: ReadonlySet<string> = new Set(["cancelled", "no_workers"]);

/** The status after the transition, or null when it is not allowed from here. */
export function nextStatus(from: TaskStatus, transition: TaskTransition): TaskStatus | null {
  return transitions[from][transition] ?? null;
}

/** Whether a task in this status may fail with this code. */
export function mayFailWith(from: TaskStatus, code: string): boolean {
  if (nextStatus(from, "fail") === null) return false;
  return from !== "pending" || failuresWhilePending.has(code);
}

/** True for `done` and `failed`: nothing changes any more. */
export function isEnded(status: TaskStatus): boolean {
  return status === "done" || status === "failed";
}

/**
 * Progress to be stored: a whole percentage that never falls, whatever an executor reports, and stays below 100 until
 * the result is stored.
 */
export function mergeProgress(stored: number, reported: number): number {
  const clean = Number.isFinite(reported) ? Math.floor(Math.min(99, Math.max(0, reported))) : 0;
  return Math.max(stored, clean);
}

/** Attempts that one task may use; a lost worker or an invalid result uses one up. */
export const MAX_ATTEMPTS = 3;
