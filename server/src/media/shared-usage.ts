import type { Context } from "../context/context.ts";
import type { MediaUsage, MeteredMediaStore } from "./metered-media-store.ts";

/** How long it takes others at most to know what was stored here, in milliseconds. */
const exchangeInterval = 2000;
const key = "media.usage";

interface Known extends MediaUsage {
  /** When everything was counted last, wall milliseconds. */
  readonly countedAt: number;
}

/**
 * How much the media store of several gateways holds, in one row: each adds what it has changed and learns what all of them have come to,
 * so that a quota counts for the whole installation. What others change while everything is counted may be in the sum twice or not at all
 * until it is counted again.
 */
export class SharedUsage {
  readonly #context: Context;
  readonly #media: MeteredMediaStore;
  #counted: Known | null = null;
  #exchanging: Promise<void> = Promise.resolve();

  constructor(context: Context, media: MeteredMediaStore) {
    this.#context = context;
    this.#media = media;
  }

  /** Puts together what is known every two seconds. Answers how to end it; what was changed until then is told. */
  start(): () => Promise<void> {
    const timer = setInterval(() => void this.exchange(), exchangeInterval).unref();
    void this.exchange();
    return () => {
      clearInterval(timer);
      return this.exchange();
    };
  }

  /** When everything was counted last, by whichever gateway; null where never. */
  async countedAt(): Promise<number | null> {
    const row = await this.#context.database.prepareRead(readSql).get(key);
    return row === undefined ? null : parse(row.value).countedAt;
  }

  /** Counts every file; what is found takes the place of what was added up. */
  async count(signal: AbortSignal): Promise<void> {
    if (!(await this.#media.count(signal))) return;
    this.#counted = { ...this.#media.usage(), countedAt: this.#context.clock.now() };
    await this.exchange();
  }

  /** Never rejects: what cannot be told now is told later. */
  exchange(): Promise<void> {
    this.#exchanging = this.#exchanging.then(() => this.#exchange());
    return this.#exchanging;
  }

  async #exchange(): Promise<void> {
    const { database, log } = this.#context;
    const counted = this.#counted;
    const change = this.#media.takeUntold();
    try {
      const isNews = counted !== null || change.bytes !== 0 || change.files !== 0;
      const known = isNews ? await this.#tell(counted, change) : await this.#ask();
      if (this.#counted === counted) this.#counted = null;
      if (known !== null) this.#media.adopt(known);
    } catch (error) {
      this.#media.putBackUntold(change);
      if (database.isUsable()) log.warn("what is stored could not be put together with other gateways", { error });
    }
  }

  async #ask(): Promise<Known | null> {
    const row = await this.#context.database.prepareRead(readSql).get(key);
    return row === undefined ? null : parse(row.value);
  }

  /** Before everything was counted once there is nothing to add to: the count will find it. */
  #tell(counted: Known | null, change: MediaUsage): Promise<Known | null> {
    return this.#context.database.write(async ({ prepare }) => {
      const row = await prepare(readSql).get(key);
      const base = counted ?? (row === undefined ? null : parse(row.value));
      if (base === null) return null;
      const known = { ...base, bytes: base.bytes + change.bytes, files: base.files + change.files };
      await prepare(
        "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
      ).run(key, JSON.stringify(known));
      return known;
    });
  }
}

const readSql = "SELECT value FROM settings WHERE key = ?";

function parse(value: unknown): Known {
  return JSON.parse(String(value)) as Known;
}
