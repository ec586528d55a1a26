import type { Client, QueryConfig, QueryResult } from "pg";
import { SafelightError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Prepare, Row } from "../database.ts";
import type { WriterConnection } from "../write-queue.ts";
import { advisoryLocks } from "./advisory-locks.ts";
import { type ConnectionParts, clientConfig, connect, endInTime, overdue } from "./connect.ts";
import { LostCommit, StorageFault, toFault, UnusableDatabase } from "./faults.ts";
import { preparing } from "./statement.ts";

/** Where a fault may be put in by a test: before the transaction opens, before a statement, before the commit. */
export type WriteOperation = "begin" | "statement" | "commit";

export interface WriterParts extends ConnectionParts {
  readonly log: Log;
  readonly isUsable: () => boolean;
  /** Told of every fault of the storage. */
  readonly onFault: (error: unknown) => void;
  /** A commit got no answer: what should follow it does not. */
  readonly onLostCommit: () => void;
  /** Called before each operation; what it throws is taken for the database's own failure. */
  readonly interrupt?: ((operation: WriteOperation) => void) | undefined;
}

/**
 * The one connection of this process that writes.
 *
 * All gateways on one database take turns: a transaction begins with an exclusive advisory lock, which ends with it. So there is one
 * writer in the whole installation, as with SQLite, and everything that relies on it stays true: what a verb has read in its transaction
 * nobody changes before it commits, the audit log has one end, and event ids are in the order of their commits (an id given out earlier
 * and committed later would never be seen by a listener who has passed it). Group commit makes up for most of it: a turn carries the work
 * of all who wait. A gateway that stops in the middle of its turn loses it by `times.idle`.
 *
 * Statements go out without waiting for the answers before them; the server works through them in order.
 */
export class PostgresWriter implements WriterConnection {
  readonly #parts: WriterParts;
  #client: Client | undefined;
  #isOpen = false;
  #lastUsed = 0;
  #isOutdated = false;
  #lost = false;
  /** Statements on their way, and whether one of this piece of work has failed. */
  #pending = 0;
  #hasFailed = false;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  get transactionLost(): boolean {
    return this.#lost;
  }

  async begin(): Promise<void> {
    this.#parts.interrupt?.("begin");
    if (!this.#parts.isUsable()) throw new UnusableDatabase();
    this.#lost = false;
    this.#pending = 0;
    const { times } = this.#parts;
    if (this.#isOutdated || performance.now() - this.#lastUsed > times.unused) this.#discard();
    this.#isOutdated = false;
    this.#client ??= await this.#connect();
    this.#isOpen = true;
    // Only the statements that follow keep others from their turn.
    const text = `BEGIN; SELECT pg_advisory_xact_lock(${advisoryLocks.turn}); SET LOCAL statement_timeout = ${times.work}`;
    const begin: QueryConfig & { query_timeout: number } = { text, query_timeout: times.turn + overdue };
    await this.#query(begin);
  }

  /** Tables have changed: the next transaction has a connection of its own. */
  renew(): void {
    this.#isOutdated = true;
  }

  beginWork(): void {
    this.#hasFailed = false;
    this.#sendOff("SAVEPOINT work");
  }

  /** Waits for an answer only where there is reason to doubt it: the commit waits for all of them. */
  async keepWork(): Promise<void> {
    if (this.#hasFailed || this.#pending > 0) await this.#exec("RELEASE SAVEPOINT work");
    else this.#sendOff("RELEASE SAVEPOINT work");
  }

  async undoWork(): Promise<void> {
    await this.#exec("ROLLBACK TO SAVEPOINT work; RELEASE SAVEPOINT work");
  }

  async commit(): Promise<void> {
    this.#parts.interrupt?.("commit");
    let result: QueryResult<Row>;
    try {
      result = await this.#query({ text: "COMMIT" });
    } catch (error) {
      if (!(error instanceof StorageFault && error.breaks)) throw error;
      this.#parts.onLostCommit();
      throw new LostCommit(error);
    }
    this.#isOpen = false;
    this.#lastUsed = performance.now();
    // What the server says when it has rolled back instead.
    if (result.command !== "COMMIT") throw new StorageFault("a transaction was rolled back", { breaks: false });
  }

  async rollback(): Promise<void> {
    if (this.#lost) this.#discard();
    if (this.#client === undefined || !this.#isOpen) return;
    this.#isOpen = false;
    await this.#exec("ROLLBACK").catch(() => this.#discard());
  }

  preparing(assertOpen: () => void): Prepare {
    return preparing(async (query) => {
      assertOpen();
      this.#parts.interrupt?.("statement");
      this.#pending += 1;
      try {
        return await this.#query(query);
      } catch (error) {
        this.#hasFailed = true;
        throw error;
      } finally {
        this.#pending -= 1;
      }
    }, assertOpen);
  }

  async notify(prepare: Prepare, channel: string, text: string): Promise<void> {
    await prepare("SELECT pg_notify(?, ?)").run(channel, text);
  }

  refusal(error: unknown): SafelightError {
    const { log } = this.#parts;
    if (!(error instanceof UnusableDatabase)) log.error("a write to the database failed", { error });
    const text =
      error instanceof LostCommit
        ? "The connection to the database broke while a change was being stored: it may be there or not. A request with an idempotency key can be sent again safely."
        : "The server cannot store anything at the moment; nothing was changed.";
    return new SafelightError("storage_unavailable", text, { cause: error });
  }

  /** Leaves the connection in good order. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) await endInTime(client, this.#parts.times.answer);
  }

  async #connect(): Promise<Client> {
    try {
      const config = { ...clientConfig(this.#parts), pipeline: true };
      const client = await connect(config, (ended, error) => this.#broke(ended, error));
      // A role may have been given another habit; an answer that says "stored" has to mean it.
      await client.query(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') IN ('off', 'local')",
      );
      return client;
    } catch (error) {
      throw this.#told(error);
    }
  }

  #broke(client: Client, error: unknown): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    if (this.#isOpen) this.#lost = true;
    this.#told(error);
  }

  #discard(): void {
    const client = this.#client;
    this.#client = undefined;
    this.#isOpen = false;
    if (client !== undefined) void endInTime(client, this.#parts.times.answer);
  }

  async #exec(sql: string): Promise<void> {
    await this.#query({ text: sql });
  }

  // What goes wrong here goes wrong with everything that follows it, and is told there.
  #sendOff(sql: string): void {
    this.#query({ text: sql }).catch(() => undefined);
  }

  async #query(query: QueryConfig): Promise<QueryResult<Row>> {
    const client = this.#client;
    if (client === undefined || this.#lost) {
      throw new StorageFault("the transaction was lost with its connection", { breaks: true });
    }
    try {
      return await client.query<Row>(query);
    } catch (error) {
      const fault = this.#told(error);
      if (fault instanceof StorageFault && fault.breaks) this.#lost = true;
      throw fault;
    }
  }

  #told(error: unknown): unknown {
    const fault = toFault(error);
    if (fault instanceof StorageFault) this.#parts.onFault(fault);
    return fault;
  }
}
