/** What the file system says, without a walk. */
import { stat, statfs } from "node:fs/promises";

/** Bytes that this user may still write where `folder` lies; null where it cannot be told, and where there is none. */
export async function freeBytes(folder: string | null): Promise<number | null> {
  if (folder === null) return null;
  const found = await statfs(folder).catch(() => null);
  return found === null ? null : found.bavail * found.bsize;
}

/** The database with its log, in bytes. */
export async function databaseBytes(file: string): Promise<number> {
  const sizes = await Promise.all(
    ["", "-wal", "-shm"].map(async (end) => (await stat(file + end).catch(() => null))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
