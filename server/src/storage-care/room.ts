import { sayBytes } from "../byte-size.ts";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import type { CountedMedia } from "../media/metered-media-store.ts";
import { freeBytes } from "./disk.ts";
import { expectedOfAccepted } from "./expected.ts";
import { nextByQuota } from "./removable.ts";

export interface Shortage {
  readonly limit: "disk" | "quota";
  readonly limitBytes: number;
  readonly freeBytes: number;
  readonly neededBytes: number;
}

/** A look is good for this long, in milliseconds; in between what is let in is added up. */
const fresh = 1000;
/** A look that took long is kept for this many times as long. */
const rest = 20;

interface Look {
  readonly until: number;
  /** null where it cannot be told. */
  readonly free: number | null;
  /** What accepted tasks will write. */
  expected: number;
}

/** How much room there is for more, looked up at most once a second. */
export class Room {
  readonly #context: Context;
  readonly #media: CountedMedia;
  #look: Promise<Look> | null = null;
  #until = 0;

  constructor(context: Context, media: CountedMedia) {
    this.#context = context;
    this.#media = media;
  }

  /**
   * Lets something in that will write `bytes`, and counts on it. Errors: `storage_unavailable`, when nothing can be stored at the moment,
   * and with the numbers when it would eat into the reserve or go over a quota that nothing can be removed for.
   */
  async letIn(bytes: number): Promise<void> {
    if (this.#media.refusal() !== null) throw new SafelightError("storage_unavailable", noStorage, { retryAfter: 5 });
    const { mediaReserve, mediaQuota } = this.#context.config;
    if (mediaReserve === 0 && mediaQuota === null) return;
    const look = await this.#current();
    // Found and counted on in one turn: of two who come at once the second sees what the first was promised.
    const shortage = this.#shortageFor(look, bytes);
    if (shortage !== null && !(await this.#canMakeRoomFor(shortage))) throw explain(shortage);
    look.expected += bytes;
  }

  /** As it is now: what is expected, and what keeps a task out that writes next to nothing. */
  async now(): Promise<{ expected: number; shortage: Shortage | null }> {
    const look = await this.#current();
    const { expected } = look;
    const shortage = this.#shortageFor(look, 0);
    const isShort = shortage !== null && !(await this.#canMakeRoomFor(shortage));
    return { expected, shortage: isShort ? shortage : null };
  }

  #current(): Promise<Look> {
    const { clock } = this.#context;
    if (this.#look === null || clock.steady() >= this.#until) {
      // Those who come while it is looked share the look.
      this.#until = Number.POSITIVE_INFINITY;
      const look = this.#lookNow();
      this.#look = look;
      look.then(
        ({ until }) => (this.#until = until),
        () => (this.#until = 0),
      );
    }
    return this.#look;
  }

  async #lookNow(): Promise<Look> {
    const { clock, database } = this.#context;
    const free = await freeBytes(this.#media.folder);
    const began = performance.now();
    const expected = await expectedOfAccepted(database.prepareRead);
    const took = performance.now() - began;
    return { until: clock.steady() + Math.max(fresh, took * rest), free, expected };
  }

  #shortageFor({ free, expected }: Look, bytes: number): Shortage | null {
    const { config } = this.#context;
    if (config.mediaReserve > 0 && free !== null && free < config.mediaReserve + expected + bytes) {
      const neededBytes = config.mediaReserve + expected + bytes;
      return { limit: "disk", limitBytes: config.mediaReserve, freeBytes: free, neededBytes };
    }
    const quota = config.mediaQuota;
    const { bytes: used } = this.#media.usage();
    if (quota === null || !this.#media.isCounted || used + expected + bytes <= quota) return null;
    return { limit: "quota", limitBytes: quota, freeBytes: Math.max(0, quota - used), neededBytes: expected + bytes };
  }

  /** What can be removed makes room as the results come in. */
  async #canMakeRoomFor({ limit }: Shortage): Promise<boolean> {
    if (limit !== "quota" || this.#context.config.mediaOverQuota !== "remove") return false;
    return (await nextByQuota(this.#context)) !== null;
  }
}

const noStorage = "The server cannot use its media storage at the moment, so that nothing new is accepted.";

/** In a sentence, with the numbers. */
export function sayShortage({ limit, limitBytes, freeBytes: free, neededBytes }: Shortage): string {
  const wanted = sayBytes(limit === "disk" ? neededBytes - limitBytes : neededBytes);
  return limit === "disk"
    ? `The disk has ${sayBytes(free)} left, and ${sayBytes(neededBytes)} are needed: ${sayBytes(limitBytes)} in reserve (MEDIA_RESERVE) and ${wanted} for this request and what was accepted before.`
    : `Of the ${sayBytes(limitBytes)} for media (MEDIA_QUOTA) ${sayBytes(free)} are left, and ${wanted} are needed for this request and what was accepted before.`;
}

function explain(shortage: Shortage): SafelightError {
  const { limit, limitBytes, freeBytes: free, neededBytes } = shortage;
  return new SafelightError("storage_unavailable", sayShortage(shortage), {
    storage: { limit, limit_bytes: limitBytes, free_bytes: free, needed_bytes: neededBytes },
  });
}
