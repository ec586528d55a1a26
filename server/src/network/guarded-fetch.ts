/**
 * The only way out of this server to a worker. One transport belongs to one account and reaches one origin: addresses are checked when
 * the connection is made, redirects are refused, proxies of the environment are not used, certificates are always verified, and an
 * answer is bounded in time and size.
 */
import * as http from "node:http";
import * as https from "node:https";
import { isIP } from "node:net";
import type { Readable } from "node:stream";
import { createCheckedLookup, type DestinationRules, hostOf, parseDestination, type Resolve } from "./destination.ts";
import { explainFailure } from "./explain-failure.ts";
import { answerOf } from "./guarded-answer.ts";
import { TransportError } from "./transport-error.ts";

export interface GuardedRequest {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent once; everything else may be sent again when a kept connection turns out to be closed. */
  readonly body?: string | Uint8Array | Readable;
  readonly signal?: AbortSignal;
  /** Milliseconds until the last byte of the answer. 30,000 unless told. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds in which something must move while we wait for it; a reader that takes its time is not held against the worker. 30,000
   * unless told, and never more than `timeoutMs`.
   */
  readonly idleMs?: number;
  /** Bytes of an answer's body at most. 1 MiB unless told. */
  readonly maxBytes?: number;
}

/**
 * As `fetch`, for URLs of one origin. Rejects with a TransportError, or with the reason of the signal; reading a body that turns out to
 * be too large, too slow or cut short rejects in the same way. A body has to be read or cancelled, or it ends with the time limit.
 */
export type GuardedFetch = (url: string | URL, request?: GuardedRequest) => Promise<Response>;

export interface WorkerTransport {
  readonly fetch: GuardedFetch;
  /** Cuts every connection; calls under way fail. */
  close(): void;
}

export interface TransportOptions extends DestinationRules {
  /** Where the worker is; URLs of any other origin are refused. */
  readonly baseUrl: string;
  /** Stands in for the system's resolver in tests. */
  readonly resolve?: Resolve;
  /** Connections at most; calls beyond wait for one, ten seconds at most. 64 unless told. */
  readonly connections?: number;
}

const connectTimeout = 10_000;
const usualTimeout = 30_000;
const usualSize = 1024 * 1024;

/** Opens nothing yet. Errors: TransportError `bad_url`, `plain_http`, `address_refused`. */
export function openWorkerTransport(options: TransportOptions): WorkerTransport {
  const base = parseDestination(options.baseUrl, options);
  const lookup = createCheckedLookup(options, options.resolve);
  const isHttps = base.protocol === "https:";
  const kept = { keepAlive: true, maxSockets: options.connections ?? 64, maxFreeSockets: 8, timeout: 60_000 };
  // Said outright, as a variable of the environment could switch the check off for the whole process.
  const agent = isHttps ? new https.Agent({ ...kept, rejectUnauthorized: true }) : new http.Agent(kept);
  const connection = { agent, ...(isIP(hostOf(base)) > 0 ? {} : { lookup }) };

  const send = (url: URL, request: GuardedRequest): Promise<Response> =>
    exchange((handlers) => (isHttps ? https : http).request(url, { ...connection, ...handlers }), url, request);

  return {
    fetch: async (target, request = {}) => {
      request.signal?.throwIfAborted();
      const url = checkTarget(base, target);
      try {
        return await send(url, request);
      } catch (error) {
        if (!(error instanceof StaleConnection)) throw error;
        return send(url, request);
      }
    },
    close: () => agent.destroy(),
  };
}

function checkTarget(base: URL, target: string | URL): URL {
  const url = URL.parse(String(target));
  if (url === null || url.origin !== base.origin || url.username !== "" || url.password !== "") {
    throw new TransportError("bad_url", `Only addresses of ${base.host} are called through this account.`);
  }
  return url;
}

/** A kept connection was closed by the worker as the request went out; nothing was answered. */
class StaleConnection extends Error {}

type Begin = (options: http.RequestOptions) => http.ClientRequest;

function exchange(begin: Begin, url: URL, request: GuardedRequest): Promise<Response> {
  const { timeoutMs = usualTimeout, maxBytes = usualSize, body } = request;
  const idleMs = Math.min(request.idleMs ?? usualTimeout, timeoutMs);
  const isStream = body !== undefined && typeof body !== "string" && !(body instanceof Uint8Array);
  return new Promise((resolve, reject) => {
    const headers = headersOf(request, isStream);
    const outgoing = begin({ method: request.method ?? "GET", headers, maxHeaderSize: 16_384 });
    let answered: http.IncomingMessage | undefined;
    const end = (reason: unknown): void => {
      (answered ?? outgoing).destroy(reason instanceof Error ? reason : new Error("the call was given up"));
    };
    const giveUp = (what: string) => () => end(new TransportError("timed_out", `${url.host} ${what}.`));
    const whole = setTimeout(giveUp(`did not answer within ${timeoutMs} ms`), timeoutMs);
    const connecting = setTimeout(giveUp("could not be connected to in time"), Math.min(connectTimeout, timeoutMs));
    const abort = (): void => end(request.signal?.reason);
    request.signal?.addEventListener("abort", abort, { once: true });
    const finished = (): void => {
      clearTimeout(whole);
      clearTimeout(connecting);
      request.signal?.removeEventListener("abort", abort);
    };
    outgoing.setTimeout(idleMs, giveUp("fell silent"));
    outgoing.on("socket", (socket) => {
      const connected = (): void => clearTimeout(connecting);
      if (socket.connecting) socket.once(url.protocol === "https:" ? "secureConnect" : "connect", connected);
      else connected();
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => {
      finished();
      if (isStream) body.destroy();
      const isStale = outgoing.reusedSocket && answered === undefined && !isStream && isHungUp(error);
      reject(isStale ? new StaleConnection() : explainFailure(error, url, request.signal));
    });
    outgoing.on("response", (incoming) => {
      answered = incoming;
      incoming.once("close", finished);
      // From here on the body counts for itself: a socket is silent, too, while nobody reads.
      outgoing.setTimeout(0);
      try {
        resolve(answerOf(incoming, { url, maxBytes, idleMs, signal: request.signal }));
      } catch (error) {
        incoming.destroy();
        reject(error as Error);
      }
    });
    if (isStream) {
      body.once("error", (error) => outgoing.destroy(error));
      body.pipe(outgoing);
    } else outgoing.end(body);
  });
}

function isHungUp({ code }: NodeJS.ErrnoException): boolean {
  return code === "ECONNRESET" || code === "EPIPE";
}

function headersOf(request: GuardedRequest, isStream: boolean): Record<string, string> {
  const headers: Record<string, string> = { "user-agent": "safelight", ...lowerCase(request.headers ?? {}) };
  // A packed answer could unpack to any size.
  headers["accept-encoding"] = "identity";
  if (request.body !== undefined && !isStream) {
    headers["content-length"] = String(Buffer.byteLength(request.body as string | Uint8Array));
  }
  return headers;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
