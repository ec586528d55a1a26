/** Asking for a deploy. Each is one transaction with its audit row; the deployer begins what is queued once it is on disk. */
import { hash } from "node:crypto";
import type { AuditAction } from "@safelight/contract";
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { channels } from "../gateways/channels.ts";
import { type AccountRecord, readAccounts } from "../worker-accounts/account-record.ts";
import { requireAccount } from "../worker-accounts/registry.ts";
import { type Deployer, queuedNow } from "./deployer.ts";
import {
  type DeploymentRecord,
  type DeploySettings,
  readDeploymentsOf,
  requireDeployment,
} from "./deployment-record.ts";
import { appFile } from "./modal-command.ts";
import { rollbackTarget } from "./rollback-target.ts";

/** Logs of each account that are kept; the deployments themselves stay. */
const keptLogs = 50;

type What = Pick<DeploymentRecord, "kind" | "rollbackOf" | "sourceHash" | "settings">;

/**
 * Queues a deploy of the worker's source as it stands now. One that waits already is answered instead. Errors: `not_found`,
 * `validation_failed` for an account of another kind or with a rollback waiting.
 */
export async function deployAccount(
  context: Context,
  deployer: Deployer,
  workspace: string,
): Promise<DeploymentRecord> {
  // Before the source is read: asking for what is not there should not cost anything.
  refuseOtherKind(await requireAccount(context.database.prepareRead, workspace));
  const sourceHash = await deployer.keepSource();
  return context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    refuseOtherKind(account);
    return queueDeploy(context, deployer, tx, account, sourceHash);
  });
}

/** Queues a deploy for every Modal workspace that is not disabled. */
export async function deployAll(context: Context, deployer: Deployer): Promise<DeploymentRecord[]> {
  const sourceHash = await deployer.keepSource();
  return context.database.write(async (tx) => {
    const queued: DeploymentRecord[] = [];
    for (const account of await readAccounts(tx.prepare)) {
      if (account.kind !== "modal" || account.status === "disabled") continue;
      if ((await waiting(tx, account.id))?.kind === "rollback") continue;
      queued.push(await queueDeploy(context, deployer, tx, account, sourceHash));
    }
    // Each has a row of its own beside this one.
    const details = { workspaces: queued.map(({ workspace }) => workspace) };
    await appendAudit(context, tx, { action: "deploy_all", target: null, outcome: "success", details });
    return queued;
  });
}

/**
 * Queues a deploy of what the last deployment that worked before the newest one was made of. Errors: `not_found`, `validation_failed`
 * where there is none, where another deployment has not ended, and for an account of another kind.
 */
export function rollbackAccount(context: Context, deployer: Deployer, workspace: string): Promise<DeploymentRecord> {
  return context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    refuseOtherKind(account);
    const deployments = await readDeploymentsOf(tx.prepare, account.id);
    if (deployments.some(({ finishedAt }) => finishedAt === null)) {
      refuseWorkspace("deployment_unfinished", "A deployment of this account has not ended: wait for it or cancel it.");
    }
    const target = rollbackTarget(deployments);
    if (target === null) {
      return refuseWorkspace("no_earlier_deployment", "There is no earlier deployment to go back to.");
    }
    const { id: rollbackOf, sourceHash, settings } = target;
    const queued = await insert(context, deployer, tx, account, { kind: "rollback", rollbackOf, sourceHash, settings });
    await audit(context, tx, "rollback_account", queued);
    return queued;
  });
}

async function queueDeploy(
  context: Context,
  deployer: Deployer,
  tx: Transaction,
  account: AccountRecord,
  sourceHash: string,
): Promise<DeploymentRecord> {
  const known = await waiting(tx, account.id);
  if (known?.kind === "rollback") refuseWorkspace("deployment_unfinished", "A rollback of this account is waiting.");
  const what: What = { kind: "deploy", rollbackOf: null, sourceHash, settings: settingsOf(context, account) };
  // What waits has not begun: it may as well be what was asked for last.
  const queued =
    known === undefined ? await insert(context, deployer, tx, account, what) : await renew(tx, known, what);
  await audit(context, tx, "deploy_account", queued);
  return queued;
}

