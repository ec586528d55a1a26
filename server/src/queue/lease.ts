import type { TaskErrorCode } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { changeTask, type TaskChange } from "../tasks/change.ts";
import { failTask } from "../tasks/fail.ts";
import { MAX_ATTEMPTS } from "../tasks/lifecycle.ts";
import { readTask } from "../tasks/read.ts";
import { leasedTime } from "../tasks/runtime.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";

/** One attempt of one task, as its holder knows it. */
export interface Held {
  readonly id: string;
  readonly attempt: number;
}

/**
 * The columns of a lease that begins now. Lease times are steady time, so a clock that is set back neither stretches nor ends a lease.
 * On a shared database that is the database's time, and means the same to every gateway; otherwise it means nothing across a restart, and
 * the owner's name tells that.
 */
export function leaseColumns(context: Context, limits: TimeLimits = timeLimits) {
  const now = context.clock.steady();
  return { lease_owner: context.instance, lease_renewed_at: now, lease_until: now + limits.lease };
}

/** The columns of a task that nobody holds, with the time of the lease that ends added to the sum. */
function freeColumns(context: Context, task: TaskRecord) {
  return {
    lease_owner: null,
    lease_until: null,
    lease_renewed_at: null,
    leased_ms: leasedTime(context, task),
    released: 1,
    storing: 0,
    stage: task.cancelRequestedAt === null ? "queued" : "cancelling",
    stage_detail: null,
    step: null,
    steps: null,
  } as const;
}

/** Where it failed now and before. */
function avoiding(task: TaskRecord, names: readonly string[]): { avoided?: string } {
  return names.length === 0 ? {} : { avoided: JSON.stringify([...new Set([...task.avoided, ...names])]) };
}

/** The task, when it is still held by us in this attempt; undefined once it ended, was handed back or given to another. */
export async function readHeld(context: Context, tx: Transaction, held: Held): Promise<TaskRecord | undefined> {
  const task = await readTask(tx.prepare, held.id);
  const ours = task?.status === "processing" && task.leaseOwner === context.instance && task.attempt === held.attempt;
  return ours ? task : undefined;
}

/** Changes a task that we hold; returns null, changing nothing, when we do not (any more). */
export function changeHeld(
  context: Context,
  held: Held,
  change: (task: TaskRecord, tx: Transaction) => Promise<TaskRecord>,
): Promise<TaskRecord | null> {
  return context.database.write(async (tx) => {
    const task = await readHeld(context, tx, held);
    return task === undefined ? null : await change(task, tx);
  });
}

/** Shorthand of `changeHeld` for a plain change. */
export function updateHeld(
  context: Context,
  held: Held,
  change: (task: TaskRecord) => TaskChange,
): Promise<TaskRecord | null> {
  return changeHeld(context, held, (task, tx) => changeTask(context, tx, task, change(task)));
}

/** Extends the leases of all runs that go on, in one write. Returns those that are no longer ours, and those that are to stop. */
export function renewLeases(
  context: Context,
  held: readonly Held[],
  limits: TimeLimits = timeLimits,
): Promise<{ readonly lost: readonly Held[]; readonly cancelled: readonly Held[] }> {
  return context.database.write(async (tx) => {
    const lost: Held[] = [];
    const cancelled: Held[] = [];
    // Side by side: everybody's writes wait meanwhile, and a database elsewhere answers each statement after a while.
    await Promise.all(
      held.map(async (one) => {
        const task = await readHeld(context, tx, one);
        if (task === undefined) return void lost.push(one);
        if (task.cancelRequestedAt !== null) cancelled.push(one);
        const now = context.clock.steady();
        await tx
          .prepare("UPDATE tasks SET leased_ms = ?, lease_renewed_at = ?, lease_until = ? WHERE id = ?")
          .run(leasedTime(context, task, limits), now, now + limits.lease, one.id);
      }),
    );
    return { lost, cancelled };
  });
}

/**
 * Hands a task back without using up an attempt: it stays `processing` and is claimed before anything that waits. With
 * `keepRun` its run goes on elsewhere and is picked up later. The executors in `avoid` did not start it.
 */
export async function releaseTask(
  context: Context,
  tx: Transaction,
  task: TaskRecord,
  keepRun: boolean,
  avoid: readonly string[] = [],
): Promise<TaskRecord> {
  const handle = keepRun ? {} : { run_handle: null };
  const columns = { ...freeColumns(context, task), ...handle, ...avoiding(task, avoid) };
  return changeTask(context, tx, task, { columns });
}

/**
 * Uses up the attempt: the run is lost or its result is worthless. The task is handed back for the next attempt, or fails
 * with the code when there is none left. Progress keeps its maximum.
 */
export async function loseAttempt(
  context: Context,
  tx: Transaction,
  task: TaskRecord,
  code: TaskErrorCode,
  detail?: string,
): Promise<TaskRecord> {
  if (task.cancelRequestedAt !== null) return failTask(context, tx, task, "cancelled");
  if (task.attempt >= MAX_ATTEMPTS) return failTask(context, tx, task, code, detail);
  tx.afterCommit(() => {
    context.log.warn("attempt lost, trying again", {
      task_id: task.id,
      attempt: task.attempt,
      executor: task.executor,
      code,
    });
  });
  return changeTask(context, tx, task, {
    columns: {
      ...freeColumns(context, task),
      ...avoiding(task, task.executor === null ? [] : [task.executor]),
      run_handle: null,
      attempt: task.attempt + 1,
    },
  });
}
