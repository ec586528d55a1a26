/** Changes of a registered account that an operator asks for. Each is one transaction with its audit row. Errors of all: `not_found`. */
import type { AuditAction } from "@safelight/contract";
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { SqlValue, Transaction } from "../database/database.ts";
import { sealCredential } from "./account-credentials.ts";
import { type AccountChange, checkAccountChange, checkNewCredentials, type NewCredentials } from "./account-input.ts";
import type { AccountRecord } from "./account-record.ts";
import { nextAccountStatus } from "./account-status.ts";
import { type AccountRegistry, announceChange, requireAccount } from "./registry.ts";
import { cancelRunsOf } from "./runs.ts";

type AccountColumn =
  | "label"
  | "base_url"
  | "allow_plain_http"
  | "status"
  | "draining"
  | "token_id"
  | "token_secret"
  | "worker_key"
  | "next_worker_key"
  | "worker_key_changed_at"
  | "credentials_changed_at"
  | "slots_image"
  | "slots_video"
  | "min_containers"
  | "max_containers"
  | "next_check_at"
  | "bad_checks"
  | "revision";

type Columns = { [Column in AccountColumn]?: SqlValue };

interface Done {
  readonly action: AuditAction;
  readonly details: Readonly<Record<string, unknown>>;
}

/**
 * Label, address, slots, containers, the flag for plain http. The status stays; where the address is another one, a check is due at
 * once. Errors: `validation_failed`.
 */
export function updateAccount(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  change: AccountChange,
): Promise<AccountRecord> {
  return context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    const { baseUrl } = checkAccountChange(account, change, context.config.workerNetworks);
    const moved = baseUrl !== account.baseUrl;
    const columns: Columns = {
      label: change.label?.trim() ?? account.label,
      base_url: baseUrl,
      allow_plain_http: (change.allow_plain_http ?? account.allowPlainHttp) ? 1 : 0,
      slots_image: change.slots?.image ?? account.slots.image,
      slots_video: change.slots?.video ?? account.slots.video,
      min_containers: change.min_containers ?? account.minContainers,
      max_containers: change.max_containers ?? account.maxContainers,
      ...(moved ? { revision: account.revision + 1, ...checkDue(context, account) } : {}),
    };
    const details = { changed: Object.keys(change).sort(), ...(moved ? { base_url: baseUrl } : {}) };
    return store(context, registry, tx, account, columns, { action: "update_account", details });
  });
}

/** New credentials in place of the old ones, with a check at once. Errors: `validation_failed`. */
export function rotateCredentials(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  input: NewCredentials,
): Promise<AccountRecord> {
  return context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    checkNewCredentials(account.kind, input);
    const seal = (name: "tokenId" | "tokenSecret" | "workerKey", value: string | undefined) =>
      sealCredential(registry.keyring, account.id, name, value ?? null);
    const columns: Columns = {
      ...(account.kind === "http"
        ? {
            worker_key: seal("workerKey", input.worker_key),
            next_worker_key: null,
            worker_key_changed_at: context.clock.now(),
          }
        : { token_id: seal("tokenId", input.token_id), token_secret: seal("tokenSecret", input.token_secret) }),
      credentials_changed_at: context.clock.now(),
      revision: account.revision + 1,
      ...checkDue(context, account),
    };
    const secret = account.kind === "http" ? "worker_key" : "modal_token";
    return store(context, registry, tx, account, columns, { action: "rotate_secret", details: { secret } });
  });
}

/** A disabled account becomes `pending`; another keeps its status. Ends draining, and has a check made at once. */
export function enableAccount(context: Context, registry: AccountRegistry, workspace: string): Promise<AccountRecord> {
  return context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    const status = nextAccountStatus(account.status, "enable");
    const columns: Columns = { status, draining: 0, bad_checks: 0, next_check_at: context.clock.now() };
    const details = { from: account.status, to: status };
    return store(context, registry, tx, account, columns, { action: "enable_account", details });
  });
}

/** No more work and no more checks. Running tasks finish unless `force` cancels them. */
export async function disableAccount(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  force: boolean,
): Promise<AccountRecord> {
  const disabled = await context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    const status = nextAccountStatus(account.status, "disable");
    const details = { from: account.status, to: status, force };
    const columns: Columns = { status, next_check_at: null };
    return store(context, registry, tx, account, columns, { action: "disable_account", details });
  });
  if (force) await cancelRunsOf(context, workspace);
  return disabled;
}

/** Begins or ends draining: what runs finishes, nothing more is taken. The status stays. */
export function drainAccount(
  context: Context,
  registry: AccountRegistry,
  workspace: string,
  draining: boolean,
): Promise<AccountRecord> {
  return context.database.write(async (tx) => {
    const account = await requireAccount(tx.prepare, workspace);
    const columns: Columns = { draining: draining ? 1 : 0 };
    return store(context, registry, tx, account, columns, { action: "drain_account", details: { draining } });
  });
}

function checkDue(context: Context, account: AccountRecord): Columns {
  return account.status === "disabled" ? {} : { bad_checks: 0, next_check_at: context.clock.now() };
}

async function store(
  context: Context,
  registry: AccountRegistry,
  tx: Transaction,
  account: AccountRecord,
  columns: Columns,
  { action, details }: Done,
): Promise<AccountRecord> {
  const names = Object.keys(columns);
  await tx
    .prepare(
      `UPDATE worker_accounts SET ${names.map((name) => `${name} = ?`).join(", ")}, updated_at = ?
     WHERE id = ? AND deleted_at IS NULL`,
    )
    .run(...Object.values(columns), context.clock.now(), account.id);
  await appendAudit(context, tx, { action, target: account.workspace, outcome: "success", details });
  await announceChange(registry, tx);
  tx.afterCommit(() =>
    context.log.info("worker account changed", { action, workspace: account.workspace, ...details }),
  );
  return requireAccount(tx.prepare, account.workspace);
}
