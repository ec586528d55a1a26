import type { Client } from "pg";
import type { Log } from "../../log.ts";
import { type ConnectionParts, clientConfig, connect, endInTime } from "./connect.ts";
import type { DatabaseClock } from "./database-clock.ts";
import { isWorrying, toFault } from "./faults.ts";

export interface WatchParts extends ConnectionParts {
  readonly log: Log;
  /** Number and checksum of the newest schema step that this release made or found. */
  readonly step: { readonly number: number; readonly checksum: string };
  /** Measured again at intervals, and on each new connection: it may lead to another server. */
  readonly clock: DatabaseClock;
  /** Cuts every connection: whoever waits on one of them is told at once. */
  readonly cut: () => void;
}

interface Look {
  read_only: string;
  checksum: string | null;
  /** Made by the first start of an installation, and never changed; null before. */
  installation: string | null;
}

/** Called with what was sent along; null where messages may have been missed, so that the listener looks for itself. */
export type Heard = (payload: string | null) => void;

/**
 * Knows whether the database can be relied on, and hears what other gateways say. It has a connection of its own, on which it listens and
 * asks at short intervals whether this is still the database that was opened, and whether it can be written. No answer in time is an
 * answer: then nobody is let in, every connection is cut, and it goes on asking until all is well again.
 */
export class PostgresWatch {
  readonly #parts: WatchParts;
  readonly #channels = new Map<string, Set<Heard>>();
  #client: Client | undefined;
  /** Of each connection, what it was asked last: it is asked one thing at a time. */
  readonly #asked = new WeakMap<Client, Promise<unknown>>();
  #isUsable = true;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** Something failed since the look under way has begun. */
  #again = false;
  /** What tells this installation from others, once it is known. */
  #installation: string | undefined;
  #closed = false;
  #recoveries = 0;

  constructor(parts: WatchParts) {
    this.#parts = parts;
    this.#lookAfter(parts.times.look);
  }

  get isUsable(): boolean {
    return this.#isUsable && !this.#closed;
  }

  /** How often it was found well again. */
  get recoveries(): number {
    return this.#recoveries;
  }

  /** Something failed elsewhere; whether it is the database itself is looked at now rather than later. */
  readonly suspect = (error: unknown): void => {
    // While it is known to be unwell it is looked at all the time.
    if (!isWorrying(error) || !this.isUsable) return;
    if (this.#looking !== undefined) this.#again = true;
    else void this.look();
  };

  /** Hears a channel, with null as soon as it has begun; the function that comes back ends it. Lasts when the connection is lost. */
  listen(channel: string, heard: Heard): () => void {
    const all = this.#channels.get(channel) ?? new Set();
    const isNew = all.size === 0;
    all.add(heard);
    this.#channels.set(channel, all);
    if (isNew) void this.#beginListening(channel);
    return () => {
      all.delete(heard);
      if (all.size > 0 || this.#channels.get(channel) !== all) return;
      this.#channels.delete(channel);
      const client = this.#client;
      if (client === undefined) return;
      this.#inTurn(client, () => client.query(`UNLISTEN ${quoted(channel)}`)).catch(() => undefined);
    };
  }

  /** What was said before it has begun is lost, as with an interruption. */
  async #beginListening(channel: string): Promise<void> {
    try {
      const client = this.#client;
      if (client === undefined) return;
      await this.#inTurn(client, () => client.query(`LISTEN ${quoted(channel)}`));
      this.#tell(channel, null);
    } catch {
      // The connection is gone; the next one listens to it from its beginning.
    }
  }

  #inTurn<T>(client: Client, ask: () => Promise<T>): Promise<T> {
    const answer = (this.#asked.get(client) ?? Promise.resolve()).then(ask);
    this.#asked.set(
      client,
      answer.catch(() => undefined),
    );
    return answer;
  }

  /** Looks now; settles when that look is over, whatever it found. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      if (this.#again) this.#lookAfter(0);
      this.#again = false;
    });
    return this.#looking;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#looking;
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await endInTime(client, this.#parts.times.answer);
  }

  #lookAfter(pause: number): void {
    if (this.#closed) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), pause).unref();
  }

  async #look(): Promise<void> {
    const { times } = this.#parts;
    clearTimeout(this.#timer);
    try {
      await inTime(this.#ask(), times.answer);
      this.#found(null);
    } catch (error) {
      this.#found(error);
    }
    this.#lookAfter(this.#isUsable ? times.look : times.retry);
  }

  async #ask(): Promise<void> {
    const isNew = this.#client === undefined;
    const client = (this.#client ??= await this.#connect());
    await this.#inTurn(client, () => this.#askOf(client, isNew));
    if (isNew) this.tellAll();
  }

  async #askOf(client: Client, isNew: boolean): Promise<void> {
    const { step, clock, times } = this.#parts;
    const { rows } = await client.query<Look>({
      name: "look",
      text: `SELECT current_setting('transaction_read_only') AS read_only,
        (SELECT checksum FROM migrations WHERE number = $1) AS checksum,
        (SELECT encode(sha256(convert_to(value, 'UTF8')), 'hex') FROM installation WHERE name = 'secret_salt') AS installation`,
      values: [step.number],
    });
    const [found] = rows;
    if (found?.read_only !== "off") throw new Error("the database can only be read");
    this.#installation ??= found.installation ?? undefined;
    if (found.checksum !== step.checksum || (found.installation ?? undefined) !== this.#installation) {
      throw new Error("this is not the database that was opened");
    }
    if (isNew || clock.age >= times.clock) await clock.measure(client);
  }

  async #connect(): Promise<Client> {
    const client = await connect(clientConfig(this.#parts), (ended, error) => {
      if (this.#client !== ended) return;
      this.#client = undefined;
      this.suspect(toFault(error));
    });
    client.on("notification", ({ channel, payload }) => this.#tell(channel, payload ?? ""));
    try {
      for (const channel of this.#channels.keys()) await client.query(`LISTEN ${quoted(channel)}`);
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
    return client;
  }

  /** Something may have been missed. */
  tellAll(): void {
    for (const channel of this.#channels.keys()) this.#tell(channel, null);
  }

  #tell(channel: string, payload: string | null): void {
    for (const heard of this.#channels.get(channel) ?? []) {
      try {
        heard(payload);
      } catch (error) {
        this.#parts.log.error("what should follow a message of the database failed", { channel, error });
      }
    }
  }

  #found(error: unknown): void {
    const { log, address, cut } = this.#parts;
    if (this.#closed) return;
    if (error === null) {
      if (this.#isUsable) return;
      this.#isUsable = true;
      this.#recoveries += 1;
      log.warn("the database can be relied on again; requests are served", { database: address.described });
      return;
    }
    if (this.#isUsable) {
      log.error("the database cannot be relied on: nobody is let in until it is well again", {
        database: address.described,
        error,
      });
    }
    this.#isUsable = false;
    this.#client = undefined;
    cut();
  }
}

/** A name as SQL takes it. */
function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Rejects when it takes longer. A process that was itself held up hears first what has come meanwhile. */
async function inTime(work: Promise<void>, limit: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`no answer within ${limit} ms`));
    timer = setTimeout(() => {
      timer = setTimeout(late, limit / 10);
    }, limit);
  });
  try {
    await Promise.race([work, tooLong]);
  } finally {
    clearTimeout(timer);
    // When the connection is cut, what was asked fails too.
    work.catch(() => undefined);
  }
}
