/** Accounts as answers show them. What is not named here is not shown, least of all a credential. */
import type { Account, AccountHealth, AccountState } from "@safelight/contract";
import type { WorkerHealth } from "@safelight/contract/worker";
import type { Context } from "../context/context.ts";
import { type AccountRecord, readAccounts } from "./account-record.ts";
import { type AccountRegistry, requireAccount } from "./registry.ts";
import { countRunningOn } from "./runs.ts";

/** Every account, newest first. */
export async function listAccounts(context: Context, registry: AccountRegistry): Promise<Account[]> {
  const accounts = await readAccounts(context.database.prepareRead);
  return Promise.all(accounts.map(async (account) => describeAccount(context, registry, account)));
}

/** Errors: `not_found`. */
export async function getAccount(context: Context, registry: AccountRegistry, workspace: string): Promise<Account> {
  return describeAccount(context, registry, await requireAccount(context.database.prepareRead, workspace));
}

/** What the last checks found. Errors: `not_found`. */
export async function getAccountHealth(context: Context, workspace: string): Promise<AccountHealth> {
  const account = await requireAccount(context.database.prepareRead, workspace);
  const history = await context.database
    .prepareRead(
      "SELECT checked_at, outcome, latency_ms, error_code FROM worker_account_checks WHERE account_id = ? ORDER BY id DESC LIMIT 100",
    )
    .all(account.id);
  return {
    id: account.id,
    workspace: account.workspace,
    status: account.status,
    ...healthFields(account),
    worker: account.lastHealth === null ? null : describeWorker(JSON.parse(account.lastHealth) as WorkerHealth),
    history: history.map((row) => ({
      checked_at: time(Number(row.checked_at)),
      outcome: row.outcome as "ok" | "failed",
      latency_ms: row.latency_ms as number | null,
      error_code: row.error_code as string | null,
    })),
  };
}

export async function describeAccount(
  context: Context,
  registry: AccountRegistry,
  account: AccountRecord,
): Promise<Account> {
  return {
    id: account.id,
    label: account.label,
    workspace: account.workspace,
    kind: account.kind,
    base_url: account.baseUrl,
    status: account.status,
    draining: account.draining,
    added_at: time(account.createdAt),
    updated_at: time(account.updatedAt),
    last_used: account.lastUsedAt === null ? null : time(account.lastUsedAt),
    use_count: account.useCount,
    running: await countRunningOn(context.database.prepareRead, account.workspace),
    circuit: registry.circuits.describe(account.id),
    slots: { ...account.slots },
    min_containers: account.minContainers,
    max_containers: account.maxContainers,
    allow_plain_http: account.allowPlainHttp,
    credentials_changed_at: time(account.credentialsChangedAt),
    ...healthFields(account),
  };
}

export function describeState({ id, workspace, status, draining }: AccountRecord): AccountState {
  return { id, workspace, status, draining };
}

function healthFields(account: AccountRecord) {
  return {
    last_health_at: account.lastHealthAt === null ? null : time(account.lastHealthAt),
    last_health_status: account.lastHealthStatus,
    last_error: account.lastError,
    last_error_code: account.lastErrorCode,
    latency_ms: account.lastLatencyMs,
    models: account.models.map(({ model, modes, offered }) => ({ id: model, modes: [...modes], offered })),
  };
}

function describeWorker(health: WorkerHealth): NonNullable<AccountHealth["worker"]> {
  return {
    name: health.worker.name,
    version: health.worker.version,
    engine: health.engine.name,
    slots: health.slots,
    busy: health.busy,
    warm_models: health.models.filter(({ warm }) => warm).map(({ id }) => id),
    gpus: health.gpus.map(({ name, memory_bytes }) => ({ name, memory_bytes })),
  };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
