/**
 * Every way a request can be refused and a task can fail. The spelling of a code, its status and its meaning are part of
 * the contract: codes are added, never renamed or taken away.
 */

/** What a refusal code stands for. `user_action` is what the person can do, in plain English; the page translates by code. */
export interface ErrorMeaning {
  readonly status: number;
  readonly title: string;
  readonly user_action: string;
}

export const errorCodes = {
  malformed_json: {
    status: 400,
    title: "The body is not valid JSON",
    user_action: "Send one JSON object, encoded as UTF-8.",
  },
  invalid_api_key: {
    status: 401,
    title: "The API key is wrong",
    user_action: "Check the key. The operator finds it in the server's data directory or settings.",
  },
  invalid_password: {
    status: 401,
    title: "The password is wrong or missing",
    user_action: "Enter the access password of this installation.",
  },
  session_required: {
    status: 401,
    title: "No session and no API key",
    user_action: "Open the page again to start a session, or send an API key in the X-API-Key header.",
  },
  session_expired: {
    status: 401,
    title: "The session has ended",
    user_action: "Reload the page to start a new session. Nothing you made is lost.",
  },
  cors_origin_blocked: {
    status: 403,
    title: "This web page may not call the server",
    user_action: "Ask the operator to add the page's address to FRONTEND_ORIGINS.",
  },
  host_not_allowed: {
    status: 403,
    title: "The server does not answer under this host name",
    user_action: "Use the address the operator gave you, or ask for this host name to be added to ALLOWED_HOSTS.",
  },
  not_found: {
    status: 404,
    title: "There is nothing here",
    user_action: "Check the address. GET /docs lists every route.",
  },
  task_not_found: {
    status: 404,
    title: "There is no such task",
    user_action: "Check the task id. The task may have been deleted.",
  },
  proxy_target_invalid: {
    status: 404,
    title: "There is no such workspace",
    user_action: "Check the workspace name: it must be registered here and not disabled.",
  },
  method_not_allowed: {
    status: 405,
    title: "This route does not take this method",
    user_action: "Use one of the methods named in the Allow header.",
  },
  idempotency_conflict: {
    status: 409,
    title: "This Idempotency-Key was used for another request",
    user_action: "Use a new key for a new request, or repeat the first request unchanged.",
  },
  task_failed: {
    status: 409,
    title: "The task failed and has no result",
    user_action: "Read the task's status for the reason, then submit it again.",
  },
  task_not_ended: {
    status: 409,
    title: "The task is still running",
    user_action: "Wait for it to end, or cancel it first.",
  },
  result_gone: {
    status: 410,
    title: "The file of this result is gone",
    user_action: "Generate it again: the same settings and seed are kept with the task.",
  },
  payload_too_large: {
    status: 413,
    title: "The body is too large",
    user_action: "Send at most 64 MiB of JSON, and pictures of at most 20 MB each through POST /uploads.",
  },
  unsupported_media_type: {
    status: 415,
    title: "This content type is not taken here",
    user_action: "Send application/json, or multipart/form-data for uploads.",
  },
  range_not_satisfiable: {
    status: 416,
    title: "The file does not have this range",
    user_action: "Ask for a range inside the length named in the Content-Range header.",
  },
  content_refused: {
    status: 422,
    title: "The content was refused",
    user_action: "Change the prompt or the pictures and submit again.",
  },
  invalid_image: {
    status: 422,
    title: "A picture cannot be used",
    user_action: "Send an intact PNG, JPEG or WebP of at most 20 MB and 64 megapixels.",
  },
  parameter_locked: {
    status: 422,
    title: "A parameter of this model is fixed",
    user_action: "Leave the parameter out. GET /models lists the fixed ones of each model.",
  },
  unknown_model: {
    status: 422,
    title: "There is no such model",
    user_action: "Choose a model of GET /models.",
  },
  unsupported_mode: {
    status: 422,
    title: "The model does not have this mode",
    user_action: "Choose a mode the model lists in GET /models.",
  },
  validation_failed: {
    status: 422,
    title: "The request does not fit",
    user_action: "Correct the fields named in errors. GET /models lists every parameter with its limits.",
  },
  task_not_ready: {
    status: 425,
    title: "There is nothing to show yet",
    user_action: "Try again after the time named in Retry-After, or follow the task's events.",
  },
  rate_limited: {
    status: 429,
    title: "Too many requests",
    user_action: "Try again after the time named in Retry-After.",
  },
  internal: {
    status: 500,
    title: "Something went wrong on the server",
    user_action: "Try again. If it happens again, give the operator the correlation id.",
  },
  worker_unreachable: {
    status: 502,
    title: "The workspace does not answer",
    user_action: "Try again later, or ask the operator to check the workspace.",
  },
  auth_unavailable: {
    status: 503,
    title: "Access cannot be checked at the moment",
    user_action: "Try again shortly. If it lasts, ask the operator to check the server's storage.",
  },
  no_workers: {
    status: 503,
    title: "Nothing here can run this model and mode",
    user_action: "Choose another model, or ask the operator to add a workspace that offers this one.",
  },
  queue_full: {
    status: 503,
    title: "The queue is full",
    user_action: "Try again after the time named in Retry-After.",
  },
  storage_unavailable: {
    status: 503,
    title: "The server cannot use its storage at the moment",
    user_action: "Try again shortly. If it lasts, ask the operator to check disk space and permissions.",
  },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errorCodes;

/** What the failure of a task stands for; both texts are defaults, a task may carry better ones. */
export interface TaskErrorMeaning {
  readonly title: string;
  readonly user_action: string;
}

export const taskErrorCodes = {
  cancelled: { title: "The task was cancelled", user_action: "Submit it again if you still want it." },
  timed_out: {
    title: "The task ran longer than it may",
    user_action: "Try a smaller size, fewer frames or fewer steps.",
  },
  out_of_memory: {
    title: "The task needed more memory than there was",
    user_action: "Try a smaller size or fewer frames.",
  },
  engine_failed: {
    title: "The engine could not finish the task",
    user_action: "Submit it again. If it fails again, change the settings or tell the operator.",
  },
  worker_lost: {
    title: "The workspace that ran the task was lost",
    user_action: "Submit it again: it will run elsewhere if it can.",
  },
  no_workers: {
    title: "Nothing could run the task in time",
    user_action: "Choose another model, or ask the operator to add a workspace that offers this one.",
  },
  result_invalid: {
    title: "The result was damaged and thrown away",
    user_action: "Submit it again. If it fails again, tell the operator.",
  },
  storage_failed: {
    title: "The result could not be stored",
    user_action: "Ask the operator to check disk space, then submit it again.",
  },
  content_refused: {
    title: "The content was refused",
    user_action: "Change the prompt or the pictures and submit again.",
  },
} as const satisfies Record<string, TaskErrorMeaning>;

export type TaskErrorCode = keyof typeof taskErrorCodes;

/** `type` of a problem (RFC 9457): a name for the kind of problem, not an address to open. */
export function problemType(code: ErrorCode): string {
  return `urn:safelight:problem:${code.replaceAll("_", "-")}`;
}
