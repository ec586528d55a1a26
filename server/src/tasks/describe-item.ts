import type { TaskItem } from "@safelight/contract";
import type { Config } from "../config.ts";
import type { Context } from "../context/context.ts";
import { describedFields, waitingReason } from "./describe.ts";
import type { TaskRecord } from "./task-record.ts";

/** A task with everything about it. A result whose file has gone is told as such; its record stays. */
export async function describeItem(context: Context, task: TaskRecord): Promise<TaskItem> {
  const waiting_reason = await waitingReason(context, context.database.prepareRead, task);
  return { ...(await itemFieldsOf(context, task)), ...describedFields(context.config, task), waiting_reason };
}

/** What the items of every list say. */
export async function itemFieldsOf(context: Context, task: TaskRecord) {
  const missing = task.resultPath !== null && (await context.media.isGone(task.resultPath));
  const isDone = task.status === "done";
  return {
    id: task.id,
    workspace: task.workspace,
    prompt: task.prompt,
    negative_prompt: task.negativePrompt,
    parameters: { ...task.parameters },
    width: task.width ?? 0,
    height: task.height ?? 0,
    catalog_version: task.catalogVersion,
    result_missing: missing,
    favourite: task.favourite,
    thumbnail_url: thumbnailUrl(context.config, task),
    result_type: isDone ? task.resultType : null,
    result_bytes: isDone ? task.resultBytes : null,
    frames: isDone ? task.frames : null,
    fps: isDone && task.type === "video" ? task.fps : null,
  };
}

/** Null where there is nothing that a small picture could be made from. */
function thumbnailUrl(config: Config, task: TaskRecord): string | null {
  if (task.status !== "done" || (task.type === "video" && task.previewPath === null)) return null;
  return `${config.publicBaseUrl ?? ""}/preview/${task.id}?thumbnail=1&v=${(task.resultSha256 ?? "").slice(0, 8)}`;
}
