/** Why a task failed: the codes a creator may meet. */
export type TaskErrorCode =
  | "cancelled"
  | "timed_out"
  | "out_of_memory"
  | "engine_failed"
  | "worker_lost"
  | "no_workers"
  | "result_invalid"
  | "storage_failed"
  | "content_refused";

/** What a creator reads when nothing more exact is known. */
export const taskErrorTexts: Readonly<Record<TaskErrorCode, string>> = {
  cancelled: "The task was cancelled.",
  timed_out: "The task ran longer than its type is allowed to and was stopped.",
  out_of_memory: "The executor ran out of memory. A smaller size or fewer frames need less.",
  engine_failed: "The engine could not finish this request.",
  worker_lost: "The executor was lost while it worked on the task, three times.",
  no_workers: "Nothing that can run this model was available for too long.",
  result_invalid: "The executor delivered a damaged result, three times.",
  storage_failed: "The result could not be stored.",
  content_refused: "The executor refused the content of this request.",
};

const userActions: Readonly<Record<TaskErrorCode, string>> = {
  cancelled: "Submit the request again if you still want it.",
  timed_out: "Ask for fewer frames, fewer steps or a smaller size.",
  out_of_memory: "Ask for a smaller size or fewer frames.",
  engine_failed: "Try again; if it fails again, change the request or tell the operator.",
  worker_lost: "Try again later, and tell the operator if it happens again.",
  no_workers: "Ask the operator to add or enable an account that offers this model.",
  result_invalid: "Try again, and tell the operator if it happens again.",
  storage_failed: "Tell the operator that the server's storage is full or broken, then try again.",
  content_refused: "Change the prompt or the pictures.",
};

/** What the creator can do about it. */
export function userActionFor(code: TaskErrorCode): string {
  return userActions[code];
}
