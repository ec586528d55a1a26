import type { MediaType } from "@safelight/catalog";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { changeTask } from "../tasks/change.ts";
import { queueIsPaused } from "../tasks/paused.ts";
import type { Prepare } from "../tasks/read.ts";
import { type TaskRecord, toTaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { endTurn, inFrontOf, inTurnOf } from "../tasks/turns.ts";
import { type Activity, type Fitting, fits, fittingFor, hasRoom, type Lane, loadOf, type Running } from "./lanes.ts";
import { leaseColumns } from "./lease.ts";

export interface ClaimOptions {
  readonly limits?: TimeLimits;
  /** Called in the transaction of the claim. */
  readonly onChoice?: (tx: Transaction, lane: Lane) => Promise<void>;
}

/**
 * Takes the next task that one of the lanes can run now, under a lease, or returns null when there is none. What was
 * handed back goes first, then what an operator put to the front, then one task of each credential in turn. Of several lanes the least loaded gets it.
 * They are asked for once the claim has its turn, for which it may have waited.
 */
export function claimNext(
  context: Context,
  lanes: readonly Lane[] | (() => readonly Lane[]),
  { limits = timeLimits, onChoice = () => Promise.resolve() }: ClaimOptions = {},
): Promise<TaskRecord | null> {
  return context.database.write(async (tx) => {
    if (await queueIsPaused(tx.prepare)) return null;
    const running = await countRunning(context, tx.prepare);
    const choice = await nextFitting(tx.prepare, typeof lanes === "function" ? lanes() : lanes, running, true);
    if (choice === undefined) return null;
    const { task, lane } = choice;
    const claimed = await changeTask(context, tx, task, {
      ...(task.status === "pending" ? { transition: "claim" as const } : {}),
      columns: {
        ...leaseColumns(context, limits),
        executor: lane.executor,
        engine: lane.engine,
        attempt: Math.max(1, task.attempt),
        released: 0,
        started_at: task.startedAt ?? context.clock.now(),
        stage: "starting",
        stage_detail: null,
        step: null,
        steps: null,
      },
    });
    if (task.status === "pending") await endTurn(tx, task);
    await onChoice(tx, lane);
    tx.afterCommit(() => logDispatch(context, task, claimed));
    return claimed;
  });
}

/** Gives a claimed task to another lane of those named, or returns null when none has room: its start failed on the first. */
export async function chooseAnother(
  context: Context,
  tx: Transaction,
  lanes: readonly Lane[],
  task: TaskRecord,
): Promise<Lane | null> {
  return chooseLane(lanes, await countRunning(context, tx.prepare), task) ?? null;
}

/** What goes on at each executor now, whoever holds it. */
export async function countRunning(context: Context, prepare: Prepare): Promise<Running> {
  const idle = () => ({ image: 0, video: 0, storing: 0 });
  const running = new Map<string, { all: Record<keyof Activity, number>; own: Record<keyof Activity, number> }>();
  const rows = await prepare(
    `SELECT executor, type, storing, lease_owner, count(*) AS count FROM tasks
     WHERE status = 'processing' AND lease_owner IS NOT NULL GROUP BY executor, type, storing, lease_owner`,
  ).all();
  for (const row of rows) {
    const counts = running.get(String(row.executor)) ?? { all: idle(), own: idle() };
    const kind = row.storing === 1 ? "storing" : (row.type as MediaType);
    counts.all[kind] += Number(row.count);
    if (row.lease_owner === context.instance) counts.own[kind] += Number(row.count);
    running.set(String(row.executor), counts);
  }
  return running;
}

/** Whether a claim would find something now, found out without taking a turn to write. */
export async function hasNext(context: Context, lanes: readonly Lane[]): Promise<boolean> {
  const { prepareRead } = context.database;
  if (await queueIsPaused(prepareRead)) return false;
  return (await nextFor(prepareRead, lanes, await countRunning(context, prepareRead))) !== null;
}

/** Of the tasks that were handed back, how many are looked at: each waits for its own executors. */
const HANDED_BACK = 64;

interface Looking extends Fitting {
  /** Ends every SELECT. */
  readonly keep: string;
}

interface Choice {
  readonly task: TaskRecord;
  readonly lane: Lane;
}

/** The id of the task that would be given out next, or null when nothing fits. */
export async function nextFor(prepare: Prepare, lanes: readonly Lane[], running: Running): Promise<string | null> {
  return (await nextFitting(prepare, lanes, running))?.task.id ?? null;
}

/** What is to be claimed is kept for the transaction that looks for it. */
async function nextFitting(
  prepare: Prepare,
  lanes: readonly Lane[],
  running: Running,
  isClaim = false,
): Promise<Choice | undefined> {
  const keep = isClaim ? prepare.dialect.picking("tasks") : "";
  const fitting = fittingFor(lanes, (lane, type) => hasRoom(lane, running, type));
  // Nothing has room: not a reason to look through a long queue.
  if (fitting.pinned === "[]") return undefined;
  return (
    (await nextHandedBack(prepare, lanes, running, { ...fitting, keep })) ??
    (await nextPending(prepare, lanes, running, { ...fitting, keep }))
  );
}

/** What was handed back may have to wait for another executor than the one that is free, so several are looked at. */
async function nextHandedBack(
  prepare: Prepare,
  lanes: readonly Lane[],
  running: Running,
  { open, pinned, keep }: Looking,
): Promise<Choice | undefined> {
  // One that still has a run somewhere is not up for claiming: its run is picked up, not started.
  const rows = await prepare(
    `SELECT * FROM tasks WHERE status = 'processing' AND lease_owner IS NULL AND run_handle IS NULL
     AND ${fits(prepare)} ORDER BY sequence LIMIT ${HANDED_BACK}${keep}`,
  ).all(open, pinned);
  for (const row of rows) {
    const task = toTaskRecord(row);
    const lane = chooseLane(lanes, running, task);
    if (lane !== undefined) return { task, lane };
  }
  return undefined;
}

async function nextPending(
  prepare: Prepare,
  lanes: readonly Lane[],
  running: Running,
  { open, pinned, keep }: Looking,
): Promise<Choice | undefined> {
  const front = `SELECT * FROM ${inFrontOf(prepare)} AND ${fits(prepare)} ORDER BY sequence LIMIT 1${keep}`;
  // Credential by credential in the order of the rotation: the first that has a task that fits ends the walk.
  const inTurn = `SELECT tasks.* FROM queue_turns CROSS JOIN tasks WHERE tasks.sequence = (
      SELECT sequence FROM ${inTurnOf(prepare)} AND submitted_by = queue_turns.credential AND ${fits(prepare)}
      ORDER BY sequence LIMIT 1
    ) ORDER BY place LIMIT 1${keep}`;
  const row = (await prepare(front).get(open, pinned)) ?? (await prepare(inTurn).get(open, pinned));
  const task = row === undefined ? undefined : toTaskRecord(row);
  const lane = task === undefined ? undefined : chooseLane(lanes, running, task);
  return task === undefined || lane === undefined ? undefined : { task, lane };
}

/**
 * The least loaded lane, then the one that has rested longest. Where the task failed before it goes only when nobody else is able, free
 * or not; where it was handed back without a failure it goes first, since its run may still be known there.
 */
function chooseLane(lanes: readonly Lane[], running: Running, task: TaskRecord): Lane | undefined {
  const able = ableLanes(lanes, task);
  const elsewhere = able.filter(({ executor }) => !task.avoided.includes(executor));
  const free = (elsewhere.length > 0 ? elsewhere : able).filter((lane) => hasRoom(lane, running, task.type));
  const before = task.released ? elsewhere.find(({ executor }) => executor === task.executor) : undefined;
  if (before !== undefined && free.includes(before)) return before;
  return free.sort(
    (one, other) =>
      loadOf(one, running, task.type) - loadOf(other, running, task.type) || one.lastUsedAt - other.lastUsedAt,
  )[0];
}

/** The lanes that could run the task if they had room. */
export function ableLanes(lanes: readonly Lane[], task: TaskRecord): Lane[] {
  return lanes.filter((lane) => {
    const isMeant = task.workspace === null ? lane.open : lane.executor === task.workspace;
    return isMeant && lane.able.some(({ model, mode }) => model === task.model && mode === task.mode);
  });
}

function logDispatch(context: Context, before: TaskRecord, task: TaskRecord): void {
  context.log.info("task dispatched", {
    task_id: task.id,
    model: task.model,
    mode: task.mode,
    executor: task.executor,
    attempt: task.attempt,
    again: before.status === "processing",
    waited_ms: Math.max(0, context.clock.now() - before.createdAt),
  });
}
