import { isStorageFailure, SafelightError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { AfterCommit, Prepare, Transaction } from "./database.ts";
import type { Dialect } from "./dialect.ts";

/** The connection that writes, as the queue uses it. What it does may be done when it returns, or when its promise settles. */
export interface WriterConnection {
  /** Opens the transaction that a group shares. */
  begin(): Promise<void> | void;
  /** From here one piece of work can be taken back by itself. */
  beginWork(): Promise<void> | void;
  /** Throws where the transaction is no longer what the work believes it to be. */
  keepWork(): Promise<void> | void;
  undoWork(): Promise<void> | void;
  /** On disk when it settles. */
  commit(): Promise<void> | void;
  /** Undoes what is open; never throws, because it is called when something else already went wrong. */
  rollback(): Promise<void> | void;
  /** True once the database has thrown the whole transaction away by itself. */
  readonly transactionLost: boolean;
  /** For one piece of work. `assertOpen` throws when its statements may no longer be used. */
  preparing(assertOpen: () => void): Prepare;
  /** Says something to everybody when the transaction commits that these statements are part of. */
  notify(prepare: Prepare, channel: string, text: string): Promise<void>;
  /** What callers are told of a fault of the storage; tells the log. */
  refusal(error: unknown): SafelightError;
}

type Work<T> = (tx: Transaction) => Promise<T> | T;

interface Job {
  work: Work<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

interface FinishedJob {
  job: Job;
  value: unknown;
  afterCommit: readonly AfterCommit[];
}

// Enough to share one flush among all who wait on a busy machine, few enough that nobody waits long for the others' work.
const mostInGroup = 128;
// Work that takes longer than this awaits something other than the database, and everyone else waits for it.
const slowWorkMs = 1000;

export interface WriteQueueOptions {
  readonly largestGroup?: number;
}

/**
 * The one way to the disk. Work that is waiting at the same moment shares one transaction and so one flush (group
 * commit); each piece stands on its own savepoint, so one that throws takes back its own changes only.
 *
 *     BEGIN · (SAVEPOINT · work · RELEASE)… · COMMIT · then everyone is told
 *
 * When the commit fails nobody's change is there and everybody is told so.
 */
export class WriteQueue {
  readonly #connection: WriterConnection;
  readonly #log: Log;
  readonly #largestGroup: number;
  #jobs: Job[] = [];
  #draining = false;
  #closed = false;
  #commits = 0;
  #idle: (() => void)[] = [];

  constructor(connection: WriterConnection, log: Log, options: WriteQueueOptions = {}) {
    this.#connection = connection;
    this.#log = log;
    this.#largestGroup = options.largestGroup ?? mostInGroup;
  }

  /** How many transactions reached the disk since the start. */
  get commits(): number {
    return this.#commits;
  }

  write<T>(work: Work<T>): Promise<T> {
    if (this.#closed) {
      return Promise.reject(
        new SafelightError("storage_unavailable", "The server is stopping and takes no more changes."),
      );
    }
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ work, resolve: (value) => resolve(value as T), reject });
      if (this.#draining) return;
      this.#draining = true;
      this.#drainSoon();
    });
  }

  /** Refuses new work and resolves when the work already taken has settled. */
  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#draining) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  // A turn of the event loop lets everyone whose request arrived in the same moment join the group.
  #drainSoon(): void {
    setImmediate(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    const group = this.#jobs.splice(0, this.#largestGroup);
    await this.#commitGroup(group);
    if (this.#jobs.length > 0) return this.#drainSoon();
    this.#draining = false;
    for (const tell of this.#idle.splice(0)) tell();
  }

  async #commitGroup(group: readonly Job[]): Promise<void> {
    const connection = this.#connection;
    const finished: FinishedJob[] = [];
    let begun = 0;
    try {
      await connection.begin();
      for (const job of group) {
        const result = await this.#runOne(job);
        if (result !== null) finished.push(result);
        begun += 1;
      }
      await connection.commit();
      this.#commits += 1;
    } catch (error) {
      await connection.rollback();
      const failure = connection.refusal(error);
      for (const { job } of finished) job.reject(failure);
      for (const job of group.slice(begun)) job.reject(failure);
      return;
    }
    for (const { job, value, afterCommit } of finished) {
      const under = afterCommit.map((run) => this.#runAfterCommit(run)).filter((promise) => promise !== undefined);
      // The next group does not wait for it: it may well need a turn of its own.
      if (under.length === 0) job.resolve(value);
      else void Promise.all(under).then(() => job.resolve(value));
    }
  }

  /** Null when the work threw and was taken back. Throws when the whole transaction is beyond saving. */
  async #runOne(job: Job): Promise<FinishedJob | null> {
    const connection = this.#connection;
    const tx = new OpenTransaction(connection);
    const started = performance.now();
    await connection.beginWork();
    try {
      const value = await job.work(tx);
      await connection.keepWork();
      return { job, value, afterCommit: tx.end() };
    } catch (error) {
      tx.end();
      if (connection.transactionLost) throw error;
      await connection.undoWork();
      job.reject(isStorageFailure(error) ? connection.refusal(error) : error);
      return null;
    } finally {
      const took = performance.now() - started;
      if (took > slowWorkMs) this.#log.warn("database work held up every other write", { took_ms: Math.round(took) });
    }
  }

  /** Never throws, and what it answers never rejects. */
  #runAfterCommit(run: AfterCommit): Promise<void> | undefined {
    const failed = (error: unknown): void => this.#log.error("an action after a commit failed", { error });
    try {
      return run()?.catch(failed);
    } catch (error) {
      failed(error);
      return undefined;
    }
  }
}

/** Bytes. PostgreSQL refuses 8,000. */
const longestNotice = 7000;

class OpenTransaction implements Transaction {
  readonly prepare: Prepare;
  readonly #connection: WriterConnection;
  readonly #afterCommit: AfterCommit[] = [];
  #ended = false;

  constructor(connection: WriterConnection) {
    this.#connection = connection;
    this.prepare = connection.preparing(() => this.#assertOpen());
  }

  get dialect(): Dialect {
    return this.prepare.dialect;
  }

  afterCommit(run: AfterCommit): void {
    this.#assertOpen();
    this.#afterCommit.push(run);
  }

  async notify(channel: string, text = ""): Promise<void> {
    this.#assertOpen();
    if (Buffer.byteLength(text) > longestNotice) throw new RangeError("too long to be told to other gateways");
    await this.#connection.notify(this.prepare, channel, text);
  }

  end(): readonly AfterCommit[] {
    this.#ended = true;
    return this.#afterCommit;
  }

  #assertOpen(): void {
    if (this.#ended) throw new Error("the transaction has ended; database work must be awaited inside it");
  }
}
