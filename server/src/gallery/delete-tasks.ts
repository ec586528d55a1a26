import type { TasksDeleted } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import { toSafelightError } from "../errors.ts";
import { deleteTask } from "./delete-task.ts";
import { portionsOf, type Selected } from "./selection.ts";

/**
 * Deletes many tasks, each in its own step: those of one portion share a flush, others' writes come in between. One that cannot be
 * deleted stays and is named with the reason. Ends early when `over` fires; what is deleted then stays deleted.
 */
export async function deleteTasks(context: Context, selected: Selected, over?: AbortSignal): Promise<TasksDeleted> {
  const outcome: TasksDeleted = { deleted: [], failed: [] };
  for await (const ids of portionsOf(context, selected)) {
    if (over?.aborted) break;
    const results = await Promise.allSettled(ids.map((id) => deleteTask(context, id)));
    for (const [index, result] of results.entries()) {
      const id = ids[index] ?? "";
      if (result.status === "fulfilled") outcome.deleted.push(id);
      else outcome.failed.push({ id, code: toSafelightError(result.reason).code });
    }
  }
  return outcome;
}
