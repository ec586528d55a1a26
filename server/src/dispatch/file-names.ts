import type { Context } from "../context/context.ts";
import type { TaskRecord } from "../tasks/task-record.ts";

/** Where the result of an attempt is stored. */
export function resultName(context: Context, task: TaskRecord, extension: string): string {
  return `results/${task.id}-${numberFor(context, task.attempt)}.${extension}`;
}

/** Where the preview that is to be the next version is stored. */
export function previewName(context: Context, taskId: string, version: number): string {
  return `previews/${taskId}-${numberFor(context, version)}.webp`;
}

/**
 * Where several gateways store, one that was thought dead may still be at the same attempt. What it stores, and takes away again as it may
 * not commit it, must not be the file that another has committed: so digits are added that nobody else has.
 */
function numberFor({ database, ids }: Context, number: number): string {
  return database.shared ? `${number}${String(ids.seed()).padStart(10, "0")}` : String(number);
}
