import type { ModelId } from "@safelight/catalog";
import type { Database } from "../database/database.ts";
import { NewestRead } from "../database/newest-read.ts";

/** How accounts stand to a model: none has ever offered it, one has but none is ready for it now, one is ready. */
export type AccountStanding = "none" | "registered" | "ready";

/**
 * For each model, how the accounts stand to it. Asked with every claim, so it is kept, and read anew after each commit that changes an
 * account. What was offered once is remembered in the database: a restart, or a worker that is down, must not bring the embedded
 * engine back.
 */
export class AccountStandings {
  readonly #database: Database;
  readonly #newest = new NewestRead();
  #known: ReadonlyMap<string, AccountStanding> = new Map();

  private constructor(database: Database) {
    this.#database = database;
  }

  static async open(database: Database): Promise<AccountStandings> {
    const standings = new AccountStandings(database);
    await standings.refresh();
    return standings;
  }

  of(model: ModelId): AccountStanding {
    return this.#known.get(model) ?? "none";
  }

  /** An account has changed, and the change is committed. Where it cannot be read, what was known stays until the next change. */
  async refresh(): Promise<void> {
    await this.#newest.take(
      () => this.#read(),
      (known) => {
        this.#known = known;
      },
    );
  }

  async #read(): Promise<ReadonlyMap<string, AccountStanding>> {
    const rows = await this.#database
      .prepareRead(
        `SELECT model, max(CASE WHEN offered = 1 AND status = 'ready' AND draining = 0 THEN 1 ELSE 0 END) AS ready
         FROM worker_account_models JOIN worker_accounts ON worker_accounts.id = account_id
         WHERE deleted_at IS NULL GROUP BY model`,
      )
      .all();
    return new Map(rows.map(({ model, ready }) => [String(model), ready === 1 ? "ready" : "registered"]));
  }
}
