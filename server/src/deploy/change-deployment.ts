/** How a deployment changes its state: `queued → running → done | failed`, `queued → failed`. Nothing else changes it. */
import { appendAudit } from "../audit/append.ts";
import { actAs, type Context, SYSTEM_ACTOR } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { channels } from "../gateways/channels.ts";
import { livingFor } from "../gateways/presence.ts";
import type { AccountRegistry } from "../worker-accounts/registry.ts";
import { setDeployedAddress } from "../worker-accounts/set-deployed-address.ts";
import { noteDeployedKey } from "../worker-accounts/worker-key.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import { type DeploymentRecord, requireDeployment, toDeploymentRecord } from "./deployment-record.ts";
import { endings, type Failure } from "./explain-end.ts";

/** `workerKey`: the one that the deployed worker asks for; kept out of everything that is shown. */
export type Outcome = { readonly baseUrl: string; readonly workerKey?: string } | Failure;

/**
 * Takes a queued deployment; undefined when somebody has cancelled it, or another gateway has it. `at`: wall-clock milliseconds of the
 * first try; one that began then is ours, and the answer to that was lost.
 */
export function beginDeployment(context: Context, id: string, at: number): Promise<DeploymentRecord | undefined> {
  return context.database.write(async (tx) => {
    const begun = context.database.shared
      ? await tx
          .prepare(
            `UPDATE deployments SET status = 'running', started_at = ?, runner = ?
             WHERE id = ? AND (status = 'queued' OR status = 'running' AND started_at = ? AND runner = ?)`,
          )
          .run(at, context.instance, id, at, context.instance)
      : await tx
          .prepare(
            `UPDATE deployments SET status = 'running', started_at = ?
             WHERE id = ? AND (status = 'queued' OR status = 'running' AND started_at = ?)`,
          )
          .run(at, id, at);
    if (begun.changes === 0) return undefined;
    await tx.notify(channels.deployments, id);
    return requireDeployment(tx.prepare, id);
  });
}

/** Ends a running deployment with all that belongs to it: the rest of its log, the account's address, the audit row. */
export function finishDeployment(
  context: Context,
  accounts: AccountRegistry,
  record: DeploymentRecord,
  outcome: Outcome,
  log: DeploymentLog,
): Promise<void> {
  return context.database.write(async (tx) => {
    await log.storeRest(tx);
    if ("code" in outcome) return fail(context, tx, record, outcome);
    const changed = await tx
      .prepare(
        "UPDATE deployments SET status = 'done', base_url = ?, finished_at = ? WHERE number = ? AND status = 'running'",
      )
      .run(outcome.baseUrl, context.clock.now(), record.number);
    if (changed.changes === 0) return;
    await setDeployedAddress(context, accounts, tx, record.accountId, outcome.baseUrl);
    if (outcome.workerKey !== undefined)
      await noteDeployedKey(context, accounts, tx, record.accountId, outcome.workerKey);
    await recordEnd(context, tx, record, "success", { base_url: outcome.baseUrl });
  });
}

/** Ends one that waits. Writes no audit row: the request that asks for it has its own. */
export async function failQueued(context: Context, tx: Transaction, { number }: DeploymentRecord): Promise<void> {
  await tx
    .prepare(
      `UPDATE deployments SET status = 'failed', error_code = 'cancelled', error_detail = ?, finished_at = ?
     WHERE number = ? AND status = 'queued'`,
    )
    .run(endings.cancelled, context.clock.now(), number);
}

const ofOthers = "status = 'running' AND runner IS DISTINCT FROM ?";

/**
 * What was running when the server ended without a word has failed. Where there are several gateways, what none that lives is running: one
 * that lives and no longer leads is still ending its own. Answers how many there were.
 */
export async function failInterrupted(context: Context): Promise<number> {
  const { instance, database, clock } = context;
  if (database.shared) {
    // Asked often, and seldom true: others need not wait for it.
    const isAny = await database
      .prepareRead(`SELECT 1 AS one FROM deployments WHERE ${ofOthers} LIMIT 1`)
      .get(instance);
    if (isAny === undefined) return 0;
  }
  return database.write(async (tx) => {
    const rows = database.shared
      ? await tx
          .prepare(
            `SELECT * FROM deployments WHERE ${ofOthers}
               AND NOT EXISTS (SELECT 1 FROM gateways WHERE gateways.instance = runner AND seen_at > ?)`,
          )
          .all(instance, clock.now() - livingFor)
      : await tx.prepare("SELECT * FROM deployments WHERE status = 'running'").all();
    for (const row of rows) {
      const code = row.cancel_requested_at === null ? "interrupted" : "cancelled";
      await fail(context, tx, toDeploymentRecord(row), { code, detail: endings[code] });
    }
    return rows.length;
  });
}

async function fail(
  context: Context,
  tx: Transaction,
  record: DeploymentRecord,
  { code, detail }: Failure,
): Promise<void> {
  const changed = await tx
    .prepare(
      "UPDATE deployments SET status = 'failed', error_code = ?, error_detail = ?, finished_at = ? WHERE number = ? AND status = 'running'",
    )
    .run(code, detail, context.clock.now(), record.number);
  if (changed.changes > 0) await recordEnd(context, tx, record, "failure", { code });
}

/** The row of how it ended, by the system, with the correlation id of the request that began it. */
async function recordEnd(
  context: Context,
  tx: Transaction,
  { id, kind, workspace, version, correlationId }: DeploymentRecord,
  outcome: "success" | "failure",
  more: Readonly<Record<string, unknown>>,
): Promise<void> {
  const system = actAs(context, { actor: SYSTEM_ACTOR, source: "local", correlationId });
  const details = { deployment: id, version, ended: true, ...more };
  const action = kind === "deploy" ? "deploy_account" : "rollback_account";
  await tx.notify(channels.deployments, id);
  await appendAudit(system, tx, { action, target: workspace, outcome, details });
  tx.afterCommit(() =>
    context.log[outcome === "success" ? "info" : "warn"]("a deploy has ended", {
      action,
      workspace,
      outcome,
      ...details,
    }),
  );
}
