import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { SafelightError, StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import { BucketReader } from "../media/bucket-reader.ts";
import { isMediaName, mediaFolders } from "../media/media-names.ts";
import { S3Fault } from "../media/s3-fault.ts";
import { S3MediaStore } from "../media/s3-media-store.ts";
import type { MediaBucket } from "../media-setting.ts";
import type { Told } from "./copy-tables.ts";
import type { MoveSource } from "./source.ts";

/** Files on their way at a time. */
const width = 4;
/** How long one file may take to be stored, with all its tries: 30 minutes. */
const patience = 30 * 60 * 1000;

export interface MediaFigures {
  readonly files: number;
  readonly bytes: number;
  /** Stored by this run; the others were there already, with the same hash. */
  readonly copied: number;
  /** Files that are not what their record says; they were so before. */
  readonly damaged: readonly string[];
  /** Files that a record names and that are not there; they were not there before. */
  readonly missing: number;
}

interface Place {
  readonly folder: string;
  readonly bucket: MediaBucket;
  /** For bytes on their way. */
  readonly spoolFolder: string;
  readonly log: Log;
}

/** Where media is copied from and to; null where it stays. */
export function placeOf(config: Config, bucket: MediaBucket | null, log: Log): Place | null {
  if (bucket === null) return null;
  const { dataDirectory } = config;
  return { folder: join(dataDirectory, "media"), bucket, spoolFolder: join(dataDirectory, "media-on-its-way"), log };
}

/**
 * Stores every file of the folder under its name, unless it is there with the same hash; each one is stored once the server has said its
 * size and hash. Throws a StartupError where the bucket cannot be used, holds files of something else, or lacks one at the end.
 */
export async function copyMedia(source: MoveSource, place: Place, tell: Told): Promise<MediaFigures> {
  const files = await filesIn(place.folder);
  const reader = new BucketReader(place.bucket);
  const store = await S3MediaStore.open({
    ...place.bucket,
    spoolFolder: place.spoolFolder,
    log: place.log,
    limits: { put: patience },
  });
  try {
    const there = await reader.sizes();
    const stranger = [...there.keys()].find((name) => !files.has(name));
    if (stranger !== undefined) {
      throw new StartupError(
        `MEDIA_URL: ${reader.place} holds media of something else (${stranger}). Name an empty bucket or prefix.`,
      );
    }
    const hashes = new Map<string, string>();
    let copied = 0;
    await eachOf(files, async ([name, bytes]) => {
      const file = join(place.folder, name);
      const sha256 = await hashOf(file);
      hashes.set(name, sha256);
      if (there.get(name) === bytes && (await reader.sha256Of(name)) === sha256) return;
      const stored = await store.put(name, createReadStream(file));
      if (stored.sha256 !== sha256) throw new StartupError(`${file} changed while it was copied.`);
      copied += 1;
      if (copied % 1000 === 0) await tell(`media: ${copied} files`);
    });
    await mustBeThere(files, reader);
    return { files: files.size, bytes: sum(files.values()), copied, ...judge(source, files, hashes) };
  } catch (error) {
    throw explained(error, reader.place);
  } finally {
    store.close();
    reader.close();
  }
}

/** What the storage said, in one line. */
function explained(error: unknown, place: string): unknown {
  const fault = error instanceof SafelightError ? error.cause : error;
  if (!(fault instanceof S3Fault)) return error;
  return new StartupError(
    `MEDIA_URL: ${place}: ${fault.message}. Mend that, and run the same command again: it goes on.`,
    error,
  );
}

async function mustBeThere(files: ReadonlyMap<string, number>, reader: BucketReader): Promise<void> {
  const there = await reader.sizes();
  for (const [name, bytes] of files) {
    if (there.get(name) === bytes) continue;
    throw new StartupError(
      `MEDIA_URL: ${name} is not in ${reader.place} as it was stored. Run the same command again.`,
    );
  }
}

/** What was wrong before, so that nobody takes it for the fault of the copy. */
function judge(
  source: MoveSource,
  files: ReadonlyMap<string, number>,
  hashes: ReadonlyMap<string, string>,
): Pick<MediaFigures, "damaged" | "missing"> {
  const damaged: string[] = [];
  let missing = 0;
  for (const { name, bytes, sha256 } of source.namedFiles()) {
    if (!files.has(name)) missing += 1;
    else if ((bytes ?? files.get(name)) !== files.get(name) || (sha256 ?? hashes.get(name)) !== hashes.get(name))
      damaged.push(name);
  }
  for (const [name, sha256] of hashes) {
    const said = /^uploads\/sha256-([0-9a-f]{64})\./.exec(name)?.[1];
    if (said !== undefined && said !== sha256) damaged.push(name);
  }
  return { damaged, missing };
}

/** Names with sizes. What has no name of ours is on its way, or a stranger's. */
async function filesIn(folder: string): Promise<Map<string, number>> {
  const files = new Map<string, number>();
  for (const part of mediaFolders) {
    const names = await readdir(join(folder, part)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw new StartupError(`DATA_DIR: ${join(folder, part)} cannot be read (${error.code}).`, error);
    });
    for (const name of names.map((one) => `${part}/${one}`)) {
      if (isMediaName(name)) files.set(name, (await stat(join(folder, name))).size);
    }
  }
  return files;
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

async function eachOf<T>(all: Iterable<T>, work: (one: T) => Promise<void>): Promise<void> {
  const iterator = all[Symbol.iterator]();
  let failed = false;
  const run = async (): Promise<void> => {
    for (let next = iterator.next(); next.done !== true && !failed; next = iterator.next()) {
      await work(next.value).catch((error: unknown) => {
        failed = true;
        throw error;
      });
    }
  };
  // What still writes has to have ended before the store is closed.
  const ends = await Promise.allSettled(Array.from({ length: width }, run));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
