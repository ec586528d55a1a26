import type { QueryConfig, QueryResult } from "pg";
import type { Prepare, Row, SqlValue, Statement } from "../database.ts";
import { postgresDialect } from "./dialect.ts";
import { numbered } from "./placeholders.ts";
import { bound } from "./values.ts";

/** Sends one statement, and gives its errors as the seam has them. */
export type Send = (query: QueryConfig) => Promise<QueryResult<Row>>;

/** Statements of whichever connection `send` takes. `assertOpen` throws when none may be made any more. */
export function preparing(send: Send, assertOpen: () => void = () => undefined): Prepare {
  const prepare = (sql: string): Statement => {
    assertOpen();
    return new PostgresStatement(sql, send);
  };
  return Object.assign(prepare, { dialect: postgresDialect });
}

class PostgresStatement implements Statement {
  readonly #sql: string;
  readonly #send: Send;

  constructor(sql: string, send: Send) {
    this.#sql = sql;
    this.#send = send;
  }

  async get(...values: SqlValue[]): Promise<Row | undefined> {
    return (await this.#query(values)).rows[0];
  }

  async all(...values: SqlValue[]): Promise<Row[]> {
    return (await this.#query(values)).rows;
  }

  async run(...values: SqlValue[]): Promise<{ changes: number }> {
    return { changes: (await this.#query(values)).rowCount ?? 0 };
  }

  #query(values: readonly SqlValue[]): Promise<QueryResult<Row>> {
    return this.#send({ ...numbered(this.#sql), values: values.map(bound) });
  }
}
