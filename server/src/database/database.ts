/** What a hand-prepared statement offers. Rows have a null prototype; `undefined` is refused as a value. */
export interface Statement {
  get(...values: SqlValue[]): Row | undefined;
  all(...values: SqlValue[]): Row[];
  run(...values: SqlValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
}

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Record<string, SqlValue>;

/** One unit of change. Valid until the function it was handed to settles; using it later throws. */
export interface Transaction {
  /** A statement of this transaction, prepared once and kept. */
  readonly prepare: (sql: string) => Statement;
  /** Runs after the commit is on disk and before `write` resolves; never runs when the change is lost. */
  afterCommit(run: () => void): void;
}

/**
 * The one database of an installation: one writer behind one queue, and a connection of its own for reading.
 *
 * Every write goes through `write`, hand-prepared ones too: a statement slipped between another caller's statements on
 * the same connection would vanish with that caller's rollback after having been acknowledged.
 */
export interface Database {
  /** A statement of the reading connection: sees what is committed, writing through it fails. */
  readonly prepareRead: (sql: string) => Statement;
  /**
   * False while the database cannot be relied on: its file is gone, exchanged, damaged or read-only. Nobody is let in then and nothing is
   * written. Cheap enough to ask with every request; asking is also what finds it well again.
   */
  isUsable(): boolean;
  /** Raised with every commit: what was read while it had the same value is still true. */
  readonly commits: number;
  /**
   * Runs the work in a transaction; resolves only when it is on disk. The work awaits database calls and nothing else,
   * because everyone's writes wait for it. A throw undoes this work alone and rejects with that error; a fault of the
   * storage rejects with `storage_unavailable`.
   */
  write<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T>;
  /** Finishes the writes already asked for, then closes. Writes asked for later reject. */
  close(): Promise<void>;
}
