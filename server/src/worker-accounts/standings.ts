import type { ModelId } from "@safelight/catalog";
import type { Database, Prepare } from "../database/database.ts";
import { NewestRead } from "../database/newest-read.ts";

/** How accounts stand to a model: none has ever offered it, one has but none is ready for it now, one is ready. */
export type AccountStanding = "none" | "registered" | "ready";

/** For each model, how the accounts stand to it. */
export type Standings = ReadonlyMap<string, AccountStanding>;

/**
 * How the accounts stand to each model. Asked with every claim, so it is kept; each commit that changes an account brings it along. What
 * was offered once is remembered in the database: a restart, or a worker that is down, must not bring the embedded engine back.
 */
export class AccountStandings {
  readonly #database: Pick<Database, "prepareRead">;
  readonly #newest = new NewestRead();
  #known: Standings = new Map();

  private constructor(database: Pick<Database, "prepareRead">) {
    this.#database = database;
  }

  static async open(database: Pick<Database, "prepareRead">): Promise<AccountStandings> {
    const standings = new AccountStandings(database);
    await standings.reload();
    return standings;
  }

  /** Another gateway has changed an account. */
  async reload(): Promise<void> {
    await this.#newest.take(
      () => readStandings(this.#database.prepareRead),
      (standings) => (this.#known = standings),
    );
  }

  of(model: ModelId): AccountStanding {
    return this.#known.get(model) ?? "none";
  }

  /** What a transaction has read of its own change, once it is committed. */
  takeCommitted(standings: Standings): void {
    this.#newest.takeCommitted(standings, (committed) => (this.#known = committed));
  }
}

export async function readStandings(prepare: Prepare): Promise<Standings> {
  const rows = await prepare(
    `SELECT model, max(CASE WHEN offered = 1 AND status = 'ready' AND draining = 0 THEN 1 ELSE 0 END) AS ready
     FROM worker_account_models JOIN worker_accounts ON worker_accounts.id = account_id
     WHERE deleted_at IS NULL GROUP BY model`,
  ).all();
  return new Map(rows.map(({ model, ready }) => [String(model), ready === 1 ? "ready" : "registered"]));
}
