/** Where a backup is written to. Both forms stand under another name until `finish` has put everything on disk. */
import { createHash } from "node:crypto";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { tarEnd, tarHeader, tarPadding } from "./tar.ts";

export interface Written {
  readonly bytes: number;
  readonly sha256: string;
}

export interface PackageWriter {
  /** A folder on the same disk, for what has to lie somewhere before it is taken in; removed at the end. */
  readonly workFolder: string;
  /** Takes in a file of exactly this size, piece by piece. */
  add(path: string, bytes: number, content: AsyncIterable<Uint8Array>): Promise<Written>;
  /** How many files may be added at the same time. */
  readonly width: number;
  /** Everything is on disk and has its name when this resolves. */
  finish(): Promise<void>;
  /** Removes what was written; never throws. */
  discard(): Promise<void>;
}

/** A target that ends in .tar becomes one file, any other a folder. The target must not exist, its parent must. */
export async function openPackage(target: string, mark: string, now: number): Promise<PackageWriter> {
  const workFolder = join(dirname(target), `.${basename(target)}.${mark}.unfinished`);
  await mkdir(workFolder, { mode: 0o700 });
  if (!target.endsWith(".tar")) return new FolderWriter(target, workFolder);
  const handle = await open(join(workFolder, "backup.tar"), "wx", 0o600);
  return new TarWriter(target, workFolder, handle, now);
}

class FolderWriter implements PackageWriter {
  readonly width = 8;
  readonly workFolder: string;
  readonly #root: string;
  readonly #target: string;
  readonly #folders = new Set<string>();

  constructor(target: string, workFolder: string) {
    this.#target = target;
    this.workFolder = workFolder;
    this.#root = join(workFolder, "backup");
  }

  async add(path: string, bytes: number, content: AsyncIterable<Uint8Array>): Promise<Written> {
    const place = join(this.#root, ...path.split("/"));
    await mkdir(dirname(place), { recursive: true, mode: 0o700 });
    this.#folders.add(dirname(place));
    const handle = await open(place, "wx", 0o600);
    try {
      const written = await copyExactly(content, bytes, path, (piece) => writeWhole(handle, piece));
      await handle.sync();
      return written;
    } finally {
      await handle.close();
    }
  }

  async finish(): Promise<void> {
    for (const folder of [...this.#folders, this.#root, join(this.#root, "media"), join(this.#root, "deployments")]) {
      await flushFolder(folder);
    }
    await rename(this.#root, this.#target);
    await flushFolder(dirname(this.#target));
    await rm(this.workFolder, { recursive: true, force: true });
  }

  async discard(): Promise<void> {
    await rm(this.workFolder, { recursive: true, force: true }).catch(() => undefined);
  }
}

class TarWriter implements PackageWriter {
  // One file after the other: that is what a tar file is.
  readonly width = 1;
  readonly workFolder: string;
  readonly #target: string;
  readonly #handle: FileHandle;
  readonly #now: number;

  constructor(target: string, workFolder: string, handle: FileHandle, now: number) {
    this.#target = target;
    this.workFolder = workFolder;
    this.#handle = handle;
    this.#now = now;
  }

  async add(path: string, bytes: number, content: AsyncIterable<Uint8Array>): Promise<Written> {
    await writeWhole(this.#handle, tarHeader(path, bytes, this.#now));
    const written = await copyExactly(content, bytes, path, (piece) => writeWhole(this.#handle, piece));
    await writeWhole(this.#handle, tarPadding(bytes));
    return written;
  }

  async finish(): Promise<void> {
    await writeWhole(this.#handle, tarEnd);
    await this.#handle.sync();
    await this.#handle.close();
    await rename(join(this.workFolder, "backup.tar"), this.#target);
    await flushFolder(dirname(this.#target));
    await rm(this.workFolder, { recursive: true, force: true });
  }

  async discard(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
    await rm(this.workFolder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Hands the pieces on and hashes them; fails when they are not as many bytes as announced. */
export async function copyExactly(
  content: AsyncIterable<Uint8Array>,
  bytes: number,
  path: string,
  write: (piece: Uint8Array) => Promise<void>,
): Promise<Written> {
  const hash = createHash("sha256");
  let written = 0;
  for await (const piece of content) {
    written += piece.byteLength;
    if (written > bytes) break;
    hash.update(piece);
    await write(piece);
  }
  if (written !== bytes) throw new Error(`${path} changed its size while it was copied`);
  return { bytes, sha256: hash.digest("hex") };
}

/** A write may take only part of what it was given, above all on a disk that is nearly full. */
export async function writeWhole(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let offset = 0; offset < piece.byteLength; ) {
    const { bytesWritten } = await handle.write(piece, offset, piece.byteLength - offset, null);
    offset += bytesWritten;
  }
}

/** A renamed file is only durable once the folder that names it is; a folder that is not there is passed over. */
export async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  try {
    await handle?.sync();
  } finally {
    await handle?.close();
  }
}
