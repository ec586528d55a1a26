import type { TaskErrorCode } from "@safelight/contract";

/** How a run ended, and so what its task is to become. */
export type Outcome =
  /** The row already says how it ended. */
  | { kind: "settled" }
  /** Somebody else has ended the task or taken it over; nothing is to be written. */
  | { kind: "void" }
  /** Told to stop; the reason is on the run's signal. */
  | { kind: "interrupted" }
  /** The creator asked for it. */
  | { kind: "cancelled" }
  /** Final. */
  | { kind: "failed"; code: TaskErrorCode; detail: string }
  /** Uses up the attempt. */
  | { kind: "lost"; code: "worker_lost" | "result_invalid"; detail: string }
  /** Goes back to the queue without using up an attempt. */
  | { kind: "handed_back"; keepRun: boolean };
