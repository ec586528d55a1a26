import type { Context } from "../context/context.ts";
import type { EventType, PublishedEvent } from "../context/event-hub.ts";
import { eventLogEnds } from "../context/event-log.ts";
import type { Prepare } from "../database/database.ts";
import { readEvents } from "./log.ts";

/** One message of an event stream. */
export interface StreamEvent {
  /** Place in the log; what a client sends back as Last-Event-ID. Null for news that is not kept. */
  id: number | null;
  type: EventType | "stream.reset";
  /** JSON text. */
  data: string;
}

export interface FollowOptions {
  /** One task only. */
  taskId?: string;
  /** The last id that the listener has seen; nothing is replayed without it. */
  lastEventId?: number;
  signal: AbortSignal;
  /** What is true right now, in the state in which the place in the log is read. */
  snapshot: (prepare: Prepare) => Promise<readonly Omit<StreamEvent, "id">[]>;
  /** Like the snapshot, but told after the replay: what has ended must not end the stream before what was missed is told. */
  epilogue?: (prepare: Prepare) => Promise<readonly Omit<StreamEvent, "id">[]>;
}

const REPLAYED_AT_ONCE = 200;
// A listener that reads more slowly than things happen is not served from memory: past this it reads the log again.
const MAX_BUFFERED = 256;

/** Older than every log: who has seen nothing newer has missed what is gone. */
const BEFORE_EVERYTHING = -1;

/**
 * Snapshot, replay, live, without a gap and without a repetition between replay and live. Where the log no longer reaches what was missed,
 * `stream.reset` and a snapshot take its place, in the middle of a stream as well.
 *
 * The subscription begins first; then place in the log and snapshot are read in one state. Whatever is heard and stands in the log up to
 * that place was told by snapshot or replay and is passed over; everything after it will be heard, or has been already.
 */
export async function* followEvents(
  context: Context,
  options: FollowOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const { signal } = options;
  if (signal.aborted) return;
  const inbox = new Inbox(context, options.taskId, signal);
  try {
    let position = yield* tellState(context, options, inbox, options.lastEventId);
    while (!signal.aborted) {
      const { events, overflowed } = await inbox.take();
      for (const event of events) {
        if (event.id !== null && event.id <= position) continue;
        yield { id: event.id, type: event.type, data: event.data };
        if (signal.aborted) return;
        position = event.id ?? position;
      }
      if (!overflowed) continue;
      inbox.resume();
      position = yield* catchUp(context, options, inbox, position);
    }
  } finally {
    inbox.close();
  }
}

/** What is true now and what was missed since `seen`. Answers the place in the log up to which all is told. */
async function* tellState(
  context: Context,
  options: FollowOptions,
  inbox: Inbox,
  seen: number | undefined,
): AsyncGenerator<StreamEvent, number, undefined> {
  const { head, floor, snapshot, epilogue } = await context.database.read(async ({ prepare }) => ({
    ...(await eventLogEnds(prepare)),
    snapshot: await options.snapshot(prepare),
    epilogue: (await options.epilogue?.(prepare)) ?? [],
  }));
  inbox.forgetUnkept(head);
  const replays = seen !== undefined && seen >= floor && seen <= head;
  if (seen !== undefined && !replays) yield { id: head, type: "stream.reset", data: "{}" };
  for (const event of snapshot) {
    if (options.signal.aborted) return head;
    // While a replay is still to come, a snapshot must not move the client past it.
    yield { ...event, id: replays ? null : head };
  }
  if (replays && !(yield* readLog(context, options, seen, head)))
    return yield* tellState(context, options, inbox, BEFORE_EVERYTHING);
  for (const event of epilogue) {
    if (options.signal.aborted) return head;
    yield { ...event, id: head };
  }
  return head;
}

/** More happened than was kept in memory: the rest is read. Answers as above. */
async function* catchUp(
  context: Context,
  options: FollowOptions,
  inbox: Inbox,
  position: number,
): AsyncGenerator<StreamEvent, number, undefined> {
  const { head, floor } = await eventLogEnds(context.database.prepareRead);
  inbox.forgetUnkept(head);
  // A database that was put back to an earlier state has not reached this place yet.
  if (position >= floor && position <= head && (yield* readLog(context, options, position, head))) return head;
  return yield* tellState(context, options, inbox, BEFORE_EVERYTHING);
}

/** False where the log was cut before it could be read to its end. */
async function* readLog(
  context: Context,
  options: FollowOptions,
  from: number,
  upTo: number,
): AsyncGenerator<StreamEvent, boolean, undefined> {
  const taskId = options.taskId === undefined ? {} : { taskId: options.taskId };
  for (let after = from; ; ) {
    const events = await readEvents(context, { after, upTo, limit: REPLAYED_AT_ONCE, ...taskId });
    // It may have been cut since its ends were read, and what went before it was read here is not to be missed in silence.
    if ((await eventLogEnds(context.database.prepareRead)).floor > after) return false;
    for (const { id, type, data } of events) {
      if (options.signal.aborted) return true;
      yield { id, type: type as StreamEvent["type"], data };
      after = id;
    }
    if (events.length < REPLAYED_AT_ONCE) return true;
  }
}

/** Live events of one listener, bounded: when it overflows, the rest is to be read from the log. */
class Inbox {
  #buffer: PublishedEvent[] = [];
  #overflowed = false;
  /** The place of the newest state that was read. */
  #read = 0;
  #wake: (() => void) | undefined;
  readonly #unsubscribe: () => void;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => this.#wake?.();

  constructor(context: Context, taskId: string | undefined, signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#onAbort);
    const unsubscribe = context.hub.subscribe((event) => {
      if (taskId === undefined || event.taskId === taskId) this.#push(event);
    });
    const unhear = context.hub.onMissed(() => {
      this.#overflowed = true;
      this.#wake?.();
    });
    this.#unsubscribe = () => {
      unsubscribe();
      unhear();
    };
  }

  /** Waits for something to happen. `overflowed`: more happened than is here. */
  async take(): Promise<{ events: readonly PublishedEvent[]; overflowed: boolean }> {
    if (this.#buffer.length === 0 && !this.#overflowed && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const events = this.#buffer;
    this.#buffer = [];
    return { events, overflowed: this.#overflowed };
  }

  /** Goes on listening; called before the end of the log is read. */
  resume(): void {
    this.#overflowed = false;
    this.#buffer = [];
  }

  /**
   * Of news that stands in no log, what is older than a state that was read goes: heard while it was read, or later. Where several gateways
   * write, the database is ahead of what is heard here.
   */
  forgetUnkept(head: number): void {
    this.#read = head;
    this.#buffer = this.#buffer.filter((event) => !this.#isOutdated(event));
  }

  close(): void {
    this.#unsubscribe();
    this.#signal.removeEventListener("abort", this.#onAbort);
  }

  #isOutdated({ id, asOf = 0 }: PublishedEvent): boolean {
    return id === null && asOf < this.#read;
  }

  #push(event: PublishedEvent): void {
    if (this.#isOutdated(event)) return;
    // Once overflowed nothing is gathered until the log has been read: order would be lost otherwise.
    if (this.#overflowed) return;
    if (this.#buffer.length < MAX_BUFFERED) this.#buffer.push(event);
    else this.#overflowed = true;
    this.#wake?.();
  }
}
