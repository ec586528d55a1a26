import type { Config } from "../config.ts";
import type { Context } from "../context/context.ts";
import { isEnded } from "./lifecycle.ts";
import { estimateSeconds, queuePosition } from "./outlook.ts";
import type { Prepare } from "./read.ts";
import type { TaskErrorCode } from "./task-errors.ts";
import { userActionFor } from "./task-errors.ts";
import type { TaskRecord, TaskWarning } from "./task-record.ts";

/** The /status answer. */
export interface StatusBody {
  task_id: string;
  status: TaskRecord["status"];
  progress: number;
  stage: string | null;
  stage_detail: string | null;
  step: number | null;
  steps: number | null;
  queue_position: number | null;
  eta_seconds: number | null;
  attempt: number;
  engine: string | null;
  warnings: readonly TaskWarning[];
  error: { code: TaskErrorCode; detail: string; user_action: string } | null;
  error_msg: string | null;
  result_url: string | null;
  preview_url: string | null;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  finished_at: string | null;
}

/** The task as /status answers it, with its place in the queue and the time it is likely to need. */
export async function describeTask(context: Context, task: TaskRecord): Promise<StatusBody> {
  return statusBody(context, context.database.prepareRead, task);
}

/** The same from inside a transaction, where the change is not on the read connection yet. */
export function statusBody(context: Context, prepare: Prepare, task: TaskRecord): StatusBody {
  const position = task.status === "pending" ? queuePosition(prepare, task) : null;
  return {
    task_id: task.id,
    status: task.status,
    progress: task.progress,
    stage: isEnded(task.status) ? null : task.stage,
    stage_detail: task.stageDetail,
    step: task.step,
    steps: task.steps,
    queue_position: position,
    eta_seconds: isEnded(task.status) ? null : estimateSeconds(context, prepare, task),
    attempt: task.attempt,
    engine: task.engine,
    warnings: task.warnings,
    error: describeError(task),
    error_msg: task.errorMessage,
    result_url: task.status === "done" ? mediaUrl(context.config, "results", task.id) : null,
    preview_url: task.previewPath === null ? null : mediaUrl(context.config, "preview", task.id),
    created_at: isoTime(task.createdAt),
    updated_at: isoTime(task.updatedAt),
    started_at: task.startedAt === null ? null : isoTime(task.startedAt),
    finished_at: task.finishedAt === null ? null : isoTime(task.finishedAt),
  };
}

/** A path, or an absolute address when PUBLIC_BASE_URL is set. */
export function mediaUrl(config: Config, route: string, id: string): string {
  return `${config.publicBaseUrl ?? ""}/${route}/${id}`;
}

function describeError(task: TaskRecord): StatusBody["error"] {
  if (task.errorCode === null) return null;
  return { code: task.errorCode, detail: task.errorMessage ?? "", user_action: userActionFor(task.errorCode) };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