async function insert(
  context: Context,
  deployer: Deployer,
  tx: Transaction,
  { id: accountId, workspace }: AccountRecord,
  { kind, rollbackOf, sourceHash, settings }: What,
): Promise<DeploymentRecord> {
  const id = context.ids.task();
  await tx
    .prepare(
      `INSERT INTO deployments
       (id, account_id, workspace, version, kind, rollback_of, status, source_hash, settings, correlation_id, queued_at)
     VALUES (?, ?, ?, (SELECT coalesce(max(version), 0) + 1 FROM deployments WHERE account_id = ?), ?, ?, 'queued', ?, ?, ?, ?)`,
    )
    .run(
      id,
      accountId,
      workspace,
      accountId,
      kind,
      rollbackOf,
      sourceHash,
      JSON.stringify(settings),
      context.correlationId,
      context.clock.now(),
    );
  await forgetOldLogs(tx, accountId);
  await tx.notify(channels.deployments, queuedNow);
  tx.afterCommit(() => deployer.wake());
  return requireDeployment(tx.prepare, id);
}

async function forgetOldLogs(tx: Transaction, accountId: string): Promise<void> {
  const old = await tx
    .prepare(
      "SELECT number FROM deployments WHERE account_id = ? AND log_lines > 0 ORDER BY number DESC LIMIT 9007199254740991 OFFSET ?",
    )
    .all(accountId, keptLogs);
  for (const { number = null } of old) {
    await tx.prepare("DELETE FROM deployment_log WHERE deployment = ?").run(number);
    await tx.prepare("UPDATE deployments SET log_lines = 0 WHERE number = ?").run(number);
  }
}

async function renew(
  tx: Transaction,
  { id }: DeploymentRecord,
  { sourceHash, settings }: What,
): Promise<DeploymentRecord> {
  await tx
    .prepare("UPDATE deployments SET source_hash = ?, settings = ? WHERE id = ? AND status = 'queued'")
    .run(sourceHash, JSON.stringify(settings), id);
  return requireDeployment(tx.prepare, id);
}

async function waiting(tx: Transaction, accountId: string): Promise<DeploymentRecord | undefined> {
  return (await readDeploymentsOf(tx.prepare, accountId)).find(({ status }) => status === "queued");
}

async function audit(
  context: Context,
  tx: Transaction,
  action: AuditAction,
  { id, workspace, version, rollbackOf }: DeploymentRecord,
) {
  const details = { deployment: id, version, ...(rollbackOf === null ? {} : { rollback_of: rollbackOf }) };
  await appendAudit(context, tx, { action, target: workspace, outcome: "success", details });
}

function settingsOf(
  { config: { modalGpu } }: Context,
  { workspace, minContainers, maxContainers, slots }: AccountRecord,
): DeploySettings {
  return {
    app: appName(workspace),
    file: appFile,
    endpoint: "web",
    min_containers: minContainers,
    max_containers: maxContainers,
    ...(modalGpu === null ? {} : { gpu: modalGpu }),
    slots: { ...slots },
  };
}

/** Modal allows fewer than 64 characters, a workspace may have 64. */
function appName(workspace: string): string {
  const name = `safelight-${workspace}`;
  return name.length < 60 ? name : `${name.slice(0, 50)}-${hash("sha256", workspace).slice(0, 8)}`;
}

function refuseOtherKind({ kind }: AccountRecord): void {
  if (kind !== "modal") refuseWorkspace("not_for_kind", "Only accounts of the kind modal are deployed from here.");
}

function refuseWorkspace(code: string, message: string): never {
  throw new SafelightError("validation_failed", message, { fields: [{ field: "workspace", code, message }] });
}
