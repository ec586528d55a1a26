import type { Prepare, Row, SqlValue, Statement } from "../database.ts";
import { sqliteDialect } from "./dialect.ts";
import type { SyncStatement } from "./sqlite-connection.ts";

/** A connection, as far as statements need one. */
export interface Preparing {
  prepare(sql: string): SyncStatement;
}

/**
 * A statement of one connection behind the seam: it has run when the call returns, and what went wrong, in preparing it too, rejects.
 * `assertOpen` throws when it may no longer be used.
 */
class SqliteStatement implements Statement {
  readonly #connection: Preparing;
  readonly #sql: string;
  readonly #assertOpen: (() => void) | undefined;

  constructor(connection: Preparing, sql: string, assertOpen?: () => void) {
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

export function preparing(connection: Preparing, assertOpen?: () => void): Prepare {
  const prepare = (sql: string): Statement => {
    assertOpen?.();
    return new SqliteStatement(connection, sql, assertOpen);
  };
  return Object.assign(prepare, { dialect: sqliteDialect });
}
