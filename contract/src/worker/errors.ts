/** Every way a worker can refuse a request and a task of it can fail. Codes are added, never renamed or taken away. */
import type { ErrorMeaning } from "../errors.ts";

/** `user_action` speaks to whoever runs the gateway or writes the worker: nobody else reads it. */
export const workerErrorCodes = {
  malformed_json: {
    status: 400,
    title: "The body is not valid JSON",
    user_action: "Send one JSON object, encoded as UTF-8, of the length that Content-Length says.",
  },
  protocol_unsupported: {
    status: 400,
    title: "The two sides speak different versions of the protocol",
    user_action: "Bring the gateway and the worker to the same release.",
  },
  invalid_worker_key: {
    status: 401,
    title: "The worker key is missing or wrong",
    user_action: "Enter the key of the worker in its account on the gateway.",
  },
  not_found: {
    status: 404,
    title: "There is nothing at this address",
    user_action: "Check the base address of the worker.",
  },
  task_not_found: {
    status: 404,
    title: "The worker does not know this task",
    user_action: "Start it again as a new attempt. Runs are forgotten when a worker starts again.",
  },
  preview_not_found: {
    status: 404,
    title: "There is no preview of this task",
    user_action: "Wait until preview_version is above 0.",
  },
  method_not_allowed: {
    status: 405,
    title: "This route does not take this method",
    user_action: "Use one of the methods named in the Allow header.",
  },
  busy: {
    status: 409,
    title: "Every slot is taken",
    user_action: "Try again when a task has ended, or try another worker.",
  },
  task_not_ended: {
    status: 409,
    title: "The task is still running",
    user_action: "Wait until it has ended, or cancel it.",
  },
  task_failed: {
    status: 409,
    title: "The task failed and has no result",
    user_action: "Read the reason in the task's status.",
  },
  attempt_superseded: {
    status: 410,
    title: "A later attempt of this task has taken its place",
    user_action: "Speak of the newest attempt.",
  },
  result_gone: {
    status: 410,
    title: "The file of this result is gone",
    user_action: "Start the task again as a new attempt.",
  },
  payload_too_large: {
    status: 413,
    title: "The body is too large",
    user_action: "Send JSON of at most 1 MiB and pictures of at most 20 MiB.",
  },
  unsupported_media_type: {
    status: 415,
    title: "This content type is not taken here",
    user_action: "Send JSON to /tasks, and PNG, JPEG or WebP to /media, without compression.",
  },
  range_not_satisfiable: {
    status: 416,
    title: "The file does not have this range",
    user_action: "Ask for a range inside the length named in the Content-Range header.",
  },
  media_mismatch: {
    status: 422,
    title: "The bytes do not have the hash of their address",
    user_action: "Send the picture again.",
  },
  media_missing: {
    status: 422,
    title: "The worker does not have a picture of this task",
    user_action: "Send the pictures named in errors to /media, then the task again.",
  },
  unknown_model: {
    status: 422,
    title: "There is no such model",
    user_action: "Send only tasks for models that GET /health names.",
  },
  unsupported_mode: {
    status: 422,
    title: "The model does not have this mode",
    user_action: "Send only tasks for modes that GET /health names.",
  },
  parameter_locked: {
    status: 422,
    title: "A parameter of this model is fixed",
    user_action: "Bring the gateway and the worker to the same catalog.",
  },
  validation_failed: {
    status: 422,
    title: "The request does not fit",
    user_action: "Correct the fields named in errors.",
  },
  internal: {
    status: 500,
    title: "Something went wrong in the worker",
    user_action: "Look for the correlation id in the log of the worker.",
  },
  model_unavailable: {
    status: 503,
    title: "The worker cannot run this model and mode now",
    user_action: "Read the reason in GET /health; often its weights are not in place.",
  },
  storage_unavailable: {
    status: 503,
    title: "The worker cannot use its storage at the moment",
    user_action: "Check disk space and permissions of the worker.",
  },
  stopping: {
    status: 503,
    title: "The worker is being stopped",
    user_action: "Try another worker, or this one when it is back.",
  },
} as const satisfies Record<string, ErrorMeaning>;

export type WorkerErrorCode = keyof typeof workerErrorCodes;

export interface WorkerTaskErrorMeaning {
  readonly title: string;
  /** Whether another attempt, here or elsewhere, has a chance. A worker may know better and say otherwise. */
  readonly retryable: boolean;
}

export const workerTaskErrorCodes = {
  cancelled: { title: "The task was cancelled", retryable: false },
  timed_out: { title: "The task did not end within its deadline", retryable: false },
  out_of_memory: { title: "The task needed more memory than there was", retryable: false },
  engine_failed: { title: "The engine could not finish the task", retryable: false },
  worker_lost: { title: "What ran the task died", retryable: true },
  storage_failed: { title: "The result could not be stored", retryable: true },
  content_refused: { title: "The content was refused", retryable: false },
  invalid_media: { title: "A picture of the task cannot be used", retryable: false },
} as const satisfies Record<string, WorkerTaskErrorMeaning>;

export type WorkerTaskErrorCode = keyof typeof workerTaskErrorCodes;

/** `type` of a worker's problem (RFC 9457). */
export function workerProblemType(code: WorkerErrorCode): string {
  return `urn:safelight:worker-problem:${code.replaceAll("_", "-")}`;
}
