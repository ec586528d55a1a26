import type { TaskItem, TasksPage } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import { describeItem } from "./describe-item.ts";
import { findAndCount, type TaskListQuery } from "./find.ts";
import type { TaskRecord } from "./task-record.ts";

/** The history, in every state. Errors: `validation_failed` for a cursor that is none of ours. */
export async function listTasks(context: Context, query: TaskListQuery): Promise<TasksPage> {
  return describePage(context, query, (task): Promise<TaskItem> => describeItem(context, task));
}

/** One page of a list, each task told by `describe`. */
export async function describePage<Item>(
  context: Context,
  query: TaskListQuery,
  describe: (task: TaskRecord) => Promise<Item>,
) {
  const { found, total, isExact } = await findAndCount(context, query);
  return {
    items: await Promise.all(found.tasks.map(describe)),
    total,
    total_is_exact: isExact,
    page: found.page,
    per_page: found.perPage,
    has_more: found.hasMore,
    next_cursor: found.nextCursor,
  };
}
