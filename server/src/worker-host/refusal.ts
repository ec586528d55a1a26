import {
  type WorkerErrorCode,
  type WorkerProblem,
  workerErrorCodes,
  workerProblemType,
} from "@safelight/contract/worker";
import { type ErrorExtras, type FieldError, SafelightError, toSafelightError } from "../errors.ts";

/** The one error of a worker: a code of the protocol and a text that the gateway may read. */
export class WorkerRefusal extends Error {
  readonly code: WorkerErrorCode;
  readonly fields: readonly FieldError[] | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(code: WorkerErrorCode, detail: string, { cause, fields, headers }: Omit<ErrorExtras, "retryAfter"> = {}) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "WorkerRefusal";
    this.code = code;
    this.fields = fields;
    this.headers = headers;
  }
}

/** Anything thrown, as the gateway sees it. Codes that both contracts have keep their name; texts of bugs stay inside. */
export function toWorkerRefusal(error: unknown): WorkerRefusal {
  if (error instanceof WorkerRefusal) return error;
  const known = toSafelightError(error);
  const { code, detail, fields, headers } = known;
  const isShared = (name: string): name is WorkerErrorCode => Object.hasOwn(workerErrorCodes, name);
  if (!isShared(code) || code === "internal") {
    return new WorkerRefusal("internal", "Something went wrong in the worker.", { cause: error });
  }
  const text = code === "storage_unavailable" ? "The worker cannot use its storage at the moment." : detail;
  const cause = error instanceof SafelightError ? error.cause : error;
  return new WorkerRefusal(code, text, {
    cause,
    ...(fields === undefined ? {} : { fields }),
    ...(headers === undefined ? {} : { headers }),
  });
}

const mostFields = 50;

export function workerProblemOf(refusal: WorkerRefusal, instance: string, correlationId: string): WorkerProblem {
  const { status, title, user_action } = workerErrorCodes[refusal.code];
  const errors = refusal.fields?.slice(0, mostFields).map((field) => ({ ...field }));
  return {
    type: workerProblemType(refusal.code),
    title,
    status,
    detail: refusal.message,
    instance,
    code: refusal.code,
    user_action,
    correlation_id: correlationId,
    ...(errors === undefined ? {} : { errors }),
  };
}
