/**
 * Follows an event stream over any number of connections. What was missed while a connection was down is replayed by the
 * server after `Last-Event-ID`; a line that stays silent longer than the server's comments allow is taken for dead.
 */
import { ApiError } from "./client-error.ts";
import type { DeploymentEvent } from "./schemas/deployments.ts";
import type { EventType, ServerEvent } from "./schemas/events.ts";

export interface EventsOptions {
  /** One task or deployment; without it every task. */
  readonly id?: string;
  /** Begin after this event. */
  readonly lastEventId?: number;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
  /** First wait before a new connection, doubled up to 15 s while it fails. 1000 ms unless told. */
  readonly retryMs?: number;
  /** Silence after which a connection counts as dead. 45,000 ms unless told: three comments of the server. */
  readonly silenceMs?: number;
}

interface StreamCall {
  readonly path?: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}
type StreamRoute = "taskEvents" | "allEvents" | "deploymentEvents";
type SendStream = (name: StreamRoute, call: StreamCall) => Promise<Response>;

/** What tells one kind of stream from another. */
interface Stream {
  readonly route: StreamRoute;
  /** Names of the events that are passed on. */
  readonly known: ReadonlySet<string>;
  /** Whether nothing comes after it. */
  readonly isLast: (event: AnyEvent) => boolean;
}

interface AnyEvent {
  readonly id: number | null;
  readonly type: string;
  readonly data: unknown;
}

const longestWait = 15_000;
const taskEvents: ReadonlySet<string> = new Set<EventType>([
  "task.updated",
  "task.preview",
  "task.deleted",
  "task.favourite",
  "stream.reset",
]);

/**
 * Yields events in order, over as many connections as it takes. Throws `ApiError` when the server refuses for good (a
 * wrong key, no such task); a server that is away is waited for.
 */
export function followEvents(send: SendStream, options: EventsOptions): AsyncGenerator<ServerEvent, undefined> {
  const { id } = options;
  const stream: Stream =
    id === undefined
      ? { route: "allEvents", known: taskEvents, isLast: () => false }
      : { route: "taskEvents", known: taskEvents, isLast: (event) => endsTask(event as ServerEvent) };
  return follow(send, stream, options) as AsyncGenerator<ServerEvent, undefined>;
}

const deploymentEvents: ReadonlySet<string> = new Set<DeploymentEvent["type"]>([
  "deployment.log",
  "deployment.updated",
]);

/** The same for one deployment: its log from the line after `lastEventId`, until it has ended. */
export function followDeployment(
  send: SendStream,
  options: EventsOptions & { readonly id: string },
): AsyncGenerator<DeploymentEvent, undefined> {
  const stream: Stream = {
    route: "deploymentEvents",
    known: deploymentEvents,
    isLast: (event) => endsDeployment(event as DeploymentEvent),
  };
  return follow(send, stream, options) as AsyncGenerator<DeploymentEvent, undefined>;
}

async function* follow(send: SendStream, stream: Stream, options: EventsOptions): AsyncGenerator<AnyEvent, undefined> {
  const { id, retryMs = 1000, silenceMs = 45_000 } = options;
  const wanted = options.signal ?? new AbortController().signal;
  let lastEventId = options.lastEventId;
  let failures = 0;
  while (!wanted.aborted) {
    let wait = Math.min(retryMs * 2 ** failures, longestWait);
    failures = Math.min(failures + 1, 10);
    const line = openLine(wanted, silenceMs);
    try {
      const response = await send(stream.route, callOf(id, lastEventId, line.signal));
      for await (const event of readEvents(response, line, stream.known)) {
        failures = 0;
        if (event.id !== null) lastEventId = event.id;
        yield event;
        if (stream.isLast(event)) return;
      }
      wait = line.retryMs ?? retryMs;
    } catch (error) {
      if (wanted.aborted) return;
      if (error instanceof ApiError && !mayPass(error)) throw error;
      if (error instanceof ApiError && error.retryAfter !== null) wait = error.retryAfter * 1000;
    } finally {
      line.close();
    }
    await pause(wait, wanted);
  }
}

function callOf(id: string | undefined, lastEventId: number | undefined, signal: AbortSignal): StreamCall {
  return {
    ...(id === undefined ? {} : { path: { id } }),
    headers: {
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }),
    },
    signal,
  };
}

/** One connection: ended by its owner's signal, by silence, or by `close`. */
interface Line {
  readonly signal: AbortSignal;
  /** What the server asked to wait before the next connection. */
  retryMs: number | null;
  heard(): void;
  close(): void;
}

function openLine(owner: AbortSignal, silenceMs: number): Line {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  owner.addEventListener("abort", abort, { once: true });
  let watch = setTimeout(abort, silenceMs);
  return {
    signal: controller.signal,
    retryMs: null,
    heard() {
      clearTimeout(watch);
      watch = setTimeout(abort, silenceMs);
    },
    close() {
      clearTimeout(watch);
      owner.removeEventListener("abort", abort);
      abort();
    },
  };
}

async function* readEvents(
  response: Response,
  line: Line,
  known: ReadonlySet<string>,
): AsyncGenerator<AnyEvent, undefined> {
  if (response.body === null) return;
  const events: AnyEvent[] = [];
  // Comes with the first stream: a page is drawn before one is open.
  const { createParser } = await import("eventsource-parser");
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      const content = known.has(event ?? "") ? contentOf(data) : undefined;
      if (content !== undefined) events.push({ id: numberOf(id), type: event ?? "", data: content });
    },
    onRetry: (ms) => {
      line.retryMs = ms;
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    line.heard();
    parser.feed(decoder.decode(value, { stream: true }));
    yield* events.splice(0);
  }
}

/** Undefined for what is not JSON: passed over like a type that a newer server sends, so that it cannot stop the rest. */
function contentOf(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

function numberOf(id: string | undefined): number | null {
  return id !== undefined && /^\d+$/.test(id) ? Number(id) : null;
}

function endsTask(event: ServerEvent): boolean {
  if (event.type === "task.deleted") return true;
  return event.type === "task.updated" && hasEnded(event.data);
}

function endsDeployment(event: DeploymentEvent): boolean {
  return event.type === "deployment.updated" && hasEnded(event.data);
}

function hasEnded({ status }: { readonly status: string }): boolean {
  return status === "done" || status === "failed";
}

/** Whether the refusal may pass by itself: the server is busy or restarting. */
function mayPass({ status }: ApiError): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
