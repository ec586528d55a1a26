import type { Context } from "../context/context.ts";
import { channels } from "../gateways/channels.ts";
import type { SecretBook } from "./secret-book.ts";

/** How long a change elsewhere may go unnoticed where no word of it came, in milliseconds; less than the five seconds that are promised. */
const lookInterval = 4000;
/** After a read that failed. */
const retryAfter = 250;

/**
 * Has a gateway hear at once what others on its database change in secrets and API keys: what was revoked there is dead here, and streams
 * that were opened with it end. Where it may have missed something it looks itself, and until that look nobody is let in. Does nothing
 * where the database is not shared.
 */
export class FollowedSecrets {
  readonly #context: Pick<Context, "database" | "log">;
  readonly #book: SecretBook;
  readonly #stopListening: readonly (() => void)[];
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<void> | undefined;
  #isDue = false;
  #isUpToDate = true;
  #stopped = false;

  constructor(book: SecretBook) {
    this.#book = book;
    this.#context = book.parts.context;
    const { database } = this.#context;
    const heard = (text: string | null): void => {
      if (text === null) this.#isUpToDate = false;
      void this.look();
    };
    this.#stopListening = [channels.apiKeys, channels.secrets].map((channel) => database.listen(channel, heard));
    // What was changed between the first read and now.
    if (database.shared) void this.look();
  }

  /** False while something may have been revoked that is not known here yet. */
  get isUpToDate(): boolean {
    return this.#isUpToDate;
  }

  /** Reads all of it again; resolves when what was on disk at the call counts, or could not be read. */
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

  async #readWhileDue(): Promise<void> {
    clearTimeout(this.#timer);
    let isGood = true;
    while (this.#isDue && !this.#stopped) {
      this.#isDue = false;
      isGood = await this.#read();
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.look(), isGood ? lookInterval : retryAfter).unref();
  }

  async #read(): Promise<boolean> {
    try {
      await Promise.all([this.#book.apiKeys.reload(), this.#book.reload()]);
      if (!this.#isDue) this.#isUpToDate = true;
      return true;
    } catch (error) {
      if (this.#isUpToDate) {
        this.#context.log.error("what other gateways have changed in the secrets cannot be read: nobody is let in", {
          error,
        });
      }
      this.#isUpToDate = false;
      return false;
    }
  }
}
