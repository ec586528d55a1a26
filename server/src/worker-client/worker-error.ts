import type { WorkerErrorCode, WorkerProblem } from "@safelight/contract/worker";
import { TransportError, type TransportFailure } from "../network/transport-error.ts";

/**
 * What kind of failure a call ended in; callers decide by it and by nothing else.
 * - `unreachable`: nothing answered, or the address may not be called; the request may still have arrived.
 * - `timeout`: no answer in time; the request may have arrived.
 * - `key_refused`: the worker does not take our key.
 * - `busy`: every slot is taken; another try is right.
 * - `broken_protocol`: what came back is not what the protocol promises, the version included.
 * - `task_unknown`: the worker does not know the attempt (any more).
 * - `task_refused`: the request itself was refused, and would be again.
 * - `worker_fault`: the worker says that it is itself at fault, or stopping.
 */
export type WorkerFailure =
  | "unreachable"
  | "timeout"
  | "key_refused"
  | "busy"
  | "broken_protocol"
  | "task_unknown"
  | "task_refused"
  | "worker_fault";

/** A call to a worker that failed. The text is for operators and holds no credential. */
export class WorkerError extends Error {
  readonly kind: WorkerFailure;
  /** What the worker itself said, where it said something. */
  readonly problem: WorkerProblem | null;
  /** Finer than the kind, for calls that were never answered. */
  readonly transport: TransportFailure | null;

  constructor(
    kind: WorkerFailure,
    detail: string,
    extras: { problem?: WorkerProblem; transport?: TransportFailure; cause?: unknown } = {},
  ) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = "WorkerError";
    this.kind = kind;
    this.problem = extras.problem ?? null;
    this.transport = extras.transport ?? null;
  }
}

export function brokenProtocol(detail: string, cause?: unknown): WorkerError {
  return new WorkerError("broken_protocol", detail, cause === undefined ? {} : { cause });
}

/** A failure of the transport in our terms; what the caller's own signal ended is passed on as it is. */
export function fromTransport(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof WorkerError) return error;
  if (signal?.aborted === true) return signal.reason;
  if (!(error instanceof TransportError)) {
    return new WorkerError("unreachable", "The worker could not be reached.", { cause: error });
  }
  const kind = kinds[error.reason];
  return new WorkerError(kind, error.message, { transport: error.reason, cause: error });
}

const kinds: Readonly<Record<TransportFailure, WorkerFailure>> = {
  bad_url: "unreachable",
  plain_http: "unreachable",
  address_refused: "unreachable",
  unreachable: "unreachable",
  untrusted: "unreachable",
  timed_out: "timeout",
  redirect: "broken_protocol",
  too_large: "broken_protocol",
  unreadable: "broken_protocol",
};

/** A refusal of the worker in our terms. */
export function fromProblem(problem: WorkerProblem): WorkerError {
  return new WorkerError(kindOf(problem), `The worker refused: ${problem.detail}`, { problem });
}

const kindsOfCodes: Partial<Record<WorkerErrorCode, WorkerFailure>> = {
  invalid_worker_key: "key_refused",
  busy: "busy",
  task_not_found: "task_unknown",
  attempt_superseded: "task_unknown",
  result_gone: "task_unknown",
  protocol_unsupported: "broken_protocol",
  not_found: "broken_protocol",
  method_not_allowed: "broken_protocol",
  malformed_json: "broken_protocol",
};

function kindOf({ code, status }: WorkerProblem): WorkerFailure {
  return kindsOfCodes[code] ?? (status >= 500 ? "worker_fault" : "task_refused");
}
