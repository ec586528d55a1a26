import type { MediaType } from "@safelight/catalog";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { changeTask } from "../tasks/change.ts";
import { type TaskRecord, toTaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { FITS, fittingFor, hasRoom, type Lane, loadOf, type Running } from "./lanes.ts";
import { leaseColumns } from "./lease.ts";

/**
 * Takes the next task that one of the lanes can run now, under a lease, or returns null when there is none. What was
 * handed back goes first, then whoever came first. Of several lanes the least loaded gets it.
 */
export function claimNext(
  context: Context,
  lanes: readonly Lane[],
  limits: TimeLimits = timeLimits,
): Promise<TaskRecord | null> {
  return context.database.write((tx) => {
    const running = countRunning(tx);
    const task = nextFitting(tx, lanes, running);
    const lane = task === undefined ? undefined : chooseLane(lanes, running, task);
    if (task === undefined || lane === undefined) return null;
    const claimed = changeTask(context, tx, task, {
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
    tx.afterCommit(() => logDispatch(context, task, claimed));
    return claimed;
  });
}

/** Gives a claimed task to another lane of those named, or returns null when none has room: its start failed on the first. */
export function chooseAnother(tx: Transaction, lanes: readonly Lane[], task: TaskRecord): Lane | null {
  return chooseLane(lanes, countRunning(tx), task) ?? null;
}

function countRunning(tx: Transaction): Running {
  const running = new Map<string, { image: number; video: number; storing: number }>();
  const rows = tx
    .prepare(
      `SELECT executor, type, storing, count(*) AS count FROM tasks
       WHERE status = 'processing' AND lease_owner IS NOT NULL GROUP BY executor, type, storing`,
    )
    .all();
  for (const row of rows) {
    const counts = running.get(String(row.executor)) ?? { image: 0, video: 0, storing: 0 };
    counts[row.storing === 1 ? "storing" : (row.type as MediaType)] += Number(row.count);
    running.set(String(row.executor), counts);
  }
  return running;
}

function nextFitting(tx: Transaction, lanes: readonly Lane[], running: Running): TaskRecord | undefined {
  const { open, pinned } = fittingFor(lanes, (lane, type) => hasRoom(lane, running, type));
  // Nothing has room: not a reason to look through a long queue.
  if (pinned === "[]") return undefined;
  // A handed-back task that still has a run somewhere is not up for claiming: its run is picked up, not started.
  const released = `SELECT * FROM tasks WHERE status = 'processing' AND lease_owner IS NULL AND run_handle IS NULL
    AND ${FITS} ORDER BY sequence LIMIT 1`;
  const pending = `SELECT * FROM tasks WHERE status = 'pending' AND ${FITS} ORDER BY sequence LIMIT 1`;
  const row = tx.prepare(released).get(open, pinned) ?? tx.prepare(pending).get(open, pinned);
  return row === undefined ? undefined : toTaskRecord(row);
}

function chooseLane(lanes: readonly Lane[], running: Running, task: TaskRecord): Lane | undefined {
  const able = lanes.filter(
    (lane) =>
      (task.workspace === null ? lane.open : lane.executor === task.workspace) &&
      lane.able.some(({ model, mode }) => model === task.model && mode === task.mode) &&
      hasRoom(lane, running, task.type),
  );
  return able.sort(
    (one, other) =>
      loadOf(one, running, task.type) - loadOf(other, running, task.type) || one.lastUsedAt - other.lastUsedAt,
  )[0];
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
