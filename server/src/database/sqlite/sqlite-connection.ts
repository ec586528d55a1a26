import { DatabaseSync, type DatabaseSyncOptions, type StatementSync } from "node:sqlite";
import type { Row, SqlValue } from "../database.ts";

/** Where a fault may be put in by a test: before the transaction opens, before a statement, before the commit. */
export type WriteOperation = "begin" | "statement" | "commit";

/** Called before each operation of the writer; what it throws is taken for the database's own failure. */
export type Interrupt = (operation: WriteOperation) => void;

export interface ConnectionOptions extends DatabaseSyncOptions {
  readonly interrupt?: Interrupt | undefined;
  /** Told of everything that the database refuses. */
  readonly onFailure?: (error: unknown) => void;
}

/** What a statement answers at once, inside this folder and to whoever holds the file itself. Rows have a null prototype. */
export interface SyncStatement {
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
}

// Statements differ by SQL text only, and the text is ours; the bound is against generated filters that never repeat.
const MAX_STATEMENTS = 300;

/** One SQLite connection: statements are prepared once and kept. */
export class SqliteConnection {
  readonly #file: string;
  readonly #options: DatabaseSyncOptions;
  readonly #interrupt: Interrupt | undefined;
  readonly #onFailure: ((error: unknown) => void) | undefined;
  readonly #statements = new Map<string, PreparedStatement>();
  #database: DatabaseSync;
  #transactionLost = false;

  constructor(file: string, { interrupt, onFailure, ...options }: ConnectionOptions) {
    this.#file = file;
    this.#options = options;
    this.#interrupt = interrupt;
    this.#onFailure = onFailure;
    this.#database = connect(file, options);
  }

  /** Whatever runs through it reaches the connection that is open then, a new one after `reconnect`. */
  prepare(sql: string): SyncStatement {
    return this.#statement(sql);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  begin(): void {
    this.#interrupt?.("begin");
    this.#transactionLost = false;
    this.#telling(() => this.#database.exec("BEGIN IMMEDIATE"));
  }

  commit(): void {
    this.#telling(() => {
      this.#interrupt?.("commit");
      this.#database.exec("COMMIT");
    });
  }

  /** From here to `endReading` every statement sees what is committed now. */
  beginReading(): void {
    this.#telling(() => this.#database.exec("BEGIN"));
    // The state is fixed by the first look at it, not by BEGIN.
    try {
      this.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
    } catch (error) {
      this.endReading();
      throw error;
    }
  }

  /** What stands in temporary tables stays. Never throws. */
  endReading(): void {
    try {
      if (this.isInTransaction) this.#database.exec("COMMIT");
    } catch {
      this.rollback();
    }
  }

  /** Undoes what is open; never throws, because it is called when something else already went wrong. */
  rollback(): void {
    this.#transactionLost = false;
    if (!this.#database.isOpen || !this.#database.isTransaction) return;
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

  /** False only between `disconnect` and `reconnect`. */
  get isOpen(): boolean {
    return this.#database.isOpen;
  }

  get isInTransaction(): boolean {
    return this.#database.isOpen && this.#database.isTransaction;
  }

  /**
   * Opens the file anew; the connection before is closed by `leave`, once the new one is there. Throws what the opening throws, and then
   * everything is as it was.
   */
  reconnect(prepare: (connection: SqliteConnection) => void, leave: (before: DatabaseSync) => void): void {
    const before = this.#database;
    this.#use(connect(this.#file, this.#options));
    try {
      prepare(this);
    } catch (error) {
      closeQuietly(this.#database);
      this.#use(before);
      throw error;
    }
    leave(before);
  }

  /** Until the next `reconnect` nothing can be asked. */
  disconnect(): void {
    closeQuietly(this.#database);
  }

  close(): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #use(database: DatabaseSync): void {
    this.#database = database;
    this.#statements.clear();
  }

  #statement(sql: string): PreparedStatement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (this.#statements.size >= MAX_STATEMENTS) this.#statements.clear();
    const statement = new PreparedStatement(
      () => this.#database,
      this.#telling(() => this.#database.prepare(sql)),
      sql,
      this.#database,
      (run) => this.#execute(run),
    );
    this.#statements.set(sql, statement);
    return statement;
  }

  #execute<T>(run: () => T): T {
    if (this.#transactionLost) throw new Error("the transaction was rolled back by the database");
    const inTransaction = this.isInTransaction;
    try {
      this.#interrupt?.("statement");
      return run();
    } catch (error) {
      if (inTransaction && !this.#database.isTransaction) this.#transactionLost = true;
      this.#onFailure?.(error);
      throw error;
    }
  }

  #telling<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      this.#onFailure?.(error);
      throw error;
    }
  }
}

export function closeQuietly(database: DatabaseSync): void {
  try {
    if (database.isOpen) database.close();
  } catch {
    // Its file is gone: there is nothing left to close.
  }
}

function connect(file: string, options: DatabaseSyncOptions): DatabaseSync {
  const database = new DatabaseSync(file, options);
  database.function("fold", { deterministic: true }, (text) => String(text).toLowerCase());
  return database;
}

type Execute = <T>(run: () => T) => T;

class PreparedStatement implements SyncStatement {
  readonly #current: () => DatabaseSync;
  readonly #sql: string;
  readonly #execute: Execute;
  #statement: StatementSync;
  #owner: DatabaseSync;

  constructor(
    current: () => DatabaseSync,
    statement: StatementSync,
    sql: string,
    owner: DatabaseSync,
    execute: Execute,
  ) {
    this.#current = current;
    this.#statement = statement;
    this.#sql = sql;
    this.#owner = owner;
    this.#execute = execute;
  }

  get(...values: SqlValue[]): Row | undefined {
    return this.#execute(() => this.#ready().get(...values));
  }

  all(...values: SqlValue[]): Row[] {
    return this.#execute(() => this.#ready().all(...values));
  }

  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#execute(() => this.#ready().run(...values));
  }

  /** Someone may hold a statement longer than its connection lives. */
  #ready(): StatementSync {
    const database = this.#current();
    if (database !== this.#owner) {
      this.#statement = database.prepare(this.#sql);
      this.#owner = database;
    }
    return this.#statement;
  }
}
