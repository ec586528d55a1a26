import { DatabaseSync, type DatabaseSyncOptions, type StatementSync } from "node:sqlite";
import type { Row, SqlValue, Statement } from "./database.ts";

/** Where a fault may be put in by a test: before the transaction opens, before a statement, before the commit. */
export type WriteOperation = "begin" | "statement" | "commit";

/** Called before each operation of the writer; what it throws is taken for the database's own failure. */
export type Interrupt = (operation: WriteOperation) => void;

// Statements differ by SQL text only, and the text is ours; the bound is against generated filters that never repeat.
const MAX_STATEMENTS = 300;

/** One SQLite connection: statements are prepared once and kept. */
export class SqliteConnection {
  readonly #database: DatabaseSync;
  readonly #interrupt: Interrupt | undefined;
  readonly #statements = new Map<string, PreparedStatement>();
  #transactionLost = false;

  constructor(file: string, options: DatabaseSyncOptions, interrupt?: Interrupt) {
    this.#database = new DatabaseSync(file, options);
    this.#interrupt = interrupt;
    this.#database.function("fold", { deterministic: true }, (text) => String(text).toLowerCase());
  }

  prepare(sql: string): Statement {
    return this.#statement(sql);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  begin(): void {
    this.#interrupt?.("begin");
    this.#transactionLost = false;
    this.#database.exec("BEGIN IMMEDIATE");
  }

  commit(): void {
    this.#interrupt?.("commit");
    this.#database.exec("COMMIT");
  }

  /** Undoes what is open; never throws, because it is called when something else already went wrong. */
  rollback(): void {
    this.#transactionLost = false;
    if (!this.#database.isTransaction) return;
    try {
      this.#database.exec("ROLLBACK");
    } catch {
      // SQLite has rolled back by itself, or the file is gone; the next BEGIN will tell.
    }
  }

  /**
   * True once SQLite has thrown the whole transaction away by itself, as it does when the disk is full. Statements are
   * refused from then on: they would commit one by one.
   */
  get transactionLost(): boolean {
    return this.#transactionLost;
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #statement(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = new PreparedStatement(this.#database.prepare(sql), (run) => this.#execute(run));
    this.#statements.set(sql, statement);
    return statement;
  }

  #execute<T>(run: () => T): T {
    if (this.#transactionLost) throw new Error("the transaction was rolled back by the database");
    const inTransaction = this.#database.isTransaction;
    try {
      this.#interrupt?.("statement");
      return run();
    } catch (error) {
      if (inTransaction && !this.#database.isTransaction) this.#transactionLost = true;
      throw error;
    }
  }
}

type Execute = <T>(run: () => T) => T;

class PreparedStatement implements Statement {
  readonly #statement: StatementSync;
  readonly #execute: Execute;

  constructor(statement: StatementSync, execute: Execute) {
    this.#statement = statement;
    this.#execute = execute;
  }

  get(...values: SqlValue[]): Row | undefined {
    return this.#execute(() => this.#statement.get(...values));
  }

  all(...values: SqlValue[]): Row[] {
    return this.#execute(() => this.#statement.all(...values));
  }

  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#execute(() => this.#statement.run(...values));
  }
}
