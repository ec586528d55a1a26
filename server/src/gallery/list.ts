import type { GalleryItem, GalleryPage } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import { describedFields } from "../tasks/describe.ts";
import { itemFieldsOf } from "../tasks/describe-item.ts";
import type { TaskListQuery } from "../tasks/find.ts";
import { describePage } from "../tasks/list.ts";
import type { TaskRecord } from "../tasks/task-record.ts";

/** The done tasks. Errors: `validation_failed` for a cursor that is none of ours. */
export async function listGallery(context: Context, query: Omit<TaskListQuery, "status">): Promise<GalleryPage> {
  return describePage(context, { ...query, status: "done" }, (task) => describeGalleryItem(context, task));
}

async function describeGalleryItem(context: Context, task: TaskRecord): Promise<GalleryItem> {
  const facts = describedFields(context.config, task);
  return {
    ...(await itemFieldsOf(context, task)),
    model: facts.model,
    type: facts.type,
    mode: facts.mode,
    seed: facts.seed,
    engine: facts.engine,
    completed_prompt: facts.completed_prompt,
    warnings: facts.warnings,
    result_url: facts.result_url ?? "",
    preview_url: facts.preview_url,
    created_at: facts.created_at,
    finished_at: facts.finished_at ?? facts.updated_at,
  };
}
