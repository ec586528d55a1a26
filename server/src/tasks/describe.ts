import { type Notice, type Status, type TaskItem, taskErrorCodes } from "@safelight/contract";
import type { Config } from "../config.ts";
import type { Context } from "../context/context.ts";
import { isEnded } from "./lifecycle.ts";
import { type Outlook, outlookOf } from "./outlook.ts";
import type { Prepare } from "./read.ts";
import type { TaskRecord } from "./task-record.ts";

/** The task as /status answers it, with its place in the queue and the time it is likely to need. */
export async function describeTask(context: Context, task: TaskRecord): Promise<Status> {
  return statusBody(context, context.database.prepareRead, task);
}

/** The same from inside a transaction, where the change is not on the read connection yet. */
export async function statusBody(
  context: Context,
  prepare: Prepare,
  task: TaskRecord,
  known?: Outlook,
): Promise<Status> {
  const outlook = known ?? (await outlookOf(context, prepare, task));
  const ended = isEnded(task.status);
  return {
    task_id: task.id,
    ...describedFields(context.config, task),
    waiting_reason: await waitingReason(context, prepare, task),
    stage: ended ? null : (task.stage as Status["stage"]),
    stage_detail: ended ? null : task.stageDetail,
    step: task.step,
    steps: task.steps,
    queue_position: outlook.queuePosition,
    eta_seconds: outlook.etaSeconds,
  };
}

/** Why a pending task has not started, in short; null when it is not pending, or simply next. */
export async function waitingReason(context: Context, prepare: Prepare, task: TaskRecord): Promise<Notice | null> {
  return task.status === "pending" ? (await context.waiting.explain(prepare, task)).short : null;
}

/** The fields that /status and the items of the history have in common. */
export function describedFields(config: Config, task: TaskRecord) {
  return {
    model: task.model,
    type: task.type,
    mode: task.mode,
    seed: task.seed,
    status: task.status,
    progress: task.progress,
    attempt: task.attempt,
    engine: task.engine,
    completed_prompt: task.completedPrompt,
    warnings: [...task.warnings],
    waiting_reason: null as Notice | null,
    error: describeError(task),
    error_msg: task.errorMessage,
    result: describeResult(task),
    result_url: task.status === "done" ? `${config.publicBaseUrl ?? ""}/results/${task.id}` : null,
    preview_url: previewUrl(config, task),
    created_at: isoTime(task.createdAt),
    updated_at: isoTime(task.updatedAt),
    started_at: task.startedAt === null ? null : isoTime(task.startedAt),
    finished_at: task.finishedAt === null ? null : isoTime(task.finishedAt),
  } satisfies Partial<TaskItem>;
}

/** Changes with every new picture, so that a page that shows it need not guess when to load it again. */
export function previewUrl(config: Config, task: TaskRecord): string | null {
  if (task.previewPath === null) return null;
  return `${config.publicBaseUrl ?? ""}/preview/${task.id}?v=${task.previewVersion}`;
}

function describeError(task: TaskRecord): Status["error"] {
  if (task.errorCode === null) return null;
  const { user_action } = taskErrorCodes[task.errorCode];
  return { code: task.errorCode, detail: task.errorMessage ?? "", user_action };
}

function describeResult(task: TaskRecord): Status["result"] {
  if (task.status !== "done" || task.resultType === null || task.resultBytes === null) return null;
  return {
    content_type: task.resultType,
    bytes: task.resultBytes,
    width: task.width ?? 0,
    height: task.height ?? 0,
    frames: task.frames ?? 1,
    fps: task.type === "image" ? null : task.fps,
  };
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
