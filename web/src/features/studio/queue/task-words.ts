// A task in words, as the studio needs them: where it stands, how it ended, what the engine had to say.
import type { Task } from "../../../api/tasks.ts";
import { failureWords } from "../../../ui/task-words.ts";

export { progressWords } from "../../../ui/task-words.ts";

type Warning = Task["warnings"][number];

export function isActive(task: Task): boolean {
  return task.status === "pending" || task.status === "processing";
}

export function failureTitle(code: string | null): string {
  return failureWords(code).title;
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
