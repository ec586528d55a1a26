import type { Context } from "../context/context.ts";
import { changeTask, type TaskChange } from "../tasks/change.ts";
import { readTask } from "../tasks/read.ts";
import type { TaskRecord } from "../tasks/task-record.ts";

/** Moves a stored task as a dispatcher would, through the same door. */
export function moveTask(context: Context, id: string, change: TaskChange): Promise<TaskRecord> {
  return context.database.write(async (tx) => {
    const task = await readTask(tx.prepare, id);
    if (task === undefined) throw new Error(`no task ${id}`);
    return changeTask(context, tx, task, change);
  });
}

export function claimTask(context: Context, id: string): Promise<TaskRecord> {
  return moveTask(context, id, {
    transition: "claim",
    columns: {
      attempt: 1,
      stage: "denoise",
      step: 1,
      steps: 4,
      executor: "embedded",
      started_at: context.clock.now(),
      lease_owner: "a dispatcher",
      lease_until: context.clock.steady() + 60_000,
      lease_renewed_at: context.clock.steady(),
    },
  });
}

/** Stores the bytes as the task's result and finishes it. */
export async function finishTask(
  context: Context,
  id: string,
  bytes: Uint8Array,
  type = "image/png",
): Promise<TaskRecord> {
  const name = `results/${id}-1.${type.split("/")[1]}`;
  const stored = await context.media.put(name, bytes);
  await claimTask(context, id);
  return moveTask(context, id, {
    transition: "finish",
    columns: {
      progress: 100,
      result_path: name,
      result_type: type,
      result_bytes: stored.bytes,
      result_sha256: stored.sha256,
    },
  });
}

/** Stores the bytes as the task's newest preview. */
export async function showPreview(
  context: Context,
  id: string,
  version: number,
  bytes: Uint8Array,
): Promise<TaskRecord> {
  const name = `previews/${id}-${version}.webp`;
  await context.media.put(name, bytes);
  return moveTask(context, id, {
    columns: { preview_path: name, preview_type: "image/webp", preview_version: version },
  });
}

export function failTask(context: Context, id: string): Promise<TaskRecord> {
  return moveTask(context, id, {
    transition: "fail",
    columns: { error_code: "engine_failed", error_msg: "The engine could not finish the task." },
  });
}
