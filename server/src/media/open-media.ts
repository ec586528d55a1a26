import { join } from "node:path";
import type { Config } from "../config.ts";
import type { MediaStore } from "../context/media-store.ts";
import { StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import { DiskMediaStore } from "./disk-media-store.ts";
import { diskFileSystem, type MediaFileSystem } from "./media-file-system.ts";
import { MeteredMediaStore } from "./metered-media-store.ts";

export interface OpenMedia {
  readonly media: MeteredMediaStore;
  close(): void;
}

/** Opens the store that the settings name. Errors: a StartupError of one line. */
export async function openMedia(
  config: Pick<Config, "dataDirectory" | "mediaBucket">,
  log: Log,
  files: MediaFileSystem = diskFileSystem,
): Promise<OpenMedia> {
  const { store, close } = await (config.mediaBucket === null ? openDisk : openBucket)(config, log, files);
  return { media: new MeteredMediaStore(store), close };
}

type Opened = { readonly store: MediaStore; readonly close: () => void };
type Place = Pick<Config, "dataDirectory" | "mediaBucket">;

async function openDisk({ dataDirectory }: Place, _log: Log, files: MediaFileSystem): Promise<Opened> {
  const store = await DiskMediaStore.open(join(dataDirectory, "media"), files).catch((error: unknown) => {
    const { cause } = error as { cause?: NodeJS.ErrnoException };
    throw new StartupError(`DATA_DIR: the media folder cannot be written (${cause?.code ?? "unknown reason"}).`, error);
  });
  return { store, close: () => undefined };
}

async function openBucket({ dataDirectory, mediaBucket }: Place, log: Log): Promise<Opened> {
  if (mediaBucket === null) throw new TypeError("no bucket is named");
  for (const key of Object.values(mediaBucket.keys ?? {})) log.hide(key);
  // Loaded where it is needed: a server with a disk starts without it, and is 30 MB smaller.
  const { S3MediaStore } = await import("./s3-media-store.ts");
  const store = await S3MediaStore.open({ ...mediaBucket, spoolFolder: join(dataDirectory, "media-on-its-way"), log });
  return { store, close: () => store.close() };
}
