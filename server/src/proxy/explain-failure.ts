import type { WorkerErrorCode } from "@safelight/contract/worker";
import { SafelightError } from "../errors.ts";
import { TransportError } from "../network/transport-error.ts";
import { WorkerError, type WorkerFailure } from "../worker-client/worker-error.ts";

/** Seconds after which someone who asked too early may ask again. */
export const retrySoon = 2;

/**
 * What a call to a workspace failed with, as its caller may read it: our own words, as hosts, addresses and the texts of a worker that
 * misbehaves are for operators, who find them in the log. Anything that is no failure of a worker stays as it is.
 */
export function explainFailure(error: unknown, workspace: string, key: string | null): unknown {
  if (error instanceof TransportError) return unreachable(workspace, "unreachable", error);
  if (!(error instanceof WorkerError)) return error;
  const detail = error.problem?.detail ?? "";
  const own = meaningOf(error.problem?.code, key !== null && detail.includes(key) ? "" : detail);
  return own ?? unreachable(workspace, error.kind, error);
}

export function noSuchTask(workspace: string): SafelightError {
  return new SafelightError("task_not_found", `The workspace ${workspace} does not know such a task.`);
}

export function notReady(detail: string): SafelightError {
  return new SafelightError("task_not_ready", detail, { retryAfter: retrySoon });
}

/** Refusals that speak of the task rather than of the worker. */
function meaningOf(code: WorkerErrorCode | undefined, detail: string): SafelightError | null {
  const make = code === undefined ? undefined : meanings[code];
  return make === undefined ? null : make(detail);
}

const meanings: Partial<Record<WorkerErrorCode, (detail: string) => SafelightError>> = {
  task_not_found: () => new SafelightError("task_not_found", "The workspace does not know such a task."),
  attempt_superseded: () => notReady("A new attempt of this task has begun."),
  task_not_ended: () => notReady("The task has not finished yet."),
  task_failed: (detail) => new SafelightError("task_failed", detail || "The task failed and has no result."),
  result_gone: () => new SafelightError("result_gone", "The task is done, but the workspace no longer has its file."),
};

const words: Readonly<Record<WorkerFailure, string>> = {
  unreachable: "cannot be reached",
  timeout: "did not answer in time",
  key_refused: "does not take the key that is stored for it",
  busy: "has no room for this at the moment",
  broken_protocol: "answered something that cannot be used",
  task_unknown: "answered something that cannot be used",
  task_refused: "answered something that cannot be used",
  worker_fault: "reports a fault of its own",
};

function unreachable(workspace: string, kind: WorkerFailure, cause: unknown): SafelightError {
  return new SafelightError("worker_unreachable", `The workspace ${workspace} ${words[kind]}.`, { cause });
}
