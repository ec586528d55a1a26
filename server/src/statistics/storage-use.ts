/** How much an installation stores: what is known of its media, the size of its database, and the room that is left. */
import type { Statistics } from "@safelight/contract";
import type { Database } from "../database/database.ts";
import type { MediaUsage } from "../media/metered-media-store.ts";
import { freeBytes } from "../storage-care/disk.ts";

export interface StorageUse {
  /** Asks the file system for three figures and walks nothing. */
  look(): Promise<Statistics["storage"]>;
}

/** Of the installation with these media and this database. */
export function createStorageUse(
  media: { readonly folder: string | null; usage(): MediaUsage },
  database: Pick<Database, "size">,
): StorageUse {
  return {
    look: async () => {
      const { bytes, files } = media.usage();
      return {
        media_bytes: bytes,
        media_files: files,
        database_bytes: await database.size(),
        free_bytes: await freeBytes(media.folder),
      };
    },
  };
}
