/** Reads a backup again, in either form, without unpacking it. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import {
  BackupError,
  type BackupManifest,
  isBackupPath,
  listName,
  manifestName,
  parseManifest,
} from "./backup-format.ts";
import { readTarHeader, tarBlock, tarPadding } from "./tar.ts";

export interface PackageReader {
  readonly manifest: BackupManifest;
  /** The content of a file, piece by piece; null where it is not in the backup. */
  open(path: string): Promise<AsyncIterable<Uint8Array> | null>;
  close(): Promise<void>;
}

/** Errors: BackupError where this is no finished backup. */
export async function readPackage(source: string): Promise<PackageReader> {
  const found = await stat(source).catch(() => null);
  if (found === null) throw new BackupError(`${source} is not there.`);
  const reader = found.isDirectory() ? new FolderReader(source) : await TarReader.open(source);
  try {
    const content = await reader.open(manifestName);
    if (content === null) {
      throw new BackupError(`${source} has no ${manifestName}: it is no backup, or one that was not finished.`);
    }
    const manifest = parseManifest(await text(content));
    return { manifest, open: (path) => reader.open(path), close: () => reader.close() };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

class FolderReader {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  async open(path: string): Promise<AsyncIterable<Uint8Array> | null> {
    mustBeOurs(path);
    const handle = await open(join(this.#root, ...path.split("/")), "r").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return null;
      throw error;
    });
    return handle === null ? null : handle.createReadStream({ highWaterMark: 1024 * 1024 });
  }

  async close(): Promise<void> {}
}

class TarReader {
  readonly #handle: FileHandle;
  readonly #places: ReadonlyMap<string, { start: number; bytes: number }>;

  private constructor(handle: FileHandle, places: ReadonlyMap<string, { start: number; bytes: number }>) {
    this.#handle = handle;
    this.#places = places;
  }

  /** Finds out where each file lies by its header; contents are passed over. */
  static async open(source: string): Promise<TarReader> {
    const handle = await open(source, "r");
    try {
      const places = new Map<string, { start: number; bytes: number }>();
      const { size } = await handle.stat();
      const block = Buffer.alloc(tarBlock);
      for (let at = 0; at + tarBlock <= size; ) {
        await handle.read(block, 0, tarBlock, at);
        const header = readTarHeader(block);
        if (header === null) break;
        const start = at + tarBlock;
        at = start + header.bytes + tarPadding(header.bytes).byteLength;
        if (at <= size) places.set(header.path, { start, bytes: header.bytes });
      }
      return new TarReader(handle, places);
    } catch (error) {
      await handle.close();
      const reason = error instanceof Error ? error.message : String(error);
      throw new BackupError(`${source} cannot be read as a backup: ${reason}.`, { cause: error });
    }
  }

  async open(path: string): Promise<AsyncIterable<Uint8Array> | null> {
    mustBeOurs(path);
    const place = this.#places.get(path);
    return place === undefined ? null : piecesOf(this.#handle, place.start, place.bytes);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

async function* piecesOf(handle: FileHandle, start: number, bytes: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < bytes; ) {
    const buffer = Buffer.alloc(Math.min(1024 * 1024, bytes - done));
    const { bytesRead } = await handle.read(buffer, 0, buffer.byteLength, start + done);
    if (bytesRead === 0) throw new BackupError("The tar file was cut off.");
    done += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function mustBeOurs(path: string): void {
  if (path !== manifestName && path !== listName && !isBackupPath(path)) throw new TypeError("not a name of a backup");
}
