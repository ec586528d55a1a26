// A task in words: where it stands, how it ended, what the engine had to say.
import type { Task } from "../../../api/tasks.ts";
import { strings } from "./strings.ts";

type Warning = Task["warnings"][number];

export function isActive(task: Task): boolean {
  return task.status === "pending" || task.status === "processing";
}

/** "Denoising, step 5 of 8", "Waiting, number 3 in the queue". */
export function progressWords(task: Task): string {
  if (task.stage === "cancelling") return strings.stage.cancelling;
  if (task.status === "pending") {
    return task.queue_position === null ? strings.waitingUnknown : strings.waiting(task.queue_position);
  }
  const stage = task.stage === null ? strings.stage.starting : strings.stage[task.stage];
  const counted = task.stage === "denoise" && task.steps !== null && task.step !== null;
  if (task.stage_detail !== null && !counted) return strings.stageDetail(stage, task.stage_detail);
  return counted ? strings.stepOf(stage, task.step ?? 0, task.steps ?? 0) : stage;
}

export function failureTitle(code: string | null): string {
  return (code === null ? undefined : strings.failed[code]) ?? strings.failedOther;
}

export function secondsTaken(task: Task): number | null {
  if (task.started_at === null || task.finished_at === null) return null;
  return Math.max(0, (Date.parse(task.finished_at) - Date.parse(task.started_at)) / 1000);
}

export function unknownWords(task: Task): readonly string[] {
  return task.warnings.filter((warning) => warning.code === "unknown_words").flatMap((warning) => warning.words ?? []);
}

/** Warnings that have no words of their own in the page: shown as the engine put them. */
export function otherWarnings(task: Task): readonly Warning[] {
  return task.warnings.filter((warning) => warning.code !== "unknown_words" && warning.code !== "prompt_completed");
}
