import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { enqueueWebhook } from "../webhooks/outbox.ts";
import type { AccountRecord } from "./account-record.ts";
import { readAccount } from "./account-record.ts";
import { nextAccountStatus } from "./account-status.ts";
import { nextCheckIn } from "./check-interval.ts";
import type { CheckOutcome } from "./probe.ts";
import { type AccountRegistry, accountNotFound, announceChange, requireAccount } from "./registry.ts";

/** Checks that are remembered for each account: a day and a half of good ones. */
const keptChecks = 4000;
const mostTries = 3;
const longestHealth = 64 * 1024;

/**
 * Asks the worker and writes down what came of it: status, models, latency, error, next check, in one transaction. Checks by hand
 * leave an audit row each, planned ones where something is different from the check before. An answer that belongs to an address or a
 * key which was replaced meanwhile is thrown away and asked for again. Errors: `not_found`.
 */
export async function checkAccount(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  cause: "by_hand" | "planned",
): Promise<AccountRecord> {
  for (let attempt = 1; ; attempt += 1) {
    const account = await requireAccount(context.database.prepareRead, workspace);
    const outcome = await registry.probe(account);
    const checked = await context.database.write(async (tx) => {
      const current = await readAccount(tx.prepare, workspace);
      if (current === undefined || current.id !== account.id) throw accountNotFound();
      const isStale = current.revision !== account.revision && attempt < mostTries;
      return isStale ? null : await storeCheck(context, registry, tx, current, outcome, cause);
    });
    if (checked !== null) return checked;
  }
}

async function storeCheck(
  context: Context,
  registry: AccountRegistry,
  tx: Transaction,
  account: AccountRecord,
  outcome: CheckOutcome,
  cause: "by_hand" | "planned",
): Promise<AccountRecord> {
  const status = nextAccountStatus(account.status, outcome.ok ? "good_check" : "bad_check");
  const changed = differs(account, outcome);
  await writeState(context, tx, account, outcome, status);
  if (outcome.ok) await writeModels(context, tx, account, outcome.models);
  await writeHistory(context, tx, account, outcome);
  const details = {
    cause,
    from: account.status,
    to: status,
    latency_ms: outcome.latencyMs,
    ...(outcome.ok ? { models: outcome.models.map(({ model }) => model) } : { code: outcome.code }),
  };
  if (cause === "by_hand" || changed) {
    const verdict = outcome.ok ? "success" : "failure";
    await appendAudit(context, tx, { action: "check_account", target: account.workspace, outcome: verdict, details });
  }
  if (changed) {
    tx.afterCommit(() =>
      context.log[outcome.ok ? "info" : "warn"]("worker account checked", { workspace: account.workspace, ...details }),
    );
  }
  if (account.status !== status) await tellOperator(context, registry, tx, account, outcome, status);
  await announceChange(registry, tx);
  return requireAccount(tx.prepare, account.workspace);
}

/** That a ready account has failed, and that a failed one is ready again. */
async function tellOperator(
  context: Context,
  registry: AccountRegistry,
  tx: Transaction,
  account: AccountRecord,
  outcome: CheckOutcome,
  status: AccountRecord["status"],
): Promise<void> {
  const recovered = account.status === "failed" && status === "ready";
  if (status !== "failed" && !recovered) return;
  const { workspace, label, kind } = account;
  const error = outcome.ok ? null : { code: outcome.code, detail: outcome.detail };
  const data = { workspace, label, kind, previous_status: account.status, status, error };
  const type = recovered ? "worker_account.recovered" : "worker_account.failed";
  await enqueueWebhook(context, tx, { type, target: workspace, data });
  tx.afterCommit(registry.webhookQueued);
}

async function writeState(
  context: Context,
  tx: Transaction,
  account: AccountRecord,
  outcome: CheckOutcome,
  status: AccountRecord["status"],
): Promise<void> {
  const now = context.clock.now();
  const badChecks = outcome.ok ? 0 : account.badChecks + 1;
  const health = outcome.ok ? JSON.stringify(outcome.health) : null;
  await tx
    .prepare(
      `UPDATE worker_accounts SET status = ?, last_health_at = ?, last_health_status = ?, last_latency_ms = ?, last_error_code = ?,
       last_error = ?, last_health = coalesce(?, last_health), bad_checks = ?, next_check_at = ?, updated_at = ?
     WHERE id = ?`,
    )
    .run(
      status,
      now,
      outcome.ok ? "ok" : "failed",
      outcome.latencyMs,
      outcome.ok ? null : outcome.code,
      outcome.ok ? null : outcome.detail,
      health !== null && health.length <= longestHealth ? health : null,
      badChecks,
      status === "disabled" ? null : now + nextCheckIn(badChecks, Math.random()),
      now,
      account.id,
    );
}

/** What was offered before stays known as such: the embedded engine does not come back for it. */
async function writeModels(
  context: Context,
  tx: Transaction,
  account: AccountRecord,
  models: readonly { readonly model: string; readonly modes: readonly string[] }[],
): Promise<void> {
  const now = context.clock.now();
  await tx.prepare("UPDATE worker_account_models SET offered = 0 WHERE account_id = ?").run(account.id);
  const offer = tx.prepare(
    `INSERT INTO worker_account_models (account_id, model, modes, offered, first_offered_at, last_offered_at)
     VALUES (?, ?, ?, 1, ?, ?)
     ON CONFLICT (account_id, model) DO UPDATE SET modes = excluded.modes, offered = 1, last_offered_at = excluded.last_offered_at`,
  );
  for (const { model, modes } of models) await offer.run(account.id, model, JSON.stringify(modes), now, now);
}

async function writeHistory(
  context: Context,
  tx: Transaction,
  account: AccountRecord,
  outcome: CheckOutcome,
): Promise<void> {
  await tx
    .prepare(
      "INSERT INTO worker_account_checks (account_id, checked_at, outcome, latency_ms, error_code) VALUES (?, ?, ?, ?, ?)",
    )
    .run(
      account.id,
      context.clock.now(),
      outcome.ok ? "ok" : "failed",
      outcome.latencyMs,
      outcome.ok ? null : outcome.code,
    );
  await tx
    .prepare(
      `DELETE FROM worker_account_checks WHERE account_id = ? AND id <= (
       SELECT id FROM worker_account_checks WHERE account_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
    )
    .run(account.id, account.id, keptChecks);
}

/** Whether a check found something else than the one before it. */
function differs(account: AccountRecord, outcome: CheckOutcome): boolean {
  if (account.status !== nextAccountStatus(account.status, outcome.ok ? "good_check" : "bad_check")) return true;
  if (!outcome.ok) return account.lastErrorCode !== outcome.code;
  const known = account.models.filter(({ offered }) => offered).map(({ model }) => model);
  return (
    account.lastHealthStatus !== "ok" ||
    known.join() !==
      outcome.models
        .map(({ model }) => model)
        .sort()
        .join()
  );
}
