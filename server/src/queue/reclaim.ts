import type { Context } from "../context/context.ts";
import type { SqlValue, Transaction } from "../database/database.ts";
import { changeTask } from "../tasks/change.ts";
import { failTask } from "../tasks/fail.ts";
import { readTask } from "../tasks/read.ts";
import { type TaskRecord, toTaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { type Held, leaseColumns, loseAttempt, releaseTask } from "./lease.ts";

/** Held by somebody else whose lease is void: on a shared database when it has run out, otherwise always. */
const ABANDONED =
  "status = 'processing' AND lease_owner IS NOT NULL AND lease_owner <> ? AND (CAST(? AS BIGINT) IS NULL OR lease_until < ?)";
/** Held by nobody, with a run that may be going on somewhere. */
const ORPHANED = "status = 'processing' AND run_handle IS NOT NULL AND lease_owner IS NULL";

function abandonedFor({ instance, database, clock }: Context): SqlValue[] {
  const now = database.shared ? clock.steady() : null;
  return [instance, now, now];
}

/**
 * Milliseconds until there is something to be freed or picked up, unless leases are renewed before; 0 when there is now, null when others
 * hold nothing. On a shared database only, where that is looked for again and again.
 */
export async function untilAbandoned({ database, instance, clock }: Context): Promise<number | null> {
  const sql = `SELECT min(CASE WHEN lease_owner IS NULL THEN 0 ELSE lease_until END) AS at FROM tasks
    WHERE (status = 'processing' AND lease_owner <> ?) OR (${ORPHANED})`;
  const at = (await database.prepareRead(sql).get(instance))?.at ?? null;
  return at === null ? null : Math.max(0, Number(at) + 1 - clock.steady());
}

/**
 * Frees what others held when they died. One server runs on a data directory, so a lease in another name is void; on a shared database
 * the others may be alive, and one is void when it has run out. No attempt is used up. Runs at an executor of which `isGone` says that it
 * was part of its gateway are forgotten. Returns the tasks whose run may still be going on somewhere, to be asked for.
 */
export function reclaimAbandoned(
  context: Context,
  isGone: (executor: string) => boolean = () => false,
): Promise<TaskRecord[]> {
  return context.database.write(async (tx) => {
    const abandoned = await tx.prepare(`SELECT * FROM tasks WHERE ${ABANDONED}`).all(...abandonedFor(context));
    for (const row of abandoned) {
      const task = toTaskRecord(row);
      const goesOn = await free(context, tx, task, isGone);
      if (!context.database.shared) continue;
      const facts = { task_id: task.id, executor: task.executor, attempt: task.attempt, run_goes_on: goesOn };
      tx.afterCommit(() => context.log.warn("a task was taken from a gateway that is gone", facts));
    }
    return (await tx.prepare(`SELECT * FROM tasks WHERE ${ORPHANED}`).all()).map(toTaskRecord);
  });
}

/** Answers whether the run may be going on. A task that was to be cancelled and has no run anywhere ends. */
async function free(
  context: Context,
  tx: Transaction,
  task: TaskRecord,
  isGone: (executor: string) => boolean,
): Promise<boolean> {
  const goesOn = task.runHandle !== null && !isGone(task.executor ?? "");
  if (task.cancelRequestedAt !== null && !goesOn) await failTask(context, tx, task, "cancelled");
  else await releaseTask(context, tx, task, goesOn);
  return goesOn;
}

/**
 * Frees what is held in our name and not among `known`: it was taken by a commit of which nothing was heard any more. No attempt is used
 * up. Returns how many.
 */
export function putBackUnknown(
  context: Context,
  known: ReadonlySet<string>,
  isGone: (executor: string) => boolean,
): Promise<number> {
  return context.database.write(async (tx) => {
    const held = (
      await tx.prepare("SELECT * FROM tasks WHERE status = 'processing' AND lease_owner = ?").all(context.instance)
    ).map(toTaskRecord);
    const unknown = held.filter(({ id }) => !known.has(id));
    for (const task of unknown) await free(context, tx, task, isGone);
    return unknown.length;
  });
}

/** The tasks that nobody holds and whose run may be going on somewhere. */
export async function findOrphaned(context: Context): Promise<TaskRecord[]> {
  return (await context.database.prepareRead(`SELECT * FROM tasks WHERE ${ORPHANED}`).all()).map(toTaskRecord);
}

/**
 * Whether a run that was begun here is, or may be, in somebody else's hands: who was silent for longer than its lease must not stop what
 * another has picked up. Never where the database is not shared.
 */
export async function isInOtherHands(context: Context, held: Held, executor: string): Promise<boolean> {
  if (!context.database.shared) return false;
  const task = await readTask(context.database.prepareRead, held.id);
  if (task?.status !== "processing" || task.attempt !== held.attempt) return false;
  return task.leaseOwner !== context.instance && task.executor === executor;
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

const EXPIRED = "status = 'processing' AND lease_owner = ? AND lease_until < ?";

/** Whether a lease of our own has run out, found out without taking a turn to write. */
export async function hasExpired({ database, instance, clock }: Context): Promise<boolean> {
  const sql = `SELECT 1 AS found FROM tasks WHERE ${EXPIRED} LIMIT 1`;
  return (await database.prepareRead(sql).get(instance, clock.steady())) !== undefined;
}

/**
 * Ends leases of our own that ran out: whoever was to renew them does not. Each uses up an attempt. Returns how many.
 */
export function reclaimExpired(context: Context): Promise<number> {
  return context.database.write(async (tx) => {
    const expired = await tx
      .prepare(`SELECT * FROM tasks WHERE ${EXPIRED}`)
      .all(context.instance, context.clock.steady());
    for (const row of expired) await loseAttempt(context, tx, toTaskRecord(row), "worker_lost");
    return expired.length;
  });
}
