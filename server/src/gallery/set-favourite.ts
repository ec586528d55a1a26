import type { Context } from "../context/context.ts";
import { appendEvent } from "../events/append.ts";
import { taskNotFound } from "../tasks/get.ts";
import { readTask } from "../tasks/read.ts";

/** Marks a task, or takes the mark away. Marking twice changes nothing and tells nobody. Errors: `task_not_found`. */
export function setFavourite(context: Context, id: string, favourite: boolean): Promise<void> {
  return context.database.write(async (tx) => {
    const task = await readTask(tx.prepare, id);
    if (task === undefined) throw taskNotFound();
    if (task.favourite === favourite) return;
    await tx.prepare("UPDATE tasks SET favourite = ? WHERE id = ?").run(favourite ? 1 : 0, id);
    await appendEvent(context, tx, {
      taskId: id,
      type: "task.favourite",
      data: { task_id: id, favourite },
      signal: "none",
    });
  });
}
