import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { changeTask } from "./change.ts";
import { failTask } from "./fail.ts";
import { taskNotFound } from "./get.ts";
import { isEnded } from "./lifecycle.ts";
import { readTask } from "./read.ts";
import type { TaskRecord } from "./task-record.ts";

/**
 * Ends a waiting task at once and tells a running one to stop, by a column that the dispatcher reads; that task ends a
 * moment later. Once this has resolved the task can no longer become `done`. An ended task is returned unchanged, and
 * cancelling twice changes nothing. Errors: `task_not_found`.
 */
export function cancelTask(context: Context, id: string): Promise<TaskRecord> {
  return context.database.write(async (tx) => {
    const task = await readTask(tx.prepare, id);
    if (task === undefined) throw taskNotFound();
    if (isEnded(task.status) || task.cancelRequestedAt !== null) return task;
    await appendAudit(context, tx, {
      action: "cancel_task",
      target: id,
      outcome: "success",
      details: { status: task.status },
    });
    return cancel(context, tx, task);
  });
}

async function cancel(context: Context, tx: Transaction, task: TaskRecord): Promise<TaskRecord> {
  if (task.status === "pending")
    return failTask(context, tx, task, "cancelled", "The task was cancelled before it started.");
  // Handed back by a stopping server and without a run anywhere: there is nobody to tell.
  if (task.leaseOwner === null && task.runHandle === null) return failTask(context, tx, task, "cancelled");
  return changeTask(context, tx, task, {
    columns: { cancel_requested_at: context.clock.now(), stage: "cancelling", stage_detail: null },
  });
}
