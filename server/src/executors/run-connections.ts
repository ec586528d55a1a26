import type { AccountRecord } from "../worker-accounts/account-record.ts";
import type { WorkerClient } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";
import {
  type ConnectionParts,
  connectionVersionOf,
  openConnection,
  type WorkerConnection,
} from "./worker-connection.ts";

/**
 * Which connection each run of an account uses. New runs use the newest address and key; those that go on keep what they began with, and
 * take a newer key of the same address only when the old one is refused. A connection that nobody uses any more is closed.
 */
export class RunConnections {
  readonly #parts: ConnectionParts;
  readonly #connections = new Map<string, WorkerConnection>();
  readonly #using = new Map<string, WorkerConnection>();
  #account: AccountRecord;
  #retired = false;

  constructor(account: AccountRecord, parts: ConnectionParts) {
    this.#account = account;
    this.#parts = parts;
  }

  update(account: AccountRecord): void {
    this.#account = account;
    this.#closeUnused();
  }

  /** After the last run nothing is kept open. */
  retire(): void {
    this.#retired = true;
    this.#closeUnused();
  }

  isUsedBy(run: string): boolean {
    return this.#using.has(run);
  }

  /** From now on the run uses the newest connection. Throws a WorkerError when there is no address, or no key that can be read. */
  pin(run: string): WorkerConnection {
    const connection = this.newest();
    this.#using.set(run, connection);
    return connection;
  }

  /** The key that is sent for a run; empty when none is. */
  keyFor(run: string): string {
    return this.#using.get(run)?.key ?? "";
  }

  newest(): WorkerConnection {
    const known = this.#connections.get(connectionVersionOf(this.#account));
    if (known !== undefined) return known;
    const connection = openConnection(this.#account, this.#parts);
    this.#connections.set(connection.version, connection);
    return connection;
  }

  /** A call about a run. Rejects with a WorkerError. */
  async ask<T>(run: string, call: (client: WorkerClient) => Promise<T>): Promise<T> {
    const connection = this.#using.get(run) ?? this.newest();
    try {
      return await call(connection.client);
    } catch (error) {
      if (!(error instanceof WorkerError) || error.kind !== "key_refused") throw error;
      const newest = this.newest();
      if (newest === connection || newest.baseUrl !== connection.baseUrl) throw error;
      if (this.#using.has(run)) this.#using.set(run, newest);
      return call(newest.client);
    }
  }

  /** The run is over. */
  release(run: string): void {
    this.#using.delete(run);
    this.#closeUnused();
  }

  close(): void {
    this.#retired = true;
    this.#using.clear();
    this.#closeUnused();
  }

  #closeUnused(): void {
    const used = new Set(this.#using.values());
    const newest = connectionVersionOf(this.#account);
    for (const [version, connection] of this.#connections) {
      if (used.has(connection) || (version === newest && !this.#retired)) continue;
      connection.close();
      this.#connections.delete(version);
    }
  }
}
