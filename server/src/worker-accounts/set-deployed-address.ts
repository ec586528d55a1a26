import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { type AccountRegistry, announceChange } from "./registry.ts";

/**
 * Where the worker of an account was found after its deploy. A check is due at once, which alone may change the status; what an older
 * check still under way says of the worker before is not believed. Nothing for an account that was deleted meanwhile.
 */
export async function setDeployedAddress(
  context: Context,
  registry: AccountRegistry,
  tx: Transaction,
  accountId: string,
  baseUrl: string,
): Promise<void> {
  const now = context.clock.now();
  await tx
    .prepare(
      `UPDATE worker_accounts SET base_url = ?, revision = revision + 1, bad_checks = 0, updated_at = ?,
       next_check_at = CASE status WHEN 'disabled' THEN NULL ELSE CAST(? AS BIGINT) END
     WHERE id = ? AND deleted_at IS NULL`,
    )
    .run(baseUrl, now, now, accountId);
  await announceChange(registry, tx);
}
