import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { MediaStore } from "../context/media-store.ts";

/** How much a media store holds. */
export interface MediaUsage {
  readonly bytes: number;
  readonly files: number;
}

/** What those need who act on it. */
export type CountedMedia = Pick<MeteredMediaStore, "usage" | "isCounted">;

/** Files looked at before everyone else gets their turn. */
const lookedAtOnce = 50;
const folders = ["results/", "previews/", "uploads/", "thumbnails/"] as const;

/**
 * Knows how much a store holds without a walk at each question: every change is added up, and one walk now and then, a few files at a
 * time, puts right what was changed behind its back.
 */
export class MeteredMediaStore implements MediaStore {
  readonly #store: MediaStore;
  /** Names that are being written or removed at the moment. */
  readonly #busy = new Map<string, number>();
  #total = new Total();
  #walk: Walk | null = null;
  #isCounted = false;

  constructor(store: MediaStore) {
    this.#store = store;
  }

  usage(): MediaUsage {
    return { bytes: Math.max(0, this.#total.bytes), files: Math.max(0, this.#total.files) };
  }

  /** False until everything was counted once: what was there before the start is missing so far. */
  get isCounted(): boolean {
    return this.#isCounted;
  }

  /** Counts every file anew. Only one walk goes on at a time; `signal` ends it, and what was known before stands. */
  async count(signal?: AbortSignal): Promise<void> {
    if (this.#walk !== null) return;
    const walk = new Walk();
    this.#walk = walk;
    try {
      let looked = 0;
      for (const folder of folders) {
        const names: string[] = [];
        for await (const name of this.#store.list(folder)) names.push(name);
        walk.begin(folder, names);
        for (const name of names) {
          looked += 1;
          if (looked % lookedAtOnce === 0) await nextTurn();
          if (signal?.aborted === true) return;
          // Whoever is at it now will tell what came of it.
          if (!this.#busy.has(name)) await walk.visit(name, () => this.#store.stat(name));
        }
      }
      this.#total = walk.total;
      this.#isCounted = true;
    } finally {
      this.#walk = null;
    }
  }

  async put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }> {
    // A source may break while we look at what was there, when nobody reads it yet; reading it will tell.
    if (bytes instanceof Readable) bytes.on("error", () => undefined);
    return this.#change(name, () => this.#store.put(name, bytes));
  }

  async remove(name: string): Promise<void> {
    await this.#change(name, async () => {
      await this.#store.remove(name);
      return null;
    });
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

  /** Does what was asked; what there is afterwards takes the place of what there was. */
  async #change<Left extends { bytes: number } | null>(name: string, work: () => Promise<Left>): Promise<Left> {
    const before = await this.#store.stat(name).catch(() => null);
    this.#busy.set(name, (this.#busy.get(name) ?? 0) + 1);
    try {
      const after = await work();
      this.#total.replace(before, after);
      this.#walk?.replace(name, before, after);
      return after;
    } finally {
      const others = (this.#busy.get(name) ?? 1) - 1;
      if (others === 0) this.#busy.delete(name);
      else this.#busy.set(name, others);
    }
  }
}

type Size = { readonly bytes: number } | null;

class Total {
  bytes = 0;
  files = 0;

  replace(before: Size, after: Size): void {
    this.bytes += (after?.bytes ?? 0) - (before?.bytes ?? 0);
    this.files += (after === null ? 0 : 1) - (before === null ? 0 : 1);
  }
}

/** One walk: what it has found, and which changes it has yet to come by. */
class Walk {
  readonly total = new Total();
  readonly #listed = new Set<string>();
  /** Names of the folder under way that were not counted. */
  #ahead: Set<string> = new Set();

  begin(folder: string, names: readonly string[]): void {
    this.#listed.add(folder);
    // What was left out in an earlier folder was busy then, and has told since or will.
    for (const name of names) this.#ahead.add(name);
  }

  async visit(name: string, look: () => Promise<Size>): Promise<void> {
    // Changed since it was listed, and told already.
    if (!this.#ahead.has(name)) return;
    const found = await look();
    if (this.#ahead.delete(name)) this.total.replace(null, found);
  }

  replace(name: string, before: Size, after: Size): void {
    const folder = name.slice(0, name.indexOf("/") + 1);
    if (!this.#listed.has(folder)) return;
    // Not counted yet, and now it need not be: what is there is known.
    this.total.replace(this.#ahead.delete(name) ? null : before, after);
  }
}
