import type { Dialect } from "./dialect.ts";

/**
 * What a hand-written statement offers. Values stand for `?`, in order; `undefined` is refused. It is sent off at the call, and whatever
 * is wrong rejects the promise; nothing is thrown before.
 */
export interface Statement {
  get(...values: SqlValue[]): Promise<Row | undefined>;
  all(...values: SqlValue[]): Promise<Row[]>;
  /** How many rows it changed. New ids come by RETURNING. */
  run(...values: SqlValue[]): Promise<{ changes: number }>;
}

export type SqlValue = null | number | bigint | string | Uint8Array;
export type Row = Record<string, SqlValue>;
/** Prepares a statement and keeps it. Says what its database does not share with others. */
export interface Prepare {
  (sql: string): Statement;
  readonly dialect: Dialect;
}

export type AfterCommit = () => void | Promise<void>;

/**
 * One unit of change. Valid until the function it was handed to settles; using it later rejects or throws. A statement that fails ends the
 * work: databases differ in whether others may follow it, so its error is not to be caught inside.
 */
export interface Transaction {
  /** A statement of this transaction, prepared once and kept. */
  readonly prepare: Prepare;
  /**
   * Runs after the commit is on disk and before `write` resolves, which waits for what it promises; never runs when the change is lost.
   * For telling others, and for what is kept in memory: whoever hears that the change was made finds it everywhere.
   */
  afterCommit(run: AfterCommit): void;
  /**
   * Says something to every gateway on this database, this one included, when the commit is made. Where the database is not shared nobody
   * hears it, and it costs nothing. At most 7,000 bytes; the same text twice in a transaction counts once.
   */
  notify(channel: string, text?: string): Promise<void>;
  readonly dialect: Dialect;
}

/** The time that all gateways on a shared database agree on. */
export interface SharedClock {
  /** Milliseconds since the Unix epoch, as the database has them. */
  now(): number;
  /** The same, and never less than what it answered before. Comparable between gateways, and across restarts. */
  steady(): number;
}

/** Several statements that all see the same state. Valid until the function it was handed to settles. */
export interface Reading {
  readonly prepare: Prepare;
  readonly dialect: Dialect;
}

/**
 * The one database of an installation: one writer behind one queue, and reading beside it.
 *
 * Every write goes through `write`, hand-prepared ones too: a statement slipped between another caller's statements on
 * the same connection would vanish with that caller's rollback after having been acknowledged.
 */
export interface Database {
  readonly kind: "sqlite" | "postgres";
  /** What cannot be said in SQL that every database here understands. */
  readonly dialect: Dialect;
  /** One statement that sees what is committed when it is called; writing through it fails. Two of them may see two states. */
  readonly prepareRead: Prepare;
  /**
   * Runs the work on one state of the database, whatever is committed meanwhile. The work awaits its own statements and nothing else, no
   * other `read` or `write` either: others wait for it.
   */
  read<T>(work: (reading: Reading) => Promise<T>): Promise<T>;
  /**
   * False while the database cannot be relied on: it is gone, exchanged, damaged or read-only. Nobody is let in then and nothing is
   * written. Cheap enough to ask with every request; asking is also what finds it well again.
   */
  isUsable(): boolean;
  /**
   * Raised with every commit: what was read while it had the same value is still true. Looked at before the statement is called, never
   * after. Where others write too, no two looks give the same value and nothing is kept.
   */
  readonly commits: number;
  /**
   * Runs the work in a transaction; resolves only when it is on disk. The work awaits its own statements and nothing else,
   * because everyone's writes wait for it. No other write stands between its statements. A throw undoes this work alone and rejects with
   * that error; a fault of the storage rejects with `storage_unavailable`.
   */
  write<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T>;
  /** Whether other gateways may use it too. */
  readonly shared: boolean;
  /** Null where it is not shared: then the machine's clock serves. */
  readonly clock: SharedClock | null;
  /**
   * Hears what `notify` says on a channel; null where something may have been missed, so that the listener looks for itself: also when it
   * has begun to hear, a moment after the call. Never called where the database is not shared. The function that comes back ends it.
   */
  listen(channel: string, heard: (text: string | null) => void): () => void;
  /**
   * Tells whether this gateway is the one that does what only one may do: true when it comes to lead, false at once when it no longer
   * does. Where the database is not shared true comes in the same turn. The function that comes back gives it up.
   */
  lead(hear: (leads: boolean) => void): () => Promise<void>;
  /** Bytes that it takes on the disk, wherever that is. */
  size(): Promise<number>;
  /** Finishes the writes already asked for, then closes. Writes asked for later reject. */
  close(): Promise<void>;
}
