import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { sha256OfMediaId, workerLimits } from "@safelight/contract/worker";
import type { DiskMediaStore } from "../media/disk-media-store.ts";
import { WorkerRefusal } from "./refusal.ts";

interface Kept {
  readonly name: string;
  readonly bytes: number;
  usedAt: number;
}

const extensions: Readonly<Record<string, string>> = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };
const DAY = 24 * 60 * 60 * 1000;
/** Above this the pictures that were used longest ago go first. */
const mostBytes = 4 * 1024 ** 3;

/** Reference pictures on disk, named by their hash. What is there is known without asking the disk. */
export class ReferenceShelf {
  readonly #media: DiskMediaStore;
  readonly #kept: Map<string, Kept>;

  private constructor(media: DiskMediaStore, kept: Map<string, Kept>) {
    this.#media = media;
    this.#kept = kept;
  }

  static async open(media: DiskMediaStore): Promise<ReferenceShelf> {
    const kept = new Map<string, Kept>();
    for await (const { name, bytes, modifiedAt } of media.entries("uploads/")) {
      const sha256 = /^uploads\/([0-9a-f]{64})\.\w+$/.exec(name)?.[1];
      if (sha256 === undefined) await media.remove(name);
      else kept.set(sha256, { name, bytes, usedAt: modifiedAt });
    }
    return new ReferenceShelf(media, kept);
  }

  /**
   * Takes in a picture whose hash was promised. Resolves with its size, and whether it was known.
   * Errors: `payload_too_large`, `media_mismatch`, `storage_unavailable`; then nothing is kept.
   */
  async put(sha256: string, contentType: string, body: Readable): Promise<{ bytes: number; isNew: boolean }> {
    const known = this.#kept.get(sha256);
    if (known !== undefined) {
      known.usedAt = Date.now();
      body.resume();
      return { bytes: known.bytes, isNew: false };
    }
    const name = `uploads/${sha256}.${extensions[contentType] ?? "png"}`;
    const { bytes } = await this.#media.put(name, Readable.from(checked(sha256, body), { objectMode: false }));
    this.#kept.set(sha256, { name, bytes, usedAt: Date.now() });
    return { bytes, isNew: true };
  }

  has(id: string): boolean {
    return this.#kept.has(sha256OfMediaId(id) ?? "");
  }

  /** The file of a picture that is there, which from now on counts as just used. */
  pathOf(id: string): string {
    const kept = this.#kept.get(sha256OfMediaId(id) ?? "");
    if (kept === undefined) throw new WorkerRefusal("media_missing", "A picture of the task is not here.");
    kept.usedAt = Date.now();
    return this.#media.path(kept.name);
  }

  /** Removes pictures that nobody has used for a day, and beyond the size limit the oldest of the others. */
  async sweep(inUse: ReadonlySet<string>, now = Date.now()): Promise<void> {
    const idle = [...this.#kept].filter(([sha256]) => !inUse.has(`sha256-${sha256}`));
    let total = [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [sha256, { name, bytes, usedAt }] of idle.sort(([, a], [, b]) => a.usedAt - b.usedAt)) {
      if (now - usedAt < DAY && total <= mostBytes) break;
      this.#kept.delete(sha256);
      total -= bytes;
      await this.#media.remove(name);
    }
  }
}

/** Passes the bytes on and breaks off before their end is believed, when they are too many or not those promised. */
async function* checked(sha256: string, body: Readable): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of body as AsyncIterable<Uint8Array>) {
    bytes += piece.byteLength;
    if (bytes > workerLimits.mediaBytes) {
      throw new WorkerRefusal("payload_too_large", `A picture may have at most ${workerLimits.mediaBytes} bytes.`);
    }
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") !== sha256) {
    throw new WorkerRefusal("media_mismatch", "The bytes that arrived have another hash.");
  }
}
