import { findModel } from "@safelight/catalog";
import { type Notice, type Status, type TaskErrorCode, taskErrorCodes } from "@safelight/contract";
import type { WorkerTask, WorkerTaskErrorCode } from "@safelight/contract/worker";
import { brokenProtocol } from "../worker-client/worker-error.ts";

/** A picture that the worker cannot use was good here when the task was made: what failed is the engine's side. */
const codes: Partial<Record<WorkerTaskErrorCode, TaskErrorCode>> = { invalid_media: "engine_failed" };

const states = { running: "processing", succeeded: "done", failed: "failed" } as const;

/** Where a task inside a workspace is seen from. */
export interface Viewpoint {
  readonly workspace: string;
  /** Before every path; "" for paths alone. */
  readonly publicBaseUrl: string;
  /** Wall milliseconds. */
  readonly now: number;
}

/**
 * A worker's answer in the shape of /status. The newest attempt is told as it is, so its progress may be lower than that of an earlier
 * one. A worker has no queue and says nothing of when a running task last changed: it counts as changed now. Errors: WorkerError
 * `broken_protocol` for what cannot be told in this shape.
 */
export function describeInside(task: WorkerTask, view: Viewpoint): Status {
  const model = findModel(task.model);
  if (model === undefined) throw brokenProtocol("The worker speaks of a model that is not in the catalog.");
  const address = `${view.workspace}::${task.task_id}`;
  const accepted = timeOf(task.accepted_at);
  const ended = task.state === "running" ? null : timeOf(task.ended_at ?? "");
  const { result } = task;
  return {
    task_id: address,
    model: model.id,
    type: model.type,
    mode: task.mode,
    seed: task.seed ?? -1,
    status: states[task.state],
    progress: task.state === "succeeded" ? 100 : task.progress,
    attempt: task.attempt,
    engine: result?.engine ?? null,
    completed_prompt: result?.completed_prompt ?? null,
    warnings: task.warnings.map(copyNotice),
    waiting_reason: null,
    error: describeError(task),
    error_msg: task.error?.detail ?? null,
    result: describeResult(task, model.type === "image"),
    result_url: result === null ? null : `${view.publicBaseUrl}/results/${address}`,
    preview_url:
      task.preview_version === 0 ? null : `${view.publicBaseUrl}/preview/${address}?v=${task.preview_version}`,
    created_at: isoTime(accepted),
    updated_at: isoTime(ended ?? Math.max(accepted, view.now)),
    started_at: isoTime(accepted),
    finished_at: ended === null ? null : isoTime(ended),
    stage: task.state === "running" ? task.stage : null,
    stage_detail: task.state === "running" ? task.stage_detail : null,
    step: task.step,
    steps: task.steps,
    queue_position: null,
    eta_seconds: null,
  };
}

function describeError({ error }: WorkerTask): Status["error"] {
  if (error === null) return null;
  const code = codes[error.code] ?? (error.code as TaskErrorCode);
  return { code, detail: error.detail, user_action: taskErrorCodes[code].user_action };
}

function describeResult({ result }: WorkerTask, isPicture: boolean): Status["result"] {
  if (result === null) return null;
  const { content_type, bytes, width, height, frames, fps } = result;
  return { content_type, bytes, width, height, frames, fps: isPicture ? null : Math.round(fps) };
}

/** Field by field: what else a worker sends along is not ours to pass on. */
function copyNotice({ code, parameter, words, options, detail }: Notice): Notice {
  return {
    code,
    ...(parameter === undefined ? {} : { parameter }),
    ...(words === undefined ? {} : { words }),
    ...(options === undefined ? {} : { options }),
    detail,
  };
}

function timeOf(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) throw brokenProtocol("The worker answered a time that is none.");
  return time;
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
