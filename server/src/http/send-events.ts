/**
 * Server-sent events, written by hand: the protocol is a few lines of text, and what matters here is what no library does, back
 * pressure, ending with the credential, and ending with the server.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Installation } from "./installation.ts";
import { type Call, credentialOf } from "./register.ts";

/** A line that means nothing, so that proxies and clients see that the connection lives. */
const heartbeat = 15_000;
/** A reader that takes nothing for this long is gone or asleep; it can come back with Last-Event-ID. */
const longestStall = 30_000;

export interface SentEvent {
  /** What a client sends back as Last-Event-ID; null for an event that does not move its place. */
  readonly id: number | null;
  readonly type: string;
  /** JSON text. */
  readonly data: string;
}

/** Answers with a stream until `open` has no more, the reader is gone, its credential has ended or the server stops. */
export async function sendEvents(
  installation: Installation,
  call: Call,
  open: (signal: AbortSignal) => AsyncIterable<SentEvent>,
): Promise<void> {
  const { reply, request } = call;
  const over = new AbortController();
  const end = () => over.abort();
  const forget = installation.streams.track(credentialOf(call), end);
  installation.stopping.addEventListener("abort", end);
  if (installation.stopping.aborted) end();
  // Who left while the credential was looked up closes nothing any more.
  if (request.raw.socket.destroyed) end();
  request.raw.socket.once("close", end);
  reply.hijack();
  const output = reply.raw;
  output.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // nginx would hold events back until a buffer is full.
    "x-accel-buffering": "no",
  });
  output.flushHeaders();
  const beat = setInterval(() => {
    if (!output.writableNeedDrain) output.write(": still here\n\n");
  }, heartbeat);
  try {
    await copyEvents(output, open(over.signal), over.signal);
    output.end();
  } catch (error) {
    if (!over.signal.aborted) call.context.log.error("an event stream broke off", { error });
    output.destroy();
  } finally {
    clearInterval(beat);
    forget();
    installation.stopping.removeEventListener("abort", end);
    request.raw.socket.removeListener("close", end);
  }
}

async function copyEvents(output: ServerResponse, events: AsyncIterable<SentEvent>, over: AbortSignal): Promise<void> {
  // Sooner than a browser's own default, since a server that restarts is back within a second.
  output.write("retry: 1000\n\n");
  for await (const event of events) {
    if (over.aborted || output.destroyed) return;
    if (!output.write(formatEvent(event))) {
      await once(output, "drain", { signal: AbortSignal.any([over, AbortSignal.timeout(longestStall)]) });
    }
  }
}

/** One event on the wire. The data is JSON text and so has no line breaks of its own. */
export function formatEvent(event: SentEvent): string {
  const id = event.id === null ? "" : `id: ${event.id}\n`;
  return `${id}event: ${event.type}\ndata: ${event.data}\n\n`;
}

/**
 * The id that the listener has seen last. The header is what a browser sends when it reconnects by itself; the query is for one that
 * opens a stream anew. An id that is no number is none of ours, and a number too long for one lies beyond every event: both start over.
 */
export function lastEventIdOf(call: Call): number | undefined {
  const query = call.query as { readonly last_event_id?: string; readonly lastEventId?: string };
  const header = call.request.headers["last-event-id"];
  const text = (typeof header === "string" && header) || query.last_event_id || query.lastEventId || "";
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
