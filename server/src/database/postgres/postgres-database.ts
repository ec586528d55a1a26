import { setTimeout as pause } from "node:timers/promises";
import { StartupError } from "../../errors.ts";
import { type Log, silentLog } from "../../log.ts";
import type { Database, Prepare, Reading, Transaction } from "../database.ts";
import { WriteQueue } from "../write-queue.ts";
import { type PostgresAddress, parsePostgresUrl } from "./address.ts";
import { type ConnectionParts, clientConfig, newClient, type PostgresTimes, Sockets, usualTimes } from "./connect.ts";
import { DatabaseClock, type MachineClock } from "./database-clock.ts";
import { postgresDialect } from "./dialect.ts";
import { StalePlan, sqlStateOf } from "./faults.ts";
import { type HearLead, PostgresLeader } from "./leader.ts";
import { checksumOf, migratePostgres } from "./migrate.ts";
import { postgresMigrations } from "./migrations/all.ts";
import type { PostgresMigration } from "./migrations/migration.ts";
import { PostgresReaders } from "./readers.ts";
import { type Heard, PostgresWatch } from "./watch.ts";
import { PostgresWriter, type WriteOperation } from "./writer.ts";

export interface PostgresOptions {
  /** As DATABASE_URL has it; see `parsePostgresUrl`. */
  readonly url: string;
  readonly log?: Log;
  /** Connections for reading, at most; by default 8. One more writes, and one listens. */
  readonly poolSize?: number;
  /** Parts of the usual times. */
  readonly times?: Partial<PostgresTimes>;
  readonly migrations?: readonly PostgresMigration[];
  /** The steady clock of this machine; tests have others. */
  readonly machineClock?: MachineClock;
  /** For tests: called before each operation of the writer; what it throws is taken for the database's own failure. */
  readonly interrupt?: (operation: WriteOperation) => void;
}

/** A transaction holds the work of this many at most: from 64 savepoints on, the server keeps their states where others wait for them. */
const largestGroup = 60;
const usualPoolSize = 8;

/**
 * A PostgreSQL database as the server's database.
 *
 * A write whose COMMIT got no answer rejects with `storage_unavailable` and may have happened all the same: nobody can know. Creators who
 * send an idempotency key send the request again and get the task of the first; verbs of operators can be repeated.
 */
export class PostgresDatabase implements Database {
  readonly kind = "postgres";
  readonly dialect = postgresDialect;
  readonly prepareRead: Prepare;
  readonly shared = true;
  readonly clock: DatabaseClock;
  readonly #parts: ConnectionParts;
  readonly #readers: PostgresReaders;
  readonly #writer: PostgresWriter;
  readonly #queue: WriteQueue;
  readonly #watch: PostgresWatch;
  readonly #leader: PostgresLeader;
  #looks = 0;
  #closing: Promise<void> | undefined;

  /** With a schema that is up to date, and a clock that was measured. */
  constructor(parts: ConnectionParts, clock: DatabaseClock, { log = silentLog(), ...options }: PostgresOptions) {
    this.#parts = parts;
    this.clock = clock;
    const newest = (options.migrations ?? postgresMigrations).at(-1);
    if (newest === undefined) throw new Error("a database without a schema");
    const step = { number: newest.number, checksum: checksumOf(newest) };
    const cut = (): void => {
      this.#leader.lose();
      parts.sockets.cut();
    };
    this.#leader = new PostgresLeader({ ...parts, log, isUsable: () => this.isUsable() });
    this.#watch = new PostgresWatch({ ...parts, log, step, clock, cut });
    const onFault = (error: unknown): void => {
      if (error instanceof StalePlan) this.#renewConnections();
      else this.#watch.suspect(error);
    };
    const health = { isUsable: () => this.isUsable(), onFault };
    const onLostCommit = (): void => void this.#tellWhenKnown();
    this.#readers = new PostgresReaders({ ...parts, ...health, log, poolSize: options.poolSize ?? usualPoolSize });
    this.#writer = new PostgresWriter({ ...parts, ...health, log, onLostCommit, interrupt: options.interrupt });
    this.#queue = new WriteQueue(this.#writer, log, { largestGroup });
    this.prepareRead = this.#readers.prepare;
  }

