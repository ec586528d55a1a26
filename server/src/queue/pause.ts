/** Pausing and resuming the queue, and putting tasks to its front: an operator's, each with its audit row in one transaction. */
import type { QueueState, TaskFront } from "@safelight/contract";
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { channels } from "../gateways/channels.ts";
import { announceQueue } from "../tasks/announce-queue.ts";
import { changeTask } from "../tasks/change.ts";
import { taskNotFound } from "../tasks/get.ts";
import { pausedSetting, readPause } from "../tasks/paused.ts";
import { type Prepare, readTask } from "../tasks/read.ts";

export { queueIsPaused } from "../tasks/paused.ts";

/** Nothing is claimed from now on; what runs goes on. A paused queue keeps who paused it first. */
export function pauseQueue(context: Context): Promise<QueueState> {
  return context.database.write(async (tx) => {
    const pause = JSON.stringify({ at: context.clock.now(), by: context.actor.id });
    await tx
      .prepare("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING")
      .run(pausedSetting, pause);
    await appendAudit(context, tx, { action: "pause_queue", target: "queue", outcome: "success" });
    await tellQueue(context, tx);
    return describeQueue(context, tx.prepare);
  });
}

/** Claims go on. */
export function resumeQueue(context: Context): Promise<QueueState> {
  return context.database.write(async (tx) => {
    const paused = await readPause(tx.prepare);
    await tx.prepare("DELETE FROM settings WHERE key = ?").run(pausedSetting);
    const details = paused === null ? {} : { paused_ms: Math.max(0, context.clock.now() - paused.at) };
    await appendAudit(context, tx, { action: "resume_queue", target: "queue", outcome: "success", details });
    await tellQueue(context, tx);
    return describeQueue(context, tx.prepare);
  });
}

/** Puts a pending task before all others, or back into its turn; leaves any other as it is. Errors: `task_not_found`. */
export function setFront(context: Context, id: string, front: boolean): Promise<TaskFront> {
  return context.database.write(async (tx) => {
    const task = await readTask(tx.prepare, id);
    if (task === undefined) throw taskNotFound();
    const waits = task.status === "pending" && task.front !== front;
    const now = waits ? await changeTask(context, tx, task, { columns: { front: front ? 1 : 0 } }) : task;
    await appendAudit(context, tx, {
      action: "front_task",
      target: id,
      outcome: "success",
      details: { front: now.front },
    });
    if (waits) await tellQueue(context, tx);
    return { id, front: now.front };
  });
}

/** How the queue stands; counts along indexes of what waits and runs, never over what has ended. */
export async function describeQueue(
  context: Context,
  prepare: Prepare = context.database.prepareRead,
): Promise<QueueState> {
  const pause = await readPause(prepare);
  const first = async (sql: string) => (await prepare(sql).get())?.value ?? null;
  // Sequence, not time, is the order of arrival: the clock may have been set back.
  const oldest = await first(
    `SELECT created_at AS value FROM tasks${prepare.dialect.through("tasks_pending")} WHERE status = 'pending' ORDER BY sequence LIMIT 1`,
  );
  return {
    paused: pause !== null,
    paused_at: pause === null ? null : new Date(pause.at).toISOString(),
    paused_by: pause?.by ?? null,
    pending: Number(await first("SELECT waiting AS value FROM queue_size")),
    processing: Number(await first("SELECT count(*) AS value FROM tasks WHERE status = 'processing'")),
    oldest_pending_at: oldest === null ? null : new Date(Number(oldest)).toISOString(),
    limit: context.config.queueLimit,
  };
}

/** Once it is committed, every dispatcher looks anew, and whoever watches a task that waits hears of its new place. */
async function tellQueue(context: Context, tx: Transaction): Promise<void> {
  const { hub } = context;
  await tx.notify(channels.queue);
  tx.afterCommit(async () => {
    hub.queueChanged();
    if (hub.listeners > 0) await announceQueue(context);
  });
}
