import type { MediaFileHandle, MediaFileSystem } from "./media-file-system.ts";

interface RecentHandle {
  readonly opening: Promise<MediaFileHandle>;
  /** Reads under way; the last one of a dropped handle closes it. */
  reading: number;
  dropped: boolean;
  timer: NodeJS.Timeout | undefined;
}

// Someone who seeks in a film asks again within moments; longer would only hold descriptors of files nobody looks at.
const idleMs = 1000;
const mostHandles = 16;

/** Descriptors of files that were just read in part: opening and closing cost more than the read of a part does. */
export class RecentHandles {
  readonly #files: MediaFileSystem;
  readonly #handles = new Map<string, RecentHandle>();

  constructor(files: MediaFileSystem) {
    this.#files = files;
  }

  /** The bytes from `start` to `end`, both included; fewer where the file ends before. Rejects as the file system does. */
  async read(path: string, start: number, end: number): Promise<Buffer> {
    const recent = this.#handles.get(path) ?? this.#open(path);
    clearTimeout(recent.timer);
    recent.reading += 1;
    try {
      return await readPart(await recent.opening, start, end);
    } catch (error) {
      this.forget(path);
      throw error;
    } finally {
      recent.reading -= 1;
      if (recent.reading === 0) this.#rest(path, recent);
    }
  }

  /** Lets go of a file, because it was removed or could not be read. */
  forget(path: string): void {
    const recent = this.#handles.get(path);
    if (recent === undefined) return;
    this.#handles.delete(path);
    recent.dropped = true;
    if (recent.reading === 0) close(recent);
  }

  #open(path: string): RecentHandle {
    const oldest = this.#handles.keys().next().value;
    if (this.#handles.size >= mostHandles && oldest !== undefined) this.forget(oldest);
    const recent = { opening: this.#files.open(path, "r"), reading: 0, dropped: false, timer: undefined };
    this.#handles.set(path, recent);
    return recent;
  }

  #rest(path: string, recent: RecentHandle): void {
    if (recent.dropped) return close(recent);
    recent.timer = setTimeout(() => this.forget(path), idleMs).unref();
  }
}

function close(recent: RecentHandle): void {
  clearTimeout(recent.timer);
  // Nobody waits for a descriptor that was only read from, and one that never opened needs no closing.
  recent.opening.then((handle) => handle.close()).catch(() => undefined);
}

async function readPart(handle: MediaFileHandle, start: number, end: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(end - start + 1);
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}
