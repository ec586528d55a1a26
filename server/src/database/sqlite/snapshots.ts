import type { Log } from "../../log.ts";
import type { Reading } from "../database.ts";
import { sqliteDialect } from "./dialect.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { preparing } from "./statement.ts";

// Work that takes longer than this awaits something other than the database, and everyone else's reading waits for it.
const SLOW_WORK_MS = 1000;

/**
 * Reads that see one state, one after the other on a connection of their own. Statements of SQLite have run when they return, so
 * nothing would be gained by several connections: turns cost nothing and keep one cache of pages warm.
 */
export class Snapshots {
  readonly #connection: SqliteConnection;
  readonly #log: Log;
  #turn: Promise<unknown> | undefined;

  constructor(connection: SqliteConnection, log: Log) {
    this.#connection = connection;
    this.#log = log;
  }

  read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    const before = this.#turn;
    const own = before === undefined ? this.#run(work) : before.then(() => this.#run(work));
    const turn = own.then(ignore, ignore).then(() => {
      if (this.#turn === turn) this.#turn = undefined;
    });
    this.#turn = turn;
    return own;
  }

  /** Resolves when the reads asked for so far have ended. */
  async settled(): Promise<void> {
    await this.#turn;
  }

  async #run<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    const connection = this.#connection;
    let isOpen = true;
    const assertOpen = (): void => {
      if (!isOpen) throw new Error("the reading has ended; its statements must be awaited inside it");
    };
    const started = performance.now();
    connection.beginReading();
    try {
      return await work({
        dialect: sqliteDialect,
        prepare: preparing(connection, assertOpen),
      });
    } finally {
      isOpen = false;
      connection.endReading();
      const took = performance.now() - started;
      if (took > SLOW_WORK_MS) this.#log.warn("one reading held up every other", { took_ms: Math.round(took) });
    }
  }
}

function ignore(): void {}
