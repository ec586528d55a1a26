import type { TaskErrorCode } from "@safelight/contract";
import type { RunVerdict } from "../executors/executor-set.ts";

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
  /** Uses up the attempt. `blameless`: it says nothing about the executor. */
  | { kind: "lost"; code: LostCode; detail: string; blameless?: boolean }
  /** Goes back to the queue without using up an attempt. The executors in `avoid` did not start it. */
  | { kind: "handed_back"; keepRun: boolean; avoid?: readonly string[] };

/** Why an attempt was for nothing, and what the task fails with when it was the last. */
export type LostCode =
  | "worker_lost"
  | "result_invalid"
  | "storage_failed"
  | "out_of_memory"
  | "engine_failed"
  | "timed_out";

/** What an outcome says about the executor that had the run. */
export function verdictOf(outcome: Outcome): RunVerdict {
  if (outcome.kind === "settled") return "good";
  return outcome.kind === "lost" && outcome.blameless !== true ? "bad" : "none";
}
