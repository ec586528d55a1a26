import type { Context } from "../context/context.ts";
import { changeTask } from "../tasks/change.ts";
import { failTask } from "../tasks/fail.ts";
import { readTask } from "../tasks/read.ts";
import { type TaskRecord, toTaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { leaseColumns, loseAttempt, releaseTask } from "./lease.ts";

/**
 * Frees what earlier starts of the server held when they died. One server runs on a data directory, so a lease in another
 * name is void. No attempt is used up. Returns the tasks whose run may still be going on somewhere, to be asked for.
 */
export function reclaimAbandoned(context: Context): Promise<TaskRecord[]> {
  return context.database.write(async (tx) => {
    const abandoned = await tx
      .prepare("SELECT * FROM tasks WHERE status = 'processing' AND lease_owner IS NOT NULL AND lease_owner <> ?")
      .all(context.instance);
    for (const row of abandoned) {
      const task = toTaskRecord(row);
      if (task.cancelRequestedAt !== null && task.runHandle === null) await failTask(context, tx, task, "cancelled");
      else await releaseTask(context, tx, task, true);
    }
    return (
      await tx
        .prepare("SELECT * FROM tasks WHERE status = 'processing' AND run_handle IS NOT NULL AND lease_owner IS NULL")
        .all()
    ).map(toTaskRecord);
  });
}

/** Takes a handed-back task whose run goes on, to watch that run again. Null when it is no longer there to be taken. */
export function adoptRun(
  context: Context,
  task: TaskRecord,
  limits: TimeLimits = timeLimits,
): Promise<TaskRecord | null> {
  return context.database.write(async (tx) => {
    const row = await tx
      .prepare("SELECT * FROM tasks WHERE id = ? AND status = 'processing' AND lease_owner IS NULL AND version = ?")
      .get(task.id, task.version);
    if (row === undefined) return null;
    return changeTask(context, tx, toTaskRecord(row), {
      columns: {
        ...leaseColumns(context, limits),
        released: 0,
        stage: task.cancelRequestedAt === null ? "starting" : "cancelling",
      },
    });
  });
}

/** Forgets a run that nobody can be asked about (any more), so that the task is started again in the same attempt. */
export function forgetRun(context: Context, task: TaskRecord): Promise<void> {
  return context.database.write(async (tx) => {
    const current = await readTask(tx.prepare, task.id);
    if (current === undefined || current.version !== task.version) return;
    if (current.cancelRequestedAt !== null) await failTask(context, tx, current, "cancelled");
    else await changeTask(context, tx, current, { columns: { run_handle: null } });
    tx.afterCommit(() =>
      context.log.warn("the executor of a run is gone", { task_id: task.id, executor: task.executor }),
    );
  });
}

/**
 * Ends leases of our own that ran out: whoever was to renew them does not. Each uses up an attempt. Returns how many.
 */
export function reclaimExpired(context: Context): Promise<number> {
  return context.database.write(async (tx) => {
    const expired = await tx
      .prepare("SELECT * FROM tasks WHERE status = 'processing' AND lease_owner = ? AND lease_until < ?")
      .all(context.instance, context.clock.steady());
    for (const row of expired) await loseAttempt(context, tx, toTaskRecord(row), "worker_lost");
    return expired.length;
  });
}
