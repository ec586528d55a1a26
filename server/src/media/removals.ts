/**
 * Files are removed after the record that named them is gone, never before. In between their names stand in a table, written in the
 * transaction that takes the record, so that a crash or a failing disk only puts the rest of the work off.
 */
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { holdUpload } from "./uploads.ts";

/** Notes files that nobody names any more. */
export async function noteRemovals(tx: Transaction, names: readonly string[]): Promise<void> {
  for (const name of names) await tx.prepare("INSERT INTO removals (name) VALUES (?) ON CONFLICT DO NOTHING").run(name);
}

/** Removes noted files. What cannot be removed now stays noted for the next sweep; that is logged, never thrown. */
export async function removeNoted(context: Context, names: readonly string[]): Promise<number> {
  const gone: string[] = [];
  for (const name of names) {
    try {
      await removeOne(context, name);
      gone.push(name);
    } catch (error) {
      context.log.warn("a file of a deleted task could not be removed; it is tried again later", { error });
    }
  }
  if (gone.length === 0) return 0;
  try {
    await context.database.write(async (tx) => {
      for (const name of gone) await tx.prepare("DELETE FROM removals WHERE name = ?").run(name);
    });
  } catch {
    // Removing them once more does no harm.
  }
  return gone.length;
}

/** Finishes what a crash or a failing disk has put off. Returns how many files went. */
export async function finishRemovals(context: Context): Promise<number> {
  const noted = await context.database.prepareRead("SELECT name FROM removals").all();
  return removeNoted(
    context,
    noted.map(({ name }) => String(name)),
  );
}

async function removeOne(context: Context, name: string): Promise<void> {
  const uploadId = /^uploads\/(sha256-[0-9a-f]{64})\./.exec(name)?.[1];
  if (uploadId === undefined) return context.media.remove(name);
  await holdUpload(context, uploadId, async () => {
    // The same picture may have been sent again since.
    const again = await context.database.prepareRead("SELECT 1 AS one FROM uploads WHERE id = ?").get(uploadId);
    if (again === undefined) await context.media.remove(name);
  });
}
