/** What the file system says, without a walk. */
import { statfs } from "node:fs/promises";

/** Bytes that this user may still write where `folder` lies; null where it cannot be told, and where there is none. */
export async function freeBytes(folder: string | null): Promise<number | null> {
  if (folder === null) return null;
  const found = await statfs(folder).catch(() => null);
  return found === null ? null : found.bavail * found.bsize;
}
