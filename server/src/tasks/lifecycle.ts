/** Where a task stands. `done` and `failed` are final. */
export type TaskStatus = "pending" | "processing" | "done" | "failed";

/** What can happen to a task's status; the names read in the log. */
export type TaskTransition = "claim" | "finish" | "fail";
