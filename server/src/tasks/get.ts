import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { readTask } from "./read.ts";
import { isStale } from "./runtime.ts";
import { failIfStale } from "./stale.ts";
import type { TaskRecord } from "./task-record.ts";

/** The task as it is now. One that is past its time limit is ended by the look at it. Errors: `task_not_found`. */
export async function getTask(context: Context, id: string): Promise<TaskRecord> {
  const task = await readTask(context.database.prepareRead, id);
  const current = task !== undefined && isStale(context, task) ? await failIfStale(context, id) : task;
  if (current === undefined) throw taskNotFound();
  return current;
}

export function taskNotFound(): SafelightError {
  return new SafelightError("task_not_found", "There is no task with this id.");
}
