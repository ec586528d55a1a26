import { appendAudit } from "../audit/append.ts";
import { type Context, SYSTEM_ACTOR } from "../context/context.ts";
import { failTask } from "./fail.ts";
import { readTask } from "./read.ts";
import { isStale, leasedTime } from "./runtime.ts";
import type { TaskRecord } from "./task-record.ts";
import { type TimeLimits, timeLimits } from "./time-limits.ts";

/**
 * Ends a task that has run past its limit, with an audit row by the system (FR-013). Looks again inside the transaction;
 * returns the task as it is afterwards, or undefined when it is gone.
 */
export function failIfStale(
  context: Context,
  id: string,
  limits: TimeLimits = timeLimits,
): Promise<TaskRecord | undefined> {
  const system: Context = { ...context, actor: SYSTEM_ACTOR, source: "local" };
  return context.database.write(async (tx) => {
    const task = await readTask(tx.prepare, id);
    if (task === undefined || !isStale(context, task, limits)) return task;
    const runtime = leasedTime(context, task, limits);
    const limit = limits.stale[task.type];
    const minutes = Math.round(limit / 60_000);
    const failed = await failTask(
      system,
      tx,
      task,
      "timed_out",
      `The ${task.type} took longer than the ${minutes} minutes it is allowed.`,
    );
    const details = {
      type: task.type,
      runtime_seconds: Math.round(runtime / 1000),
      limit_seconds: Math.round(limit / 1000),
    };
    await appendAudit(system, tx, { action: "task_stale", target: id, outcome: "success", details });
    tx.afterCommit(() => context.log.warn("task went past its time limit", { task_id: id, ...details }));
    return failed;
  });
}
