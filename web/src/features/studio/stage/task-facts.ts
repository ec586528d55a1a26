// What the stage reads off a task.
import type { StudioModel } from "../../../api/models.ts";
import type { Task } from "../../../api/tasks.ts";

type Warning = Task["warnings"][number];

/** Warnings that the label of the miniature says in its own way. */
const told: ReadonlySet<string> = new Set(["unknown_words", "prompt_completed"]);

export function isActive(task: Task): boolean {
  return task.status === "pending" || task.status === "processing";
}

export function isCancelled(task: Task): boolean {
  return task.status === "failed" && task.error?.code === "cancelled";
}

export function secondsTaken(task: Task): number | null {
  if (task.started_at === null || task.finished_at === null) return null;
  return Math.max(0, (Date.parse(task.finished_at) - Date.parse(task.started_at)) / 1000);
}

/** Length of a clip in seconds; null for pictures and while it is not known. */
export function clipSeconds(task: Task): number | null {
  const frames = task.frames ?? numberOf(task.parameters.num_frames);
  const fps = task.fps ?? numberOf(task.parameters.fps);
  return task.type === "video" && frames && fps ? frames / fps : null;
}

/** Size in pixels: of the result, else as it was asked for. */
export function sizeOf(task: Task): { width: number; height: number } {
  const width = task.width || numberOf(task.parameters.width);
  const height = task.height || numberOf(task.parameters.height);
  return width && height ? { width, height } : { width: 1, height: 1 };
}

export function unknownWords(task: Task): readonly string[] {
  return task.warnings.filter((warning) => warning.code === "unknown_words").flatMap((warning) => warning.words ?? []);
}

export function otherWarnings(task: Task): readonly Warning[] {
  return task.warnings.filter((warning) => !told.has(warning.code));
}

/**
 * The picture a task began with: what its first picture parameter holds, or the keyframe at frame 0. The catalog tells
 * which parameters are pictures. Null when there is none.
 */
export function pictureBefore(task: Task, model: StudioModel | undefined): string | null {
  for (const { name, type } of model?.parameters ?? []) {
    const value = task.parameters[name];
    if (type === "image" && typeof value === "string") return value;
    if (type === "keyframes" && Array.isArray(value)) return keyframeAtStart(value);
  }
  return null;
}

function keyframeAtStart(keyframes: readonly unknown[]): string | null {
  for (const keyframe of keyframes) {
    const { frame_index: frame, image } = keyframe as { frame_index?: unknown; image?: unknown };
    if (frame === 0 && typeof image === "string") return image;
  }
  return null;
}

function numberOf(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}
