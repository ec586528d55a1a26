import type { Context } from "../context/context.ts";
import { channels } from "../gateways/channels.ts";
import { type AccountRegistry, checkIsDue } from "./registry.ts";

/** Brings the planned check of an account forward to now: a run failed there, and whether the worker is well is not for the run to say. */
export async function checkSoon(context: Context, registry: AccountRegistry, accountId: string): Promise<void> {
  await context.database.write(async (tx) => {
    const now = context.clock.now();
    const { changes } = await tx
      .prepare(
        "UPDATE worker_accounts SET next_check_at = ? WHERE id = ? AND deleted_at IS NULL AND status <> 'disabled' AND next_check_at > ?",
      )
      .run(now, accountId, now);
    if (Number(changes) === 0) return;
    await tx.notify(channels.accounts, checkIsDue);
    tx.afterCommit(() => registry.wakeChecks());
  });
}
