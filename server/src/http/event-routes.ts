/**
 * Server-sent events, written by hand: the protocol is a few lines of text, and what matters here is what no library does, back
 * pressure, ending with the credential, and ending with the server.
 */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { routes } from "@safelight/contract";
import type { StreamEvent } from "../events/follow.ts";
import { openEventStream, type StreamOptions } from "../tasks/event-stream.ts";
import { getTask } from "../tasks/get.ts";
import type { Installation } from "./installation.ts";
import { type Call, credentialOf, type Registrar, register } from "./register.ts";
import { parseTaskId } from "./task-id.ts";

/** A line that means nothing, so that proxies and clients see that the connection lives. */
const heartbeat = 15_000;
/** A reader that takes nothing for this long is gone or asleep; it can come back with Last-Event-ID. */
const longestStall = 30_000;

interface EventsQuery {
  readonly last_event_id?: string;
  readonly lastEventId?: string;
}

export function registerEventRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  register<EventsQuery>(registrar, routes.allEvents, (call) => stream(installation, call, undefined), { head: "none" });
  register<EventsQuery>(
    registrar,
    routes.taskEvents,
    async (call) => {
      // Asked before the stream opens: an unknown task is a 404, not an empty stream.
      const { id } = await getTask(call.context, await parseTaskId(call.context, call.id));
      return stream(installation, call, id);
    },
    { head: "none" },
  );
}

async function stream(installation: Installation, call: Call<EventsQuery>, taskId: string | undefined): Promise<void> {
  const { reply, request } = call;
  const over = new AbortController();
  const end = () => over.abort();
  const forget = installation.streams.track(credentialOf(call), end);
  installation.stopping.addEventListener("abort", end);
  if (installation.stopping.aborted) end();
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
    await copyEvents(output, openEventStream(call.context, streamOptions(call, taskId, over.signal)), over.signal);
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

async function copyEvents(
  output: ServerResponse,
  events: AsyncIterable<StreamEvent>,
  over: AbortSignal,
): Promise<void> {
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
export function formatEvent(event: StreamEvent): string {
  const id = event.id === null ? "" : `id: ${event.id}\n`;
  return `${id}event: ${event.type}\ndata: ${event.data}\n\n`;
}

// The header is what a browser sends when it reconnects by itself; the query is for one that opens a stream anew.
function streamOptions(call: Call<EventsQuery>, taskId: string | undefined, signal: AbortSignal): StreamOptions {
  const header = call.request.headers["last-event-id"];
  const text = (typeof header === "string" && header) || call.query.last_event_id || call.query.lastEventId || "";
  // An id that is no number is none of ours, and a number too long for one lies beyond every event: both start over.
  const lastEventId = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return { signal, ...(taskId === undefined ? {} : { taskId }), ...(lastEventId === undefined ? {} : { lastEventId }) };
}
