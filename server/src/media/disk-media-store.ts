import { createHash, randomUUID } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import type { Borrowed, MediaStore, Received, StoredSize } from "../context/media-store.ts";
import { SafelightError } from "../errors.ts";
import { diskFileSystem, type MediaFileHandle, type MediaFileSystem } from "./media-file-system.ts";
import { checkMediaName, MediaNotFound, mediaFolders } from "./media-names.ts";
import { RecentHandles } from "./recent-handles.ts";

export { MediaNotFound } from "./media-names.ts";

const partialFolder = "partial";
// Large pieces keep the number of reads of a film low; two of them per listener stay small.
const readPiece = 1024 * 1024;
// Parts up to this size are read in one go.
const smallPart = 512 * 1024;

/**
 * Media in a folder of this machine. A file is written beside its place, flushed, renamed into it, and the folder is flushed:
 * after `put` resolves, the bytes survive a power cut; before, no reader can see a part of them.
 */
export class DiskMediaStore implements MediaStore {
  readonly #root: string;
  readonly #files: MediaFileSystem;
  readonly #recent: RecentHandles;

  private constructor(root: string, files: MediaFileSystem) {
    this.#root = root;
    this.#files = files;
    this.#recent = new RecentHandles(files);
  }

  /** Makes the folders and clears what an interrupted write left behind. `root` is an absolute path. */
  static async open(root: string, files: MediaFileSystem = diskFileSystem): Promise<DiskMediaStore> {
    const store = new DiskMediaStore(root, files);
    await store.#guarded(async () => {
      for (const folder of [...mediaFolders, partialFolder])
        await files.mkdir(join(root, folder), { recursive: true, mode: 0o700 });
      for (const name of await files.readdir(join(root, partialFolder)))
        await files.unlink(join(root, partialFolder, name));
      await store.#flushFolder(root);
    });
    return store;
  }

  get folder(): string {
    return this.#root;
  }

  async put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }> {
    const received = await this.#receive(name, bytes);
    try {
      await received.store();
    } finally {
      await received.discard();
    }
    return { bytes: received.bytes, sha256: received.sha256 };
  }

  receive(name: string, bytes: Readable): Promise<Received> {
    return this.#receive(name, bytes);
  }

  async #receive(name: string, bytes: Readable | Uint8Array): Promise<Received> {
    const target = this.path(name);
    // A source may break while the file is being opened, when nobody reads it yet; reading it will tell.
    if (bytes instanceof Readable) bytes.on("error", () => undefined);
    const partial = join(this.#root, partialFolder, randomUUID());
    const pieces = bytes instanceof Uint8Array ? [bytes] : (bytes as AsyncIterable<Uint8Array>);
    // The reason of a fault is worth more than a second one while tidying up; leftovers go at the next start.
    const discard = () => this.#files.unlink(partial).catch(() => undefined);
    try {
      const handle = await this.#guarded(() => this.#files.open(partial, "wx", 0o600));
      const written = await this.#writeAndClose(handle, pieces);
      let isStored = false;
      const store = () =>
        this.#guarded(async () => {
          if (!isStored) await this.#files.rename(partial, target);
          isStored = true;
          this.#recent.forget(target);
          await this.#flushFolder(join(target, ".."));
        });
      return { ...written, path: partial, store, discard: async () => void (isStored || (await discard())) };
    } catch (error) {
      await discard();
      throw error;
    } finally {
      if (bytes instanceof Readable) bytes.destroy();
    }
  }

  async open(name: string, range?: { start: number; end: number }): Promise<Readable> {
    const path = this.path(name);
    return this.#guarded(async () => {
      // Seeking asks for many small parts: one read costs a third of what a stream over the file does.
      if (range !== undefined && range.end - range.start < smallPart) {
        return Readable.from([await this.#recent.read(path, range.start, range.end).catch(refuseMissing(name))]);
      }
      const handle = await this.#files.open(path, "r").catch(refuseMissing(name));
      return handle.createReadStream({ ...range, highWaterMark: readPiece, autoClose: true });
    });
  }

  /** The file's place in the file system. */
  path(name: string): string {
    checkMediaName(name);
    return join(this.#root, name);
  }

  async borrow(name: string): Promise<Borrowed> {
    const path = this.path(name);
    if ((await this.stat(name)) === null) throw new MediaNotFound(`no such media: ${name}`);
    return { path, [Symbol.asyncDispose]: async () => undefined };
  }

  async address(name: string): Promise<null> {
    checkMediaName(name);
    return null;
  }

  /** A disk that fails is asked again each time. */
  fault(): null {
    return null;
  }

  refusal(): null {
    return null;
  }

  async stat(name: string): Promise<StoredSize | null> {
    const path = this.path(name);
    return this.#guarded(async () => {
      const found = await this.#files.stat(path).catch(nullWhenMissing);
      return found?.isFile() ? { bytes: found.size, modifiedAt: found.mtimeMs } : null;
    });
  }

  async isGone(name: string): Promise<boolean> {
    return (await this.stat(name)) === null;
  }

  async remove(name: string): Promise<void> {
    const path = this.path(name);
    this.#recent.forget(path);
    await this.#guarded(() => this.#files.unlink(path).catch(nullWhenMissing));
  }

  async *list(prefix: string): AsyncIterable<string> {
    for (const folder of mediaFolders) {
      if (!`${folder}/`.startsWith(prefix) && !prefix.startsWith(`${folder}/`)) continue;
      const names = await this.#guarded(() => this.#files.readdir(join(this.#root, folder)));
      for (const name of names) if (`${folder}/${name}`.startsWith(prefix)) yield `${folder}/${name}`;
    }
  }

  async *entries(prefix: string): AsyncIterable<StoredSize & { readonly name: string }> {
    for await (const name of this.list(prefix)) {
      const found = await this.stat(name);
      if (found !== null) yield { name, ...found };
    }
  }

  async #writeAndClose(handle: MediaFileHandle, pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>) {
    const hash = createHash("sha256");
    let bytes = 0;
    try {
      for await (const piece of pieces) {
        hash.update(piece);
        bytes += piece.byteLength;
        await this.#guarded(() => writeWhole(handle, piece));
      }
      await this.#guarded(() => handle.sync());
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
    await this.#guarded(() => handle.close());
    return { bytes, sha256: hash.digest("hex") };
  }

  /** A renamed file is only durable once the folder that names it is. */
  async #flushFolder(path: string): Promise<void> {
    const handle = await this.#files.open(path, "r");
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof MediaNotFound || error instanceof SafelightError) throw error;
      throw new SafelightError("storage_unavailable", "The server cannot use its media storage at the moment.", {
        cause: error,
      });
    }
  }
}

// A write may take only part of what it was given, above all on a disk that is nearly full.
async function writeWhole(handle: MediaFileHandle, piece: Uint8Array): Promise<void> {
  for (let offset = 0; offset < piece.byteLength; ) {
    const { bytesWritten } = await handle.write(piece, offset, piece.byteLength - offset, null);
    offset += bytesWritten;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "ENOENT";
}

function nullWhenMissing(error: unknown): null {
  if (isMissing(error)) return null;
  throw error;
}

function refuseMissing(name: string): (error: unknown) => never {
  return (error) => {
    if (isMissing(error)) throw new MediaNotFound(`no such media: ${name}`);
    throw error;
  };
}
