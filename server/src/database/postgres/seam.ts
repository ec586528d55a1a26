/** What stands between the verbs and a database; this folder stands behind it. */

/** What a hand-written statement offers. Values stand for `?`, in order; `undefined` is refused. Whatever is wrong rejects the promise. */
export interface Statement {
  get(...values: SqlValue[]): Promise<Row | undefined>;
  all(...values: SqlValue[]): Promise<Row[]>;
  /** How many rows it changed. New ids come by RETURNING. */
  run(...values: SqlValue[]): Promise<{ changes: number }>;
}

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Record<string, SqlValue>;
export interface Prepare {
  (sql: string): Statement;
  readonly dialect: Dialect;
}
export type AfterCommit = () => void | Promise<void>;

export interface Transaction {
  readonly prepare: Prepare;
  afterCommit(run: AfterCommit): void;
  readonly dialect: Dialect;
}

export interface Reading {
  readonly prepare: Prepare;
  readonly dialect: Dialect;
}

export interface Database {
  readonly kind: "sqlite" | "postgres";
  readonly dialect: Dialect;
  readonly prepareRead: Prepare;
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  isUsable(): boolean;
  readonly commits: number;
  write<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T>;
  close(): Promise<void>;
}

export interface WantedWords {
  readonly words: readonly string[];
  readonly facts: readonly string[];
  readonly without: readonly string[];
}

export interface Dialect {
  through(index: string): string;
  readonly textsOfJson: string;
  bytesOf(text: string): string;
  readonly search: {
    readonly newestApart: boolean;
    readonly sequence: string;
    matches(table: "task_search" | "gallery_search"): string;
    expression(wanted: WantedWords): string;
  };
}
