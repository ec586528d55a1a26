import type { Log } from "../log.ts";
import { S3Fault } from "./s3-fault.ts";

export interface ConditionOptions {
  /** Where it is, in words for the log. */
  readonly place: string;
  readonly log: Log;
  /** Stores, reads and removes something; rejects with an S3Fault. */
  readonly probe: () => Promise<void>;
  /** Milliseconds between two probes while something is wrong. */
  readonly probeEvery: number;
}

/** A server that does not answer is given this long before nothing new is begun; in milliseconds. */
const patience = 60_000;

/** Whether the bucket can be used, as far as the last calls tell. Once it cannot, it is tried now and then until it can. */
export class S3Condition {
  readonly #options: ConditionOptions;
  #fault: { readonly sentence: string; readonly since: number; readonly passes: boolean } | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: ConditionOptions) {
    this.#options = options;
  }

  fault(): string | null {
    return this.#fault?.sentence ?? null;
  }

  refusal(): string | null {
    const fault = this.#fault;
    if (fault === null || (fault.passes && performance.now() - fault.since < patience)) return null;
    return fault.sentence;
  }

  /** A call has failed for good. */
  failed(error: unknown): void {
    if (!(error instanceof S3Fault) || this.#isClosed) return;
    const { place, log } = this.#options;
    const sentence = `${place}: ${error.message}`;
    if (this.#fault?.sentence !== sentence)
      log.warn("the media storage cannot be used", { place, fault: error.message });
    this.#fault = { sentence, since: this.#fault?.since ?? performance.now(), passes: error.passes };
    this.#timer ??= this.#probeLater();
  }

  /** Something was stored. */
  worked(): void {
    if (this.#fault === null) return;
    const { place, log } = this.#options;
    const seconds = Math.round((performance.now() - this.#fault.since) / 1000);
    log.info("the media storage can be used again", { place, after_seconds: seconds });
    this.#fault = null;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #probeLater(): NodeJS.Timeout {
    return setTimeout(() => void this.#probe(), this.#options.probeEvery).unref();
  }

  async #probe(): Promise<void> {
    try {
      await this.#options.probe();
      this.worked();
    } catch (error) {
      this.#timer = undefined;
      this.failed(error);
    }
  }
}
