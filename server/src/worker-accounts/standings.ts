import type { ModelId } from "@safelight/catalog";
import type { Database } from "../database/database.ts";

/** How accounts stand to a model: none has ever offered it, one has but none is ready for it now, one is ready. */
export type AccountStanding = "none" | "registered" | "ready";

/**
 * For each model, how the accounts stand to it. Asked with every claim, so it is kept, and read anew after each commit that changes an
 * account. What was offered once is remembered in the database: a restart, or a worker that is down, must not bring the embedded
 * engine back.
 */
export class AccountStandings {
  readonly #database: Database;
  #known: ReadonlyMap<string, AccountStanding> | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  of(model: ModelId): AccountStanding {
    this.#known ??= this.#read();
    return this.#known.get(model) ?? "none";
  }

  /** An account has changed, and the change is committed. */
  forget(): void {
    this.#known = null;
  }

  #read(): ReadonlyMap<string, AccountStanding> {
    const rows = this.#database
      .prepareRead(
        `SELECT model, max(offered AND status = 'ready' AND draining = 0) AS ready
         FROM worker_account_models JOIN worker_accounts ON worker_accounts.id = account_id
         WHERE deleted_at IS NULL GROUP BY model`,
      )
      .all();
    return new Map(rows.map(({ model, ready }) => [String(model), ready === 1 ? "ready" : "registered"]));
  }
}
