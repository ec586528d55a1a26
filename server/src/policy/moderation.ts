/**
 * A service outside that judges prompts as well. It is asked like a worker: checked addresses, no redirects, bounded time and size, and
 * nothing of its answer is believed but yes, no and the name of a rule.
 */
import type { Config } from "../config.ts";
import { StartupError } from "../errors.ts";
import type { Resolve } from "../network/destination.ts";
import { openWorkerTransport, type WorkerTransport } from "../network/guarded-fetch.ts";
import { TransportError } from "../network/transport-error.ts";

export interface ModerationQuestion {
  readonly prompt: string;
  readonly negative_prompt: string;
  readonly model: string;
  readonly mode: string;
  readonly type: string;
}

export type Verdict =
  | { readonly allowed: true }
  | { readonly allowed: false; readonly rule: string }
  /** Nobody knows. `reason` says why, for operators, and holds nothing of the answer. */
  | { readonly allowed: null; readonly reason: string };

const largestAnswer = 64 * 1024;

export class ModerationService {
  readonly #url: string;
  readonly #secret: string | null;
  readonly #timeoutMs: number;
  readonly #transport: WorkerTransport;

  /** Throws a StartupError where the address is none that may be called. */
  constructor(
    settings: NonNullable<Config["moderation"]>,
    workerNetworks: readonly string[],
    options: { readonly resolve?: Resolve } = {},
  ) {
    this.#url = settings.url;
    this.#secret = settings.secret;
    this.#timeoutMs = settings.timeoutMs;
    try {
      const baseUrl = new URL(settings.url).origin;
      this.#transport = openWorkerTransport({
        baseUrl,
        workerNetworks,
        allowPlainHttp: false,
        connections: 16,
        ...options,
      });
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      throw new StartupError(`MODERATION_URL: ${error.message}`, error);
    }
  }

  /** What goes wrong is a verdict too; rejects with the reason of the signal alone. */
  async ask(question: ModerationQuestion, signal?: AbortSignal): Promise<Verdict> {
    try {
      const answer = await this.#transport.fetch(this.#url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          accept: "application/json",
          ...(this.#secret === null ? {} : { authorization: `Bearer ${this.#secret}` }),
        },
        body: JSON.stringify(question),
        timeoutMs: this.#timeoutMs,
        idleMs: this.#timeoutMs,
        maxBytes: largestAnswer,
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.status !== 200) {
        await answer.body?.cancel();
        return { allowed: null, reason: `it answered the status ${answer.status}` };
      }
      return readVerdict(await answer.text());
    } catch (error) {
      signal?.throwIfAborted();
      return { allowed: null, reason: error instanceof TransportError ? `it was ${error.reason}` : "it failed" };
    }
  }

  close(): void {
    this.#transport.close();
  }
}

function readVerdict(text: string): Verdict {
  const answer = parse(text);
  const { allowed, rule } = (typeof answer === "object" && answer !== null ? answer : {}) as Record<string, unknown>;
  if (allowed === true) return { allowed };
  if (allowed !== false) return { allowed: null, reason: "its answer has no allowed that is true or false" };
  return { allowed, rule: typeof rule === "string" && /^[a-z0-9-]{1,64}$/.test(rule) ? rule : "unnamed" };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