  /** Never the same twice: other gateways commit too, so nothing that was read may be taken for true later. */
  get commits(): number {
    this.#looks += 1;
    return this.#looks;
  }

  /** How often the database was lost and found well again. */
  get recoveries(): number {
    return this.#watch.recoveries;
  }

  isUsable(): boolean {
    return this.#watch.isUsable;
  }

  read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    return this.#readers.read(work);
  }

  write<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T> {
    return this.#queue.write(work);
  }

  /**
   * Hears a channel, wherever it is spoken on: every gateway of the installation, this one included. What is sent while the connection is
   * down is lost, and the listener is called with null afterwards, as it is after a commit that got no answer; who must not miss anything
   * also looks from time to time.
   */
  listen(channel: string, heard: Heard): () => void {
    return this.#watch.listen(channel, heard);
  }

  lead(hear: HearLead): () => Promise<void> {
    return this.#leader.lead(hear);
  }

  async size(): Promise<number> {
    const row = await this.prepareRead("SELECT pg_database_size(current_database()) AS bytes").get();
    return Number(row?.bytes);
  }

  /** Looks at the database now instead of at the next interval. */
  look(): Promise<void> {
    return this.#watch.look();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#queue.close();
    // A server that has fallen silent does not say that a connection has ended either.
    const timer = setTimeout(() => this.#parts.sockets.cut(), this.#parts.times.answer);
    await Promise.all([this.#writer.close(), this.#readers.close(), this.#watch.close(), this.#leader.close()]);
    clearTimeout(timer);
  }

  /** What is kept on them no longer fits. One finds it out for all. */
  #renewConnections(): void {
    this.#readers.renew();
    this.#writer.renew();
  }

  /**
   * A commit got no answer. When this gateway has had another turn that one has ended, and whatever it has changed can be read: then
   * everybody looks for themselves, as what should have followed it does not.
   */
  async #tellWhenKnown(): Promise<void> {
    while (this.#closing === undefined) {
      const isKnown = await this.#queue.write(() => true).catch(() => false);
      if (isKnown) return this.#watch.tellAll();
      await pause(this.#parts.times.retry, undefined, { ref: false });
    }
  }
}

/**
 * Opens the database and brings its schema up to date. Throws a StartupError of one line, with host and database and never with the
 * password, when it cannot be relied on.
 */
export async function openPostgres(options: PostgresOptions): Promise<PostgresDatabase> {
  const address = parsePostgresUrl(options.url);
  const parts: ConnectionParts = {
    address,
    times: { ...usualTimes, ...options.times },
    sockets: new Sockets(),
    applicationName: `safelight ${process.pid}`,
  };
  const clock = new DatabaseClock(options.machineClock);
  const client = newClient(clientConfig(parts));
  client.on("error", () => undefined);
  try {
    await client.connect();
    await clock.measure(client);
    await migratePostgres(client, options.migrations ?? postgresMigrations, address.described, clock.now());
  } catch (error) {
    throw toStartupError(error, address);
  } finally {
    await client.end().catch(() => undefined);
  }
  const database = new PostgresDatabase(parts, clock, options);
  // From here on it listens, and is known to be well.
  await database.look();
  return database;
}

/** What a start says of a database that cannot be opened, in one line and without the password. */
export function toStartupError(error: unknown, { described, user }: PostgresAddress): StartupError {
  if (error instanceof StartupError) return error;
  const state = sqlStateOf(error);
  const wrong = (text: string) => new StartupError(`DATABASE_URL: ${text}`, error);
  if (state === "28P01" || state === "28000") {
    return wrong(`${described}, does not let the user ${user} in: wrong password, or no right to connect.`);
  }
  if (state === "3D000") return wrong(`${described}, does not exist; make it with CREATE DATABASE.`);
  if (state === "53300") return wrong(`${described}, has no connection left; raise max_connections.`);
  if (state !== null) return wrong(`${described}, refused: ${(error as Error).message} (${state}).`);
  const code = (error as { code?: unknown }).code;
  const why = typeof code === "string" ? code : (error as Error).message;
  return wrong(`${described}, cannot be reached (${why}). Is PostgreSQL running there?`);
}
