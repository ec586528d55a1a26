/**
 * New keys for workers. A planned one waits beside the key in force until its worker has it; after a leak it takes its place at once, and
 * the worker is not asked for anything until it has it too. Runs that go on keep the key they began with. Errors of all: `not_found`.
 */
import { rm } from "node:fs/promises";
import type { AuditAction, Secret } from "@safelight/contract";
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { ageInDays, warnAfterDays } from "../secrets/describe-secrets.ts";
import { replaceSecret, waitingFile } from "../secrets/secret-files.ts";
import { openCredential, sealCredential } from "./account-credentials.ts";
import { type AccountRecord, readAccounts } from "./account-record.ts";
import { type AccountRegistry, announceChange, requireAccount } from "./registry.ts";

export interface NewWorkerKey {
  readonly account: AccountRecord;
  /** Where the operator of the worker finds it; null for a Modal workspace, which gets it with its next deploy. */
  readonly writtenTo: string | null;
}

/** A key that counts once the worker has it: by the next deploy, or when it is taken into use. */
export function rotateWorkerKey(context: Context, registry: AccountRegistry, workspace: string): Promise<NewWorkerKey> {
  return make(context, registry, workspace, async (tx, account, sealed) => {
    await tx
      .prepare("UPDATE worker_accounts SET next_worker_key = ?, updated_at = ? WHERE id = ?")
      .run(sealed("nextWorkerKey"), context.clock.now(), account.id);
    await record(context, tx, "rotate_secret", account.workspace, { waits: true });
  });
}

/** The key in force counts never again; until the worker has the new one, its checks fail and it gets no work. */
export function revokeWorkerKey(context: Context, registry: AccountRegistry, workspace: string): Promise<NewWorkerKey> {
  return make(context, registry, workspace, async (tx, account, sealed) => {
    await putInForce(context, registry, tx, account, sealed("workerKey"));
    await record(context, tx, "revoke_secret", account.workspace, {});
  });
}

/** Takes the waiting key into use, and has the worker checked with it. Errors: `validation_failed` where none waits. */
export async function useNextWorkerKey(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
): Promise<AccountRecord> {
  const used = await context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    const next = openCredential(registry.keyring, account, "nextWorkerKey");
    if (next === null || account.kind === "modal") {
      const message =
        next === null ? "No new key waits: rotate first." : "A Modal workspace takes its new key with its next deploy.";
      throw new SafelightError("validation_failed", message, { fields: [{ field: "name", code: "not_now", message }] });
    }
    await putInForce(context, registry, tx, account, sealCredential(registry.keyring, account.id, "workerKey", next));
    await record(context, tx, "retire_secret", workspace, {});
    return requireAccount(tx.prepare, workspace);
  });
  // The worker has it by now.
  await rm(fileOf(context, workspace), { force: true }).catch((error: unknown) =>
    context.log.warn("the file of a worker key could not be removed", { error }),
  );
  return used;
}

/** After a deploy: where the key it has set is the one that waits, that one is in force. In the caller's transaction. */
export async function noteDeployedKey(
  context: Context,
  registry: AccountRegistry,
  tx: Transaction,
  accountId: string,
  key: string,
): Promise<void> {
  const account = (await readAccounts(tx.prepare)).find(({ id }) => id === accountId);
  if (account === undefined || openCredential(registry.keyring, account, "nextWorkerKey") !== key) return;
  await putInForce(context, registry, tx, account, sealCredential(registry.keyring, accountId, "workerKey", key));
}

/** The keys and tokens of accounts, as secrets. */
export async function describeAccountSecrets(context: Context): Promise<Secret[]> {
  return (await readAccounts(context.database.prepareRead))
    .toSorted((one, other) => (one.workspace < other.workspace ? -1 : 1))
    .flatMap((account) => [
      describe(context, `worker-key:${account.workspace}`, account.workerKeyChangedAt, nextStep(account)),
      ...(account.kind === "modal"
        ? [describe(context, `modal-token:${account.workspace}`, account.credentialsChangedAt, null)]
        : []),
    ]);
}

function nextStep({ kind, workspace, sealed }: AccountRecord): string | null {
  if (sealed.nextWorkerKey === null) return null;
  return kind === "modal"
    ? "A new key waits: it counts once a deploy has set it."
    : `A new key waits: give it to the worker, then safelight secrets retire worker-key:${workspace}.`;
}

function describe(context: Context, name: string, since: number, step: string | null): Secret {
  const age = ageInDays(since, context.clock.now());
  const isOverdue = age >= warnAfterDays;
  const how = name.startsWith("modal-token")
    ? "make a new token at Modal and replace the credentials of the account"
    : `safelight secrets rotate ${name}`;
  return {
    name,
    source: "database",
    setting: null,
    state: step !== null ? "waiting" : isOverdue ? "overdue" : "ok",
    id: null,
    created_at: new Date(since).toISOString(),
    age_days: age,
    former: [],
    next_step: step ?? (isOverdue ? `It is older than ${warnAfterDays} days: ${how}.` : null),
  };
}

type Seal = (name: "workerKey" | "nextWorkerKey") => string | null;

async function make(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  change: (tx: Transaction, account: AccountRecord, sealed: Seal) => Promise<void>,
): Promise<NewWorkerKey> {
  const { kind } = await requireAccount(context.database.prepareRead, workspace);
  const key = context.ids.token();
  context.log.hide(key);
  const file = kind === "modal" ? null : fileOf(context, workspace);
  if (file !== null) await writeKey(file, key);
  const account = await context.database.write(async (tx) => {
    const found = await requireAccount(tx.prepare, workspace);
    await change(tx, found, (name) => sealCredential(registry.keyring, found.id, name, key));
    return requireAccount(tx.prepare, workspace);
  });
  return { account, writtenTo: file };
}

function fileOf({ config }: Context, workspace: string): string {
  return waitingFile(config.dataDirectory, `worker-key-${workspace}`, "new");
}

async function writeKey(file: string, key: string): Promise<void> {
  await replaceSecret(file, key).catch((cause: unknown) => {
    throw new SafelightError("storage_unavailable", "The file of the new key cannot be written.", { cause });
  });
}

async function putInForce(
  context: Context,
  registry: AccountRegistry,
  tx: Transaction,
  account: AccountRecord,
  sealed: string | null,
): Promise<void> {
  const now = context.clock.now();
  await tx
    .prepare(
      `UPDATE worker_accounts SET worker_key = ?, next_worker_key = NULL, worker_key_changed_at = ?, revision = revision + 1,
       bad_checks = 0, updated_at = ?, next_check_at = CASE status WHEN 'disabled' THEN NULL ELSE CAST(? AS BIGINT) END
     WHERE id = ?`,
    )
    .run(sealed, now, now, now, account.id);
  await announceChange(registry, tx);
}

async function record(
  context: Context,
  tx: Transaction,
  action: AuditAction,
  workspace: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  const entry = {
    action,
    target: workspace,
    outcome: "success",
    details: { secret: "worker_key", ...details },
  } as const;
  await appendAudit(context, tx, entry);
}
