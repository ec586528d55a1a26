import type { Context } from "../context/context.ts";
import type { EventSignal } from "../context/event-hub.ts";
import type { SqlValue, Transaction } from "../database/database.ts";
import type { TaskRow } from "../database/tables.ts";
import { appendEvent } from "../events/append.ts";
import { previewUrl, statusBody } from "./describe.ts";
import { isEnded, nextStatus, type TaskTransition } from "./lifecycle.ts";
import { leasedTime } from "./runtime.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

type ChangeableColumn = Exclude<keyof TaskRow, "sequence" | "id" | "status" | "version" | "updated_at">;

export interface TaskChange {
  /** Without it the status stays. */
  transition?: TaskTransition;
  columns?: { readonly [Column in ChangeableColumn]?: TaskRow[Column] };
  /** False for bookkeeping that no listener can see, such as a renewed lease. */
  announce?: boolean;
}

/** Nobody owns an ended task, and its run is to be forgotten. */
const ENDED = {
  lease_owner: null,
  lease_until: null,
  lease_renewed_at: null,
  released: 0,
  storing: 0,
  run_handle: null,
} as const;

/**
 * The only way a stored task changes. Writes the columns, checks the transition against the table, raises the version and
 * appends the event, all in the caller's transaction. `task` must have been read in that same transaction.
 */
export async function changeTask(
  context: Context,
  tx: Transaction,
  task: TaskRecord,
  change: TaskChange,
): Promise<TaskRecord> {
  const status = change.transition === undefined ? task.status : nextStatus(task.status, change.transition);
  if (status === null) throw new Error(`a ${task.status} task cannot ${change.transition}`);
  const now = context.clock.now();
  const ended = isEnded(status);
  const columns: Record<string, SqlValue> = {
    ...change.columns,
    ...(ended ? { ...ENDED, leased_ms: leasedTime(context, task), finished_at: now } : {}),
    status,
    updated_at: now,
  };
  const names = Object.keys(columns);
  const row = await tx
    .prepare(
      `UPDATE tasks SET ${names.map((name) => `${name} = ?`).join(", ")}, version = version + 1
       WHERE id = ? AND version = ? RETURNING *`,
    )
    .get(...Object.values(columns), task.id, task.version);
  if (row === undefined) throw new Error("the task was read outside the transaction that changes it");
  const changed = toTaskRecord(row);
  if (change.announce !== false) await announce(context, tx, task, changed);
  if (ended) tx.afterCommit(() => logEnd(context, changed));
  return changed;
}

async function announce(context: Context, tx: Transaction, before: TaskRecord, task: TaskRecord): Promise<void> {
  const { prepare } = tx;
  const data = await statusBody(context, prepare, task);
  await appendEvent(context, tx, { taskId: task.id, type: "task.updated", data, signal: signalOf(task) });
  if (task.previewVersion === before.previewVersion) return;
  const picture = { task_id: task.id, version: task.previewVersion, preview_url: previewUrl(context.config, task) };
  await appendEvent(context, tx, { taskId: task.id, type: "task.preview", data: picture, signal: "none" });
}

/** What the change means to those inside who act on it. */
export function signalOf(task: TaskRecord): EventSignal {
  if (isEnded(task.status)) return "ended";
  if (task.status === "pending" || task.released) return "waiting";
  return task.cancelRequestedAt === null ? "progress" : "cancelling";
}

function logEnd(context: Context, task: TaskRecord): void {
  context.log.info("task ended", {
    task_id: task.id,
    model: task.model,
    mode: task.mode,
    status: task.status,
    error_code: task.errorCode,
    attempt: task.attempt,
    executor: task.executor,
    leased_ms: task.leasedMs,
    correlation_id: context.correlationId,
  });
}
