import type { Client } from "pg";
import type { Log } from "../../log.ts";
import { advisoryLocks } from "./advisory-locks.ts";
import { type ConnectionParts, clientConfig, connect, drop, endInTime } from "./connect.ts";

export interface LeaderParts extends ConnectionParts {
  readonly log: Log;
  readonly isUsable: () => boolean;
}

export type HearLead = (leads: boolean) => void;

/**
 * Finds the one gateway of all on this database that leads: the one whose session holds a lock. Sessions end, and their locks with them,
 * when the gateway is killed (at once), when it is stopped or cannot be reached (the server ends a session in which nothing comes for
 * `leaderIdle`), and when it gives up. Every gateway asks at short intervals, so that somebody leads again soon.
 *
 * Who leads asks too, and no longer leads as soon as nothing has been heard for `leaderAnswer`, which is shorter: it knows before
 * anybody else can get the lock.
 */
export class PostgresLeader {
  readonly #parts: LeaderParts;
  readonly #hearers = new Set<HearLead>();
  #client: Client | undefined;
  #leads = false;
  #closed = false;
  #asking: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;

  constructor(parts: LeaderParts) {
    this.#parts = parts;
  }

  lead(hear: HearLead): () => Promise<void> {
    // The same function may be handed over twice.
    const own: HearLead = (leads) => hear(leads);
    this.#hearers.add(own);
    if (this.#leads) this.#tell(own);
    else this.#askAfter(0);
    return async () => {
      this.#hearers.delete(own);
      if (this.#hearers.size === 0) await this.#release();
    };
  }

  /** The database can no longer be relied on. */
  readonly lose = (why = "the database cannot be relied on"): void => {
    clearTimeout(this.#deadline);
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) drop(client);
    if (!this.#leads) return;
    this.#leads = false;
    if (this.#hearers.size === 0) return;
    this.#parts.log.warn("this gateway no longer leads", { why });
    this.#tellAll();
  };

  async close(): Promise<void> {
    this.#closed = true;
    await this.#release();
  }

  /** Lets somebody else lead as soon as it resolves. */
  async #release(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#asking;
    // Somebody may have come meanwhile.
    if (this.#hearers.size > 0 && !this.#closed) return;
    clearTimeout(this.#deadline);
    const client = this.#client;
    this.#client = undefined;
    if (this.#leads) {
      this.#leads = false;
      this.#tellAll();
    }
    if (client !== undefined) await endInTime(client, this.#parts.times.leaderAnswer);
  }

  #askAfter(pause: number): void {
    if (this.#closed || this.#hearers.size === 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#asking ??= this.#ask().finally(() => {
        this.#asking = undefined;
        this.#askAfter(this.#parts.times.leaderAsk);
      });
    }, pause).unref();
  }

  /** Never rejects. */
  async #ask(): Promise<void> {
    if (!this.#parts.isUsable()) return;
    let client = this.#client;
    try {
      client ??= await this.#connect();
      if (client === undefined) return;
      const sent = performance.now();
      if (!this.#leads) this.#expectBy(sent);
      const { rows } = await client.query<{ leads: number }>({
        name: "lead",
        // A session that got it twice would have to give it up twice.
        text: `SELECT CASE WHEN CAST($1 AS BOOLEAN) THEN TRUE ELSE pg_try_advisory_lock(${advisoryLocks.leader}) END AS leads`,
        values: [this.#leads],
      });
      if (client !== this.#client) return;
      if (rows[0]?.leads === 1) this.#goOn(sent);
      else clearTimeout(this.#deadline);
    } catch (error) {
      if (client === this.#client) this.lose(reasonOf(error));
    }
  }

  #goOn(sent: number): void {
    this.#expectBy(sent);
    if (this.#leads) return;
    this.#leads = true;
    this.#parts.log.info("this gateway leads");
    this.#tellAll();
  }

  /** The server has heard something no earlier than it was sent, and waits for longer before it lets somebody else lead. */
  #expectBy(sent: number): void {
    clearTimeout(this.#deadline);
    const left = sent + this.#parts.times.leaderAnswer - performance.now();
    this.#deadline = setTimeout(() => this.lose("no answer in time"), Math.max(0, left)).unref();
  }

  async #connect(): Promise<Client | undefined> {
    const { times } = this.#parts;
    const config = clientConfig(this.#parts, { idle_session_timeout: times.leaderIdle });
    const client = await connect(config, (ended, error) => {
      if (this.#client === ended) this.lose(reasonOf(error));
    });
    if (this.#closed || this.#hearers.size === 0) {
      await endInTime(client, times.leaderAnswer);
      return undefined;
    }
    this.#client = client;
    return client;
  }

  #tellAll(): void {
    for (const hear of this.#hearers) this.#tell(hear);
  }

  #tell(hear: HearLead): void {
    try {
      hear(this.#leads);
    } catch (error) {
      this.#parts.log.error("what should follow a change of the leading gateway failed", { error });
    }
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
