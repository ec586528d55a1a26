/** How much an installation stores: what is known of its media, the size of its database, and the room that is left. */
import { join } from "node:path";
import type { Statistics } from "@safelight/contract";
import type { MediaUsage } from "../media/metered-media-store.ts";
import { databaseBytes, freeBytes } from "../storage-care/disk.ts";

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
      return {
        media_bytes: bytes,
        media_files: files,
        database_bytes: await databaseBytes(databaseFile),
        free_bytes: await freeBytes(join(dataDirectory, "media")),
      };
    },
  };
}
