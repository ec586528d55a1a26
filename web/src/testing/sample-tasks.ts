// For tests: tasks as the server would tell of them.
import type { Status, TaskItem } from "@safelight/contract";

/** Seconds after a fixed moment, as the server writes times. */
export function time(second: number): string {
  return new Date(Date.UTC(2026, 2, 1) + second * 1000).toISOString();
}

/** A task of a list; waiting unless told. */
export function createItem(id: string, fields: Partial<TaskItem> = {}): TaskItem {
  return {
    id,
    workspace: null,
    prompt: `prompt of ${id}`,
    negative_prompt: "",
    parameters: {},
    width: 64,
    height: 64,
    catalog_version: "1",
    result_missing: false,
    favourite: false,
    thumbnail_url: null,
    result_type: null,
    result_bytes: null,
    frames: null,
    fps: null,
    model: "flux",
    type: "image",
    mode: "t2i",
    seed: 1,
    status: "pending",
    progress: 0,
    attempt: 0,
    engine: null,
    completed_prompt: null,
    warnings: [],
    waiting_reason: null,
    error: null,
    error_msg: null,
    result: null,
    result_url: null,
    preview_url: null,
    created_at: time(0),
    updated_at: time(0),
    started_at: null,
    finished_at: null,
    ...fields,
  };
}

const itemOnly = [
  "id",
  "workspace",
  "prompt",
  "negative_prompt",
  "parameters",
  "width",
  "height",
  "catalog_version",
  "result_missing",
  "favourite",
  "thumbnail_url",
  "result_type",
  "result_bytes",
  "frames",
  "fps",
] as const;

/** Where a task stands; waiting unless told. */
export function createStatus(id: string, fields: Partial<Status> = {}): Status {
  const rest: Partial<TaskItem> = { ...createItem(id) };
  for (const name of itemOnly) delete rest[name];
  const live = { stage: null, stage_detail: null, step: null, steps: null, queue_position: null, eta_seconds: null };
  return { ...(rest as Omit<Status, "task_id" | keyof typeof live>), ...live, task_id: id, ...fields };
}
