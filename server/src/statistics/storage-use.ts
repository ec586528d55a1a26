/** How much an installation stores: what is known of its media, the size of its database, and the room that is left. */
import { stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Statistics } from "@safelight/contract";
import type { MediaUsage } from "../media/metered-media-store.ts";

export interface StorageUse {
  /** Asks the file system for three figures and walks nothing. */
  look(): Promise<Statistics["storage"]>;
}

/** Of the installation whose database is `databaseFile`, in the folder `dataDirectory`. */
export function createStorageUse(
  media: { usage(): MediaUsage },
  { dataDirectory, databaseFile }: { dataDirectory: string; databaseFile: string },
): StorageUse {
  return {
    look: async () => {
      const { bytes, files } = media.usage();
      const sizes = await Promise.all(["", "-wal", "-shm"].map((end) => sizeOf(databaseFile + end)));
      return {
        media_bytes: bytes,
        media_files: files,
        database_bytes: sizes.reduce((sum, size) => sum + size, 0),
        free_bytes: await freeBytes(join(dataDirectory, "media")),
      };
    },
  };
}

async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}

async function freeBytes(folder: string): Promise<number | null> {
  const found = await statfs(folder).catch(() => null);
  return found === null ? null : found.bavail * found.bsize;
}
