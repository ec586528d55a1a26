import type { Context } from "../context/context.ts";
import type { EventFeed, EventSignal, EventType, PublishedEvent } from "../context/event-hub.ts";
import { eventLogEnds } from "../context/event-log.ts";
import { channels } from "./channels.ts";

type Parts = Pick<Context, "database" | "hub" | "log">;

/** Milliseconds. Whatever was not heard of is found by then. */
const LOOKS_EVERY = 2000;
/** Others may commit hundreds of times in a second: they are looked for no more often than this. */
const APART = 10;
/** Events that are read at one go. */
const PORTION = 500;

/**
 * Publishes what is in the log of events to those who listen at this gateway: what was committed here and at others, each event once, in
 * the order of the log. Resolves when it has begun, at the end of the log; answers how to stop. Does nothing where no other gateway writes.
 */
export async function startEventFeed(parts: Parts, looksEvery = LOOKS_EVERY): Promise<() => Promise<void>> {
  if (!parts.database.shared) return async () => undefined;
  const feed = new RunningFeed(parts, looksEvery);
  await feed.begin();
  return () => feed.stop();
}

class RunningFeed implements EventFeed {
  readonly #parts: Parts;
  readonly #looksEvery: number;
  readonly #ends: (() => void)[] = [];
  /** Ids that were given out here and are not published yet, those that a rollback took among them. */
  readonly #own = new Set<number>();
  #heard = 0;
  /** The end of the log may lie before what was published. */
  #isInDoubt = false;
  #reading: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #lastRead = 0;
  #stopped = false;

  constructor(parts: Parts, looksEvery: number) {
    this.#parts = parts;
    this.#looksEvery = looksEvery;
  }

  async begin(): Promise<void> {
    const { database, hub } = this.#parts;
    this.#heard = (await eventLogEnds(database.prepareRead)).head;
    const unlisten = database.listen(channels.events, (text) => {
      if (text === null) this.#isInDoubt = true;
      this.#readSoon();
    });
    this.#ends.push(hub.feedFrom(this), unlisten);
    this.#lookLater();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const end of this.#ends) end();
    clearTimeout(this.#timer);
    clearTimeout(this.#soon);
    await this.#next;
    await this.#reading;
  }

  expect(id: number): void {
    this.#own.add(id);
  }

  /** Ids are given in the order of commits: the one that follows what was published has nothing unread before it. */
  committed(event: PublishedEvent): Promise<void> | void {
    const { id } = event;
    if (id === null || id === this.#heard + 1) {
      this.#heard = id ?? this.#heard;
      if (id !== null) this.#own.delete(id);
      return this.#parts.hub.publish(event);
    }
    if (id <= this.#heard && !this.#isInDoubt) return;
    this.#own.add(id);
    return this.#read();
  }

  reach(id: number): Promise<void> | void {
    if (id > this.#heard) return this.#read();
  }

  #readSoon(): void {
    if (this.#soon !== undefined || this.#stopped) return;
    const pause = Math.max(0, this.#lastRead + APART - performance.now());
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      void this.#read();
    }, pause).unref();
  }

  #lookLater(): void {
    clearTimeout(this.#timer);
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#read(), this.#looksEvery).unref();
  }

  /** Resolves when a reading that begins after this call has ended; one serves all who ask meanwhile. Never rejects. */
  #read(): Promise<void> {
    this.#next ??= (this.#reading ?? Promise.resolve()).then(() => {
      this.#next = undefined;
      this.#reading = this.#readOn();
      return this.#reading;
    });
    return this.#next;
  }

  async #readOn(): Promise<void> {
    this.#lastRead = performance.now();
    try {
      if (this.#isInDoubt) await this.#examine();
      while (!this.#stopped && (await this.#publishPortion()));
    } catch (error) {
      // Whoever looks after the database tells of it; what was missed is read when it is well again.
      this.#parts.log.debug("the log of events could not be read", { error });
    }
    this.#lookLater();
  }

  /** Whether there may be more. */
  async #publishPortion(): Promise<boolean> {
    const { database, hub } = this.#parts;
    const after = this.#heard;
    const rows = await database
      .prepareRead(
        `SELECT log.id, log.task_id, log.type, log.data, log.signal FROM events AS log WHERE log.id > ? ORDER BY log.id LIMIT ${PORTION}`,
      )
      .all(after);
    const first = Number(rows[0]?.id ?? after + 1);
    // Ids have gaps where work was taken back as well.
    if (first > after + 1 && (await eventLogEnds(database.prepareRead)).floor > after) this.#skip(first - 1);
    for (const row of rows) {
      const id = Number(row.id);
      // It may have been committed here and published while this was read.
      if (id <= this.#heard) continue;
      this.#heard = id;
      const isOwn = this.#own.delete(id);
      hub.publish({
        id,
        taskId: String(row.task_id),
        type: String(row.type) as EventType,
        data: String(row.data),
        signal: String(row.signal) as EventSignal,
        ...(isOwn ? {} : { elsewhere: true }),
      });
    }
    // What was given out before and is not in the log was taken back.
    for (const id of this.#own) if (id <= this.#heard) this.#own.delete(id);
    return rows.length === PORTION;
  }

  /** After an interruption it may be a database that was put back to an earlier state, or one to which not everything had come. */
  async #examine(): Promise<void> {
    this.#isInDoubt = false;
    const { head } = await eventLogEnds(this.#parts.database.prepareRead).catch((error: unknown) => {
      this.#isInDoubt = true;
      throw error;
    });
    if (head < this.#heard) this.#skip(head);
  }

  #skip(to: number): void {
    this.#heard = to;
    this.#own.clear();
    this.#parts.hub.missed();
  }
}
