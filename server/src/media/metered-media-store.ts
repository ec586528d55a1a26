import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Borrowed, HandedOut, MediaStore, Received, StoredSize } from "../context/media-store.ts";
import { mediaFolders } from "./media-names.ts";

/** How much a media store holds. */
export interface MediaUsage {
  readonly bytes: number;
  readonly files: number;
}

/** What those need who act on it. */
export type CountedMedia = Pick<MeteredMediaStore, "usage" | "isCounted" | "folder" | "refusal">;

/** Files looked at before everyone else gets their turn. */
const lookedAtOnce = 50;

/**
 * Knows how much a store holds without a walk at each question: every change is added up, and one walk now and then, a few files at a
 * time, puts right what was changed behind its back. Where several gateways use one store, `SharedUsage` adds up what all of them change.
 */
export class MeteredMediaStore implements MediaStore {
  readonly #store: MediaStore;
  /** Names that are being written or removed at the moment. */
  readonly #busy = new Map<string, number>();
  #total = new Total();
  /** What was changed here and others were not told yet. */
  #untold = new Total();
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

  /** What was changed since the last call, or since everything was counted: less than nothing where more was removed. */
  takeUntold(): MediaUsage {
    const { bytes, files } = this.#untold;
    this.#untold = new Total();
    return { bytes, files };
  }

  /** It could not be told; it comes with the next changes again. */
  putBackUntold({ bytes, files }: MediaUsage): void {
    this.#untold.add({ bytes, files });
  }

  /** What all gateways together have come to takes the place of what was known here; what is untold stays beside it. */
  adopt(all: MediaUsage): void {
    const total = new Total();
    total.add(all);
    total.add(this.#untold);
    this.#total = total;
    this.#isCounted = true;
  }

  get folder(): string | null {
    return this.#store.folder;
  }

  /** Counts every file anew. Only one walk goes on at a time; `signal` ends it, and what was known before stands: then it answers false. */
  async count(signal?: AbortSignal): Promise<boolean> {
    if (this.#walk !== null) return false;
    const walk = new Walk();
    this.#walk = walk;
    try {
      let looked = 0;
      for (const folder of mediaFolders) {
        const found = new Map<string, number>();
        walk.open(`${folder}/`);
        for await (const { name, bytes } of this.#store.entries(`${folder}/`)) {
          looked += 1;
          if (looked % lookedAtOnce === 0) await nextTurn();
          if (signal?.aborted === true) return false;
          found.set(name, bytes);
        }
        walk.take(`${folder}/`, found, this.#busy.keys());
      }
      this.#total = walk.total;
      this.#untold = new Total();
      this.#isCounted = true;
      return true;
    } finally {
      this.#walk = null;
    }
  }

  async put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }> {
    // A source may break while we look at what was there, when nobody reads it yet; reading it will tell.
    if (bytes instanceof Readable) bytes.on("error", () => undefined);
    return this.#change(name, () => this.#store.put(name, bytes));
  }

  async receive(name: string, bytes: Readable): Promise<Received> {
    const received = await this.#store.receive(name, bytes);
    const { bytes: size, sha256, path } = received;
    const store = async (signal?: AbortSignal): Promise<void> => {
      await this.#change(name, async () => {
        await received.store(signal);
        return { bytes: size };
      });
    };
    return { bytes: size, sha256, path, store, discard: () => received.discard() };
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

  borrow(name: string): Promise<Borrowed> {
    return this.#store.borrow(name);
  }

  address(name: string, answer: HandedOut): Promise<string | null> {
    return this.#store.address(name, answer);
  }

  fault(): string | null {
    return this.#store.fault();
  }

  refusal(): string | null {
    return this.#store.refusal();
  }

  stat(name: string): Promise<StoredSize | null> {
    return this.#store.stat(name);
  }

  isGone(name: string): Promise<boolean> {
    return this.#store.isGone(name);
  }

  list(prefix: string): AsyncIterable<string> {
    return this.#store.list(prefix);
  }

  entries(prefix: string): AsyncIterable<StoredSize & { readonly name: string }> {
    return this.#store.entries(prefix);
  }

  /** Does what was asked; what there is afterwards takes the place of what there was. */
  async #change<Left extends { bytes: number } | null>(name: string, work: () => Promise<Left>): Promise<Left> {
    const before = await this.#store.stat(name).catch(() => null);
    this.#busy.set(name, (this.#busy.get(name) ?? 0) + 1);
    try {
      const after = await work();
      this.#total.replace(before, after);
      this.#untold.replace(before, after);
      this.#walk?.replace(name, before, after);
      return after;
    } finally {
      const others = (this.#busy.get(name) ?? 1) - 1;
      if (others === 0) this.#busy.delete(name);
      else this.#busy.set(name, others);
    }
  }
}

/** Stands for the size of what was removed. */
const gone = -1;

type Size = { readonly bytes: number } | null;

class Total {
  bytes = 0;
  files = 0;

  add({ bytes, files }: MediaUsage): void {
    this.bytes += bytes;
    this.files += files;
  }

  replace(before: Size, after: Size): void {
    this.bytes += (after?.bytes ?? 0) - (before?.bytes ?? 0);
    this.files += (after === null ? 0 : 1) - (before === null ? 0 : 1);
  }
}

/** One walk: what it has found, and what it was told while it went on. */
class Walk {
  readonly total = new Total();
  readonly #counted = new Set<string>();
  /** Changes in the folder that is being listed: they are newer than the list. */
  #told = new Map<string, number>();
  #listing = "";
  /** Names that were busy when their folder was counted: they are left out until they tell. */
  readonly #ahead = new Set<string>();

  open(folder: string): void {
    this.#listing = folder;
    this.#told = new Map();
  }

  take(folder: string, listed: ReadonlyMap<string, number>, busy: Iterable<string>): void {
    const found = new Map([...listed, ...this.#told]);
    for (const name of busy) {
      if (!name.startsWith(folder)) continue;
      found.delete(name);
      this.#ahead.add(name);
    }
    for (const bytes of found.values()) if (bytes !== gone) this.total.replace(null, { bytes });
    this.#counted.add(folder);
    this.#listing = "";
  }

  replace(name: string, before: Size, after: Size): void {
    const folder = name.slice(0, name.indexOf("/") + 1);
    if (folder === this.#listing) this.#told.set(name, after?.bytes ?? gone);
    else if (this.#counted.has(folder)) this.total.replace(this.#ahead.delete(name) ? null : before, after);
  }
}
