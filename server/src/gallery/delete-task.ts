import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { appendEvent } from "../events/append.ts";
import { noteRemovals, removeNoted } from "../media/removals.ts";
import { uploadName } from "../media/uploads.ts";
import { taskNotFound } from "../tasks/get.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import { readTask } from "../tasks/read.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { thumbnailName } from "./thumbnail.ts";

/**
 * Deletes a task that has ended, with everything of it (FR-007). One transaction takes the record, its search and event rows and the
 * uploads nobody else names, and notes the files; these go afterwards. A crash in between leaves files that the next start
 * removes, never a record without the files it promises. Errors: `task_not_found`, `task_not_ended`.
 */
export async function deleteTask(context: Context, id: string): Promise<void> {
  const files = await context.database.write((tx) => deleteRecord(context, tx, id));
  context.log.info("task deleted", { task_id: id, correlation_id: context.correlationId });
  await removeNoted(context, files);
}

/** The part in the database, for verbs that delete in a transaction of their own: answers the files that are to go after it. */
export async function deleteRecord(context: Context, tx: Transaction, id: string): Promise<string[]> {
  const task = await readTask(tx.prepare, id);
  if (task === undefined) throw taskNotFound();
  if (!isEnded(task.status)) {
    throw new SafelightError("task_not_ended", "The task has not ended yet; wait for it, or cancel it first.");
  }
  const named = (await tx
    .prepare("SELECT id, type FROM uploads WHERE id IN (SELECT upload_id FROM task_references WHERE task_id = ?)")
    .all(id)) as unknown as { id: string; type: string }[];
  // The search row goes by a trigger, the references by their foreign key.
  await tx.prepare("DELETE FROM tasks WHERE id = ?").run(id);
  const files = [task.resultPath, task.previewPath, thumbnailName(task)].filter((name) => name !== null);
  for (const upload of named) if (await deleteUnnamed(tx, task, upload.id)) files.push(uploadName(upload));
  await noteRemovals(tx, files);
  await tx.prepare("DELETE FROM events WHERE task_id = ?").run(id);
  await tx.prepare("UPDATE idempotency SET response = NULL WHERE task_id = ?").run(id);
  await appendEvent(context, tx, { taskId: id, type: "task.deleted", data: { task_id: id }, signal: "none" });
  return files;
}

/** An upload that somebody has sent or picked since is about to be used again: it keeps its 24 hours. */
async function deleteUnnamed(tx: Transaction, task: TaskRecord, uploadId: string): Promise<boolean> {
  const { changes } = await tx
    .prepare(
      `DELETE FROM uploads WHERE id = ? AND sent_at <= ?
       AND NOT EXISTS (SELECT 1 FROM task_references WHERE upload_id = uploads.id)`,
    )
    .run(uploadId, task.createdAt);
  return Number(changes) > 0;
}
