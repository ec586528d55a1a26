import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { channels } from "../gateways/channels.ts";
import { type AccountRegistry, announceChange, requireAccount } from "./registry.ts";
import { cancelRunsOf, runningOn } from "./runs.ts";

/**
 * Hides the account at once; its results stay. The row with its credentials goes in the same transaction when nothing runs there,
 * otherwise when the last run has ended (`purgeDeletedAccounts`). `force` cancels those runs. Errors: `not_found`.
 */
export async function deleteAccount(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  force: boolean,
): Promise<{ id: string }> {
  const deleted = await context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    const running = (await runningOn(tx.prepare, workspace)).length;
    await tx
      .prepare("UPDATE worker_accounts SET deleted_at = ?, next_check_at = NULL WHERE id = ?")
      .run(context.clock.now(), account.id);
    await purge(tx);
    await appendAudit(context, tx, {
      action: "delete_account",
      target: workspace,
      outcome: "success",
      details: { id: account.id, status: account.status, running, force },
    });
    await announceChange(registry, tx);
    return { id: account.id };
  });
  if (force) await cancelRunsOf(context, workspace);
  return deleted;
}

/** Removes deleted accounts on which nothing runs any more, credentials and all. Answers how many went. */
export function purgeDeletedAccounts(context: Context): Promise<number> {
  return context.database.write(async (tx) => {
    const gone = await purge(tx);
    if (gone > 0) await tx.notify(channels.accounts);
    return gone;
  });
}

async function purge(tx: Transaction): Promise<number> {
  const gone = await tx
    .prepare(
      `DELETE FROM worker_accounts WHERE deleted_at IS NOT NULL AND NOT EXISTS (
         SELECT 1 FROM tasks WHERE tasks.status = 'processing' AND tasks.executor = worker_accounts.workspace)`,
    )
    .run();
  return Number(gone.changes);
}
