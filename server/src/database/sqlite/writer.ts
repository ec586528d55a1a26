import { SafelightError } from "../../errors.ts";
import type { Log } from "../../log.ts";
import type { Prepare } from "../database.ts";
import type { WriterConnection } from "../write-queue.ts";
import { UnreliableDatabase } from "./fault-guard.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";
import { preparing } from "./statement.ts";

/** The connection that writes, as the write queue uses it. */
export class SqliteWriter implements WriterConnection {
  readonly #connection: SqliteConnection;
  readonly #log: Log;
  readonly #committed: () => void;

  /** `committed` is called in the turn of the commit: until then it looks as if somebody else had changed the file. */
  constructor(connection: SqliteConnection, log: Log, committed: () => void) {
    this.#connection = connection;
    this.#log = log;
    this.#committed = committed;
  }

  get transactionLost(): boolean {
    return this.#connection.transactionLost;
  }

  begin(): void {
    this.#connection.begin();
  }

  beginWork(): void {
    this.#connection.exec("SAVEPOINT work");
  }

  /** Fails when SQLite has rolled back by itself and the work did not notice. */
  keepWork(): void {
    this.#connection.exec("RELEASE work");
  }

  undoWork(): void {
    this.#connection.exec("ROLLBACK TO work");
    this.#connection.exec("RELEASE work");
  }

  commit(): void {
    this.#connection.commit();
    this.#committed();
  }

  rollback(): void {
    this.#connection.rollback();
  }

  preparing(assertOpen: () => void): Prepare {
    return preparing(this.#connection, assertOpen);
  }

  async notify(): Promise<void> {
    // Nobody else is there.
  }

  refusal(error: unknown): SafelightError {
    // What SQLite says may name paths; the caller learns only that the change is not there.
    if (!(error instanceof UnreliableDatabase)) this.#log.error("a write to the database failed", { error });
    const text = "The server cannot store anything at the moment; nothing was changed.";
    return new SafelightError("storage_unavailable", text, { cause: error });
  }
}
