import { Pool, type PoolClient, type QueryConfig, type QueryResult } from "pg";
import type { Log } from "../../log.ts";
import type { Prepare, Reading, Row } from "../database.ts";
import { type ConnectionParts, clientConfig } from "./connect.ts";
import { postgresDialect } from "./dialect.ts";
import { StalePlan, StorageFault, toFault, UnusableDatabase } from "./faults.ts";
import { preparing } from "./statement.ts";

export interface ReaderParts extends ConnectionParts {
  readonly log: Log;
  /** Connections at most. */
  readonly poolSize: number;
  readonly isUsable: () => boolean;
  readonly onFault: (error: unknown) => void;
}

/** Connections that read. What they are asked waits for one of them, but not for ever. */
export class PostgresReaders {
  readonly #parts: ReaderParts;
  readonly #pool: Pool;
  /** Connections that were opened before the last change of tables keep statements that no longer fit. */
  #generation = 0;
  readonly #generations = new WeakMap<object, number>();

  constructor(parts: ReaderParts) {
    this.#parts = parts;
    this.#pool = new Pool({
      ...clientConfig(parts, { default_transaction_read_only: "on" }),
      max: parts.poolSize,
      connectionTimeoutMillis: parts.times.poolWait,
      idleTimeoutMillis: parts.times.unused,
    });
    this.#pool.on("error", (error) => void this.#told(error));
    // Also while a connection is lent out: an error that nobody listens to would end the process.
    this.#pool.on("connect", (client) => {
      client.on("error", () => undefined);
      this.#generations.set(client, this.#generation);
    });
  }

  /** A statement by itself, on any connection. */
  readonly prepare: Prepare = preparing((query) =>
    this.#ask(query).catch((error: unknown) => {
      if (error instanceof StalePlan) return this.#ask(query);
      throw error;
    }),
  );

  /** Several statements that see one state: the one when the first of them is asked. */
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    return this.#lend(async (client) => {
      let isOpen = true;
      const assertOpen = (): void => {
        if (!isOpen) throw new Error("the reading has ended; its statements must be awaited inside it");
      };
      const send = async (query: QueryConfig): Promise<QueryResult<Row>> => {
        assertOpen();
        return this.#query(client, query);
      };
      await this.#query(client, { text: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" });
      try {
        return await work({ dialect: postgresDialect, prepare: preparing(send, assertOpen) });
      } finally {
        isOpen = false;
        await this.#query(client, { text: "ROLLBACK" });
      }
    });
  }

  /** Tables have changed: no connection that is open now is used again. */
  renew(): void {
    this.#generation += 1;
  }

  /** Waits for what is being read. */
  close(): Promise<void> {
    return this.#pool.end();
  }

  #ask(query: QueryConfig): Promise<QueryResult<Row>> {
    return this.#lend((client) => this.#query(client, query));
  }

  async #take(): Promise<PoolClient> {
    for (;;) {
      const client = await this.#pool.connect().catch((error: unknown) => {
        throw this.#couldNotConnect(error);
      });
      if (this.#generations.get(client) === this.#generation) return client;
      client.release(true);
    }
  }

  async #lend<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
    if (!this.#parts.isUsable()) throw new UnusableDatabase();
    const client = await this.#take();
    let isBroken = false;
    try {
      return await use(client);
    } catch (error) {
      isBroken = error instanceof StorageFault && error.breaks;
      throw error;
    } finally {
      client.release(isBroken);
    }
  }

  async #query(client: PoolClient, query: QueryConfig): Promise<QueryResult<Row>> {
    try {
      return await client.query<Row>(query);
    } catch (error) {
      throw this.#told(error);
    }
  }

  #couldNotConnect(error: unknown): unknown {
    const { poolSize, log } = this.#parts;
    if (error instanceof Error && error.message === "timeout exceeded when trying to connect") {
      log.warn("all connections for reading were busy for too long", { connections: poolSize });
      return new StorageFault("all connections for reading are busy", { cause: error, breaks: false });
    }
    return this.#told(error);
  }

  #told(error: unknown): unknown {
    const fault = toFault(error, true);
    if (fault instanceof StorageFault) this.#parts.onFault(fault);
    return fault;
  }
}
