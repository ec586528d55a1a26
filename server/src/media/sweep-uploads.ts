import type { Context } from "../context/context.ts";
import { holdUpload, uploadName } from "./uploads.ts";

/** An upload that no task names is kept this long after its last use: 24 hours, in milliseconds. */
export const uploadLifetime = 24 * 60 * 60 * 1000;

const named = "EXISTS (SELECT 1 FROM task_references WHERE upload_id = uploads.id)";

/**
 * Removes uploads that no task names and nobody used for 24 hours, and files that never got a record.
 * Answers how many of each went. A file is removed after its record, so no record is left without its file.
 */
export async function sweepUploads(context: Context): Promise<{ uploads: number; files: number }> {
  const before = context.clock.now() - uploadLifetime;
  const expired = (await context.database
    .prepareRead(`SELECT id, type FROM uploads WHERE last_used_at < ? AND NOT ${named}`)
    .all(before)) as unknown as { id: string; type: string }[];
  let uploads = 0;
  for (const upload of expired) {
    await holdUpload(context, upload.id, async () => {
      if (!(await forgetUpload(context, upload.id, before))) return;
      await context.media.remove(uploadName(upload));
      uploads += 1;
    });
  }
  return { uploads, files: await removeStrays(context, before) };
}

/** The conditions stand in the statement itself: a task may have come to name the upload since it was looked up. */
async function forgetUpload(context: Context, id: string, before: number): Promise<boolean> {
  return context.database.write(
    async (transaction) =>
      Number(
        (
          await transaction
            .prepare(`DELETE FROM uploads WHERE id = ? AND last_used_at < ? AND NOT ${named}`)
            .run(id, before)
        ).changes,
      ) > 0,
  );
}

async function removeStrays(context: Context, before: number): Promise<number> {
  let files = 0;
  for await (const { name, modifiedAt } of context.media.entries("uploads/")) {
    if (modifiedAt >= before) continue;
    const id = /^uploads\/(sha256-[0-9a-f]{64})\./.exec(name)?.[1] ?? name;
    await holdUpload(context, id, async () => {
      const found = await context.media.stat(name);
      if (found === null || found.modifiedAt >= before) return;
      const row = await context.database.prepareRead("SELECT 1 AS one FROM uploads WHERE id = ?").get(id);
      if (row !== undefined) return;
      await context.media.remove(name);
      files += 1;
    });
  }
  return files;
}
