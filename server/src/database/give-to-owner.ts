import { lchown, lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/**
 * Root may do with a data directory what the user of the service does. What root has made in it becomes whose the directory is, or the
 * server of that user could not read it afterwards. Nothing is done for anybody else.
 */
export async function giveToOwner(directory: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = await stat(directory);
  if (uid === 0) return;
  for (const name of await readdir(directory, { recursive: true })) {
    const file = join(directory, name);
    const found = await lstat(file).catch(() => null);
    if (found?.uid === 0) await lchown(file, uid, gid);
  }
}
