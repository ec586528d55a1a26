import type { Context } from "../context/context.ts";

export interface Following {
  readonly channels: readonly string[];
  /** Reads all of it again; whatever is called later sees what was read. */
  readonly read: () => Promise<void>;
  /** How long a change may go unnoticed where no word of it came, in milliseconds. */
  readonly every: number;
  /** What is read, for the log. */
  readonly what: string;
  /** Takes a word that asks for something else than reading; answers false where it does not. */
  readonly otherwise?: (text: string) => boolean;
}

/** After a read that failed, in milliseconds. */
const retryAfter = 250;

/**
 * Keeps up to date what a gateway has in memory and others on its database change: it reads at once when it hears of a change, and now and
 * then where it did not. Does nothing where the database is not shared.
 */
export class Follower {
  readonly #context: Pick<Context, "database" | "log">;
  readonly #following: Following;
  readonly #stopListening: readonly (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #isDue = false;
  #isUpToDate = true;
  #stopped = false;

  /** What was changed between the first read and now is read at once. */
  constructor(context: Pick<Context, "database" | "log">, following: Following) {
    this.#context = context;
    this.#following = following;
    const { database } = context;
    this.#stopListening = following.channels.map((channel) => database.listen(channel, (text) => this.#hear(text)));
    if (database.shared) void this.look();
  }

  /** False while something may have been changed that is not known here yet, as nothing could be heard or read. */
  get isUpToDate(): boolean {
    return this.#isUpToDate;
  }

  /** Resolves when what was on disk at the call was read, or could not be. */
  look(): Promise<void> {
    this.#isDue = true;
    this.#reading ??= this.#readWhileDue().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    for (const stop of this.#stopListening) stop();
    await this.#reading;
  }

  #hear(text: string | null): void {
    if (text === null) this.#isUpToDate = false;
    else if (this.#following.otherwise?.(text) === true) return;
    void this.look();
  }

  async #readWhileDue(): Promise<void> {
    clearTimeout(this.#timer);
    let isGood = true;
    while (this.#isDue && !this.#stopped) {
      this.#isDue = false;
      isGood = await this.#read();
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.look(), isGood ? this.#following.every : retryAfter).unref();
  }

  async #read(): Promise<boolean> {
    const { read, what } = this.#following;
    try {
      await read();
      if (!this.#isDue) this.#isUpToDate = true;
      return true;
    } catch (error) {
      if (this.#isUpToDate) this.#context.log.warn("what other gateways have changed cannot be read", { what, error });
      this.#isUpToDate = false;
      return false;
    }
  }
}
