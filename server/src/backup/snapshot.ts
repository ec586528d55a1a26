/** The database at one moment, copied while a server goes on writing to it. */
import { open } from "node:fs/promises";
import { backup, DatabaseSync } from "node:sqlite";
import { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { BackupError } from "./backup-format.ts";

// All pages in one step: in several, each write in between would make SQLite begin anew, under load without end.
const allPages = 2 ** 31 - 1;

/** Copies the database as it is in this moment. Writers are not held up; what they write goes into their log meanwhile. */
export async function copyDatabase(file: string, target: string): Promise<void> {
  const source = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    await backup(source, target, { rate: allPages });
  } catch (error) {
    throw new BackupError(`The database ${file} cannot be copied (${(error as Error).message}).`, { cause: error });
  } finally {
    source.close();
  }
}

/** A connection of our own to a copy nobody else uses. */
export function openCopy(file: string): SqliteConnection {
  const copy = new SqliteConnection(file, { timeout: 1000 });
  // Without memory shared between processes, which a disk across the network does not have.
  copy.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA foreign_keys = ON");
  return copy;
}

/** Throws a BackupError when pages of the copy are damaged: such a copy helps nobody. */
export function mustBeSound(copy: SqliteConnection): void {
  let verdict: unknown;
  try {
    verdict = copy.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  } catch (error) {
    verdict = (error as Error).message;
  }
  if (verdict === "ok") return;
  throw new BackupError(
    `The database is damaged (${String(verdict)}): no backup was made. Keep the last good one, and see docs/operations/recovery.md.`,
  );
}

/** Closes the copy as one plain file, all of it on disk. */
export async function closeCopy(copy: SqliteConnection, file: string): Promise<void> {
  copy.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  copy.exec("PRAGMA journal_mode = DELETE");
  copy.close();
  const handle = await open(file, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Takes out of the copy what was deleted in the original since: its files are gone, and it is not ours to keep. Answers how many tasks
 * that were.
 */
export function forget(
  copy: SqliteConnection,
  gone: { readonly tasks: ReadonlySet<string>; readonly uploads: ReadonlySet<string> },
): number {
  const tasks = new Set(gone.tasks);
  const naming = copy.prepare("SELECT task_id FROM task_references WHERE upload_id = ?");
  // A task that still names it here was deleted a moment ago as well, or the upload would not have gone.
  for (const id of gone.uploads) for (const row of naming.all(id)) tasks.add(String(row.task_id));
  copy.begin();
  try {
    for (const id of tasks) {
      copy.prepare("DELETE FROM events WHERE task_id = ?").run(id);
      copy.prepare("UPDATE idempotency SET response = NULL WHERE task_id = ?").run(id);
      copy.prepare("DELETE FROM tasks WHERE id = ?").run(id);
    }
    for (const id of gone.uploads) copy.prepare("DELETE FROM uploads WHERE id = ?").run(id);
    copy.commit();
  } catch (error) {
    copy.rollback();
    throw error;
  }
  return tasks.size;
}

/** A step picture that was replaced by a newer one: the task goes on without, until it has another. */
export function forgetPreviews(copy: SqliteConnection, tasks: readonly string[]): void {
  copy.begin();
  try {
    const update = copy.prepare("UPDATE tasks SET preview_path = NULL, preview_type = NULL WHERE id = ?");
    for (const id of tasks) update.run(id);
    copy.commit();
  } catch (error) {
    copy.rollback();
    throw error;
  }
}
