import type { Context } from "../context/context.ts";
import type { TaskErrorCode, TaskRecord, TaskWarning } from "./task-record.ts";

/** The /status answer. */
export interface StatusBody {
  task_id: string;
  status: "pending" | "processing" | "done" | "failed";
  progress: number;
  stage: string | null;
  stage_detail: string | null;
  step: number | null;
  steps: number | null;
  queue_position: number | null;
  eta_seconds: number | null;
  attempt: number;
  engine: string | null;
  warnings: TaskWarning[];
  error: { code: TaskErrorCode; detail: string; user_action: string } | null;
  error_msg: string | null;
  result_url: string | null;
  preview_url: string | null;
  created_at: string;
  updated_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export function describeTask(_context: Context, _task: TaskRecord): Promise<StatusBody> {
  throw new Error("not built yet");
}
