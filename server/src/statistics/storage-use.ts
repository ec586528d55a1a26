/** How much an installation stores: what is known of its media, the size of its database, and the room that is left. */
import type { Statistics } from "@safelight/contract";
import type { MediaUsage } from "../media/metered-media-store.ts";
import { databaseBytes, freeBytes } from "../storage-care/disk.ts";

export interface StorageUse {
  /** Asks the file system for three figures and walks nothing. */
  look(): Promise<Statistics["storage"]>;
}

/** Of the installation whose database is `databaseFile`. */
export function createStorageUse(
  media: { readonly folder: string | null; usage(): MediaUsage },
  { databaseFile }: { databaseFile: string },
): StorageUse {
  return {
    look: async () => {
      const { bytes, files } = media.usage();
      return {
        media_bytes: bytes,
        media_files: files,
        database_bytes: await databaseBytes(databaseFile),
        free_bytes: await freeBytes(media.folder),
      };
    },
  };
}
