import type { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MediaStore } from "../context/media-store.ts";

/** How much a media store holds. */
export interface MediaUsage {
  readonly bytes: number;
  readonly files: number;
}

/** Files looked at before everyone else gets their turn. */
const lookedAtOnce = 50;

/**
 * Knows how much a store holds without a walk at each question: every change is added up, and one walk now and then, a few files at a
 * time, puts right what was changed behind its back. Before the first walk has ended it tells what that has found so far.
 */
export class MeteredMediaStore implements MediaStore {
  readonly #store: MediaStore;
  #bytes = 0;
  #files = 0;
  #counting: Set<string> | null = null;

  constructor(store: MediaStore) {
    this.#store = store;
  }

  usage(): MediaUsage {
    return { bytes: Math.max(0, this.#bytes), files: Math.max(0, this.#files) };
  }

  /** Counts every file anew. Only one walk goes on at a time; `signal` ends it, and what was known before stands. */
  async count(signal?: AbortSignal): Promise<void> {
    if (this.#counting !== null) return;
    // What changes while we walk is looked at last: it may have been passed already, or not.
    const touched = new Set<string>();
    this.#counting = touched;
    const found = { bytes: 0, files: 0 };
    const add = async (name: string): Promise<void> => {
      const file = await this.#store.stat(name);
      if (file === null) return;
      found.bytes += file.bytes;
      found.files += 1;
    };
    try {
      let looked = 0;
      for await (const name of this.#store.list("")) {
        looked += 1;
        if (looked % lookedAtOnce === 0) await nextTurn();
        if (signal?.aborted === true) return;
        if (!touched.has(name)) await add(name);
      }
      for (const name of touched) await add(name);
      this.#bytes = found.bytes;
      this.#files = found.files;
    } finally {
      this.#counting = null;
    }
  }

  async put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }> {
    const before = await this.#store.stat(name).catch(() => null);
    const written = await this.#store.put(name, bytes);
    this.#change(name, written.bytes - (before?.bytes ?? 0), before === null ? 1 : 0);
    return written;
  }

  async remove(name: string): Promise<void> {
    const before = await this.#store.stat(name).catch(() => null);
    await this.#store.remove(name);
    if (before !== null) this.#change(name, -before.bytes, -1);
  }

  open(name: string, range?: { start: number; end: number }): Promise<Readable> {
    return this.#store.open(name, range);
  }

  path(name: string): string {
    return this.#store.path(name);
  }

  stat(name: string): Promise<{ bytes: number; modifiedAt: number } | null> {
    return this.#store.stat(name);
  }

  list(prefix: string): AsyncIterable<string> {
    return this.#store.list(prefix);
  }

  #change(name: string, bytes: number, files: number): void {
    this.#counting?.add(name);
    this.#bytes += bytes;
    this.#files += files;
  }
}
