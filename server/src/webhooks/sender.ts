import type { Context } from "../context/context.ts";
import { StartupError } from "../errors.ts";
import { channels } from "../gateways/channels.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import type { Resolve } from "../network/destination.ts";
import { openWorkerTransport, type WorkerTransport } from "../network/guarded-fetch.ts";
import { TransportError } from "../network/transport-error.ts";
import { dueMessages, endMessage, nextDue, type OutboxRow, postponeMessage } from "./outbox.ts";
import { signatureHeaders } from "./signature.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Pauses after each try that failed, milliseconds; after the last one the message is given up, some eight hours after the first try. */
export const retryPauses: readonly number[] = [
  5 * second,
  30 * second,
  5 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
];
/** Pauses are stretched by up to this share, so that many messages do not come back all at once. */
const jitter = 0.2;
const answerTimeout = 15 * second;
/** Timers of Node are not made for hours, and the clock may be set: looked at again at the latest after this long. */
const longestSleep = minute;
const atOnce = 8;

export interface SenderOptions {
  /** Stand in for the real pauses in tests. */
  readonly pauses?: readonly number[];
  readonly resolve?: Resolve;
}

export interface WebhookSender {
  /** Messages may have been left. */
  wake(): void;
  /** Ends calls under way; what has not arrived is sent by the next start. */
  stop(): Promise<void>;
}

/**
 * Sends what stands in the outbox, from this start and from earlier ones, until it has arrived: any answer of the 200s. Each message
 * carries one id through all tries, since a receiver may get it twice. 410 gives it up at once. Does nothing where no address is set. Of
 * several gateways one sends, whoever has left the message. Errors: StartupError for an address that is none.
 */
export function startWebhookSender(context: Context, options: SenderOptions = {}): WebhookSender {
  const { webhook } = context.config;
  if (webhook === null) return { wake: () => undefined, stop: async () => undefined };
  // Every gateway may come to send.
  openTransport(context, webhook.url, options.resolve).close();
  let sender: RunningSender | undefined;
  const wake = (): void => sender?.wake();
  const unlisten = context.database.listen(channels.webhooks, wake);
  const stopLeading = whileLeading(context, () => {
    const begun = new RunningSender(context, webhook, options);
    sender = begun;
    begun.wake();
    return () => {
      sender = undefined;
      return begun.stop();
    };
  });
  return {
    wake,
    stop: async () => {
      unlisten();
      await stopLeading();
    },
  };
}

function openTransport(context: Context, url: string, resolve: Resolve | undefined): WorkerTransport {
  try {
    return openWorkerTransport({
      baseUrl: new URL(url).origin,
      workerNetworks: context.config.workerNetworks,
      allowPlainHttp: false,
      ...(resolve === undefined ? {} : { resolve }),
    });
  } catch (error) {
    if (error instanceof TransportError) throw new StartupError(`WEBHOOK_URL: ${error.message}`, error);
    throw error;
  }
}

function isRejected(ended: PromiseSettledResult<void>): ended is PromiseRejectedResult {
  return ended.status === "rejected";
}

class RunningSender {
  readonly #context: Context;
  readonly #webhook: { readonly url: string; readonly secret: string };
  readonly #transport: WorkerTransport;
  readonly #pauses: readonly number[];
  readonly #stopping = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | null = null;
  #again = false;

  constructor(
    context: Context,
    webhook: { readonly url: string; readonly secret: string },
    { pauses = retryPauses, resolve }: SenderOptions,
  ) {
    this.#context = context;
    this.#webhook = webhook;
    this.#pauses = pauses;
    this.#transport = openTransport(context, webhook.url, resolve);
  }

  wake(): void {
    this.#again = true;
    if (this.#working !== null || this.#stopping.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#working = this.#work().finally(() => {
      this.#working = null;
      if (this.#again) this.wake();
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    this.#again = false;
    await this.#working;
    this.#transport.close();
  }

  async #work(): Promise<void> {
    this.#again = false;
    try {
      for (let due = await this.#due(); due.length > 0; due = await this.#due()) {
        // All of them are waited for: what is still on its way would be sent a second time, and a stop would not know of it.
        const failed = (await Promise.allSettled(due.map((row) => this.#send(row)))).find(isRejected);
        if (failed !== undefined) throw failed.reason;
      }
    } catch (error) {
      this.#context.log.error("webhooks could not be sent; it is tried again", { error });
    }
    // Still part of the work: whoever wakes us while the next time is looked up is heard after it.
    if (!this.#again) await this.#sleep();
  }

  async #due(): Promise<OutboxRow[]> {
    return this.#stopping.signal.aborted ? [] : await dueMessages(this.#context, atOnce);
  }

  async #sleep(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    let due: number | null = null;
    try {
      due = await nextDue(this.#context);
    } catch {
      due = this.#context.clock.now() + longestSleep;
    }
    if (due === null || this.#stopping.signal.aborted) return;
    const pause = Math.min(longestSleep, Math.max(second / 10, due - this.#context.clock.now()));
    this.#timer = setTimeout(() => this.wake(), pause).unref();
  }

  async #send(row: OutboxRow): Promise<void> {
    const reason = await this.#try(row);
    // A call that the stop has cut says nothing: the message stays as it was.
    if (this.#stopping.signal.aborted && !/^2\d\d$/.test(reason)) return;
    const tried = { ...row, attempts: row.attempts + 1 };
    const pause = this.#pauses[row.attempts];
    const { log, database } = this.#context;
    if (/^2\d\d$/.test(reason)) {
      await database.write((tx) => endMessage(this.#context, tx, tried, { outcome: "success", reason }));
    } else if (pause === undefined || reason === "410") {
      log.error("a webhook is given up", { message: row.id, type: row.type, target: row.target, reason });
      await database.write((tx) => endMessage(this.#context, tx, tried, { outcome: "failure", reason }));
    } else {
      log.warn("a webhook did not arrive; it is tried again", { message: row.id, attempts: tried.attempts, reason });
      await postponeMessage(this.#context, row, Math.round(pause * (1 + Math.random() * jitter)));
    }
  }

  /** Status of the answer as text, or why there was none. */
  async #try(row: OutboxRow): Promise<string> {
    const headers = signatureHeaders(this.#webhook.secret, row.id, row.body, this.#context.clock.now());
    try {
      const response = await this.#transport.fetch(this.#webhook.url, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: row.body,
        timeoutMs: answerTimeout,
        maxBytes: 64 * 1024,
        signal: this.#stopping.signal,
      });
      await response.body?.cancel();
      return String(response.status);
    } catch (error) {
      return error instanceof TransportError ? error.reason : "failed";
    }
  }
}
