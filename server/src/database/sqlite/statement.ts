import type { Row, SqlValue, Statement } from "../database.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/**
 * A statement of one connection behind the seam: it has run when the call returns, and what went wrong, in preparing it too, rejects.
 * `assertOpen` throws when it may no longer be used.
 */
export class SqliteStatement implements Statement {
  readonly #connection: SqliteConnection;
  readonly #sql: string;
  readonly #assertOpen: (() => void) | undefined;

  constructor(connection: SqliteConnection, sql: string, assertOpen?: () => void) {
    this.#connection = connection;
    this.#sql = sql;
    this.#assertOpen = assertOpen;
  }

  async get(...values: SqlValue[]): Promise<Row | undefined> {
    this.#assertOpen?.();
    return this.#connection.prepare(this.#sql).get(...values);
  }

  async all(...values: SqlValue[]): Promise<Row[]> {
    this.#assertOpen?.();
    return this.#connection.prepare(this.#sql).all(...values);
  }

  async run(...values: SqlValue[]): Promise<{ changes: number }> {
    this.#assertOpen?.();
    const { changes } = this.#connection.prepare(this.#sql).run(...values);
    return { changes: Number(changes) };
  }
}
