import type { Row } from "../database/database.ts";
import type { Prepare } from "../tasks/read.ts";
import type { AccountStatus } from "./account-status.ts";

export type AccountKind = "modal" | "http";

/** A model that an account has offered in a good check. */
export interface OfferedModel {
  readonly model: string;
  readonly modes: readonly string[];
  /** In its last good check; false: it did once. */
  readonly offered: boolean;
}

/** An account as verbs see it. Credentials stay ciphertexts; see `account-credentials.ts`. */
export interface AccountRecord {
  readonly id: string;
  readonly workspace: string;
  readonly label: string;
  readonly kind: AccountKind;
  /** Null for a Modal workspace that was never deployed. */
  readonly baseUrl: string | null;
  readonly allowPlainHttp: boolean;
  readonly status: AccountStatus;
  readonly draining: boolean;
  readonly sealed: {
    readonly tokenId: string | null;
    readonly tokenSecret: string | null;
    readonly workerKey: string | null;
    readonly nextWorkerKey: string | null;
  };
  readonly credentialsChangedAt: number;
  readonly workerKeyChangedAt: number;
  readonly slots: { readonly image: number; readonly video: number };
  readonly minContainers: number;
  readonly maxContainers: number;
  readonly lastHealthAt: number | null;
  readonly lastHealthStatus: "ok" | "failed" | null;
  readonly lastLatencyMs: number | null;
  readonly lastErrorCode: string | null;
  readonly lastError: string | null;
  /** JSON of what the worker said of itself in its last good check. */
  readonly lastHealth: string | null;
  /** In a row, up to now. */
  readonly badChecks: number;
  /** Wall milliseconds; null while none is planned. */
  readonly nextCheckAt: number | null;
  readonly useCount: number;
  readonly lastUsedAt: number | null;
  /** Raised when address or credentials change: a check of the older ones says nothing any more. */
  readonly revision: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly models: readonly OfferedModel[];
}

/** An account that is registered, or deleted with runs that go on. */
export interface AccountRow {
  readonly account: AccountRecord;
  readonly isDeleted: boolean;
}

/** The account of a workspace, unless it is deleted. */
export async function readAccount(prepare: Prepare, workspace: string): Promise<AccountRecord | undefined> {
  const rows = await prepare(`${withModels} WHERE workspace = ? AND deleted_at IS NULL ORDER BY offer.model`).all(
    workspace,
  );
  return toAccounts(rows)[0]?.account;
}

/** Every account that is not deleted, newest first. */
export async function readAccounts(prepare: Prepare): Promise<AccountRecord[]> {
  const order = "ORDER BY account.created_at DESC, account.id DESC, offer.model";
  const rows = await prepare(`${withModels} WHERE deleted_at IS NULL ${order}`).all();
  return toAccounts(rows).map(({ account }) => account);
}

/** Every row that is there: deleted accounts too, while runs go on there. Oldest first. */
export async function readAccountRows(prepare: Prepare): Promise<AccountRow[]> {
  const rows = await prepare(`${withModels} ORDER BY account.created_at, account.id, offer.model`).all();
  return toAccounts(rows);
}

/** One row for each model that an account has ever offered, one where it has offered none: both are of one state. */
const withModels = `SELECT account.*, offer.model AS offer_model, offer.modes AS offer_modes, offer.offered AS offer_now
  FROM worker_accounts AS account LEFT JOIN worker_account_models AS offer ON offer.account_id = account.id`;

function toAccounts(rows: readonly Row[]): AccountRow[] {
  return [...Map.groupBy(rows, ({ id }) => String(id)).values()].flatMap((same) => {
    const [row] = same;
    if (row === undefined) return [];
    return [{ account: toAccountRecord(row, toModels(same)), isDeleted: row.deleted_at !== null }];
  });
}

function toAccountRecord(row: Row, models: readonly OfferedModel[]): AccountRecord {
  return {
    id: String(row.id),
    workspace: String(row.workspace),
    label: String(row.label),
    kind: row.kind as AccountKind,
    baseUrl: row.base_url as string | null,
    allowPlainHttp: row.allow_plain_http === 1,
    status: row.status as AccountStatus,
    draining: row.draining === 1,
    sealed: {
      tokenId: row.token_id as string | null,
      tokenSecret: row.token_secret as string | null,
      workerKey: row.worker_key as string | null,
      nextWorkerKey: row.next_worker_key as string | null,
    },
    credentialsChangedAt: Number(row.credentials_changed_at),
    workerKeyChangedAt: Number(row.worker_key_changed_at ?? row.credentials_changed_at),
    slots: { image: Number(row.slots_image), video: Number(row.slots_video) },
    minContainers: Number(row.min_containers),
    maxContainers: Number(row.max_containers),
    lastHealthAt: row.last_health_at as number | null,
    lastHealthStatus: row.last_health_status as "ok" | "failed" | null,
    lastLatencyMs: row.last_latency_ms as number | null,
    lastErrorCode: row.last_error_code as string | null,
    lastError: row.last_error as string | null,
    lastHealth: row.last_health as string | null,
    badChecks: Number(row.bad_checks),
    nextCheckAt: row.next_check_at as number | null,
    useCount: Number(row.use_count),
    lastUsedAt: row.last_used_at as number | null,
    revision: Number(row.revision),
    createdAt: Number(row.created_at),
    updatedAt: Number(row.updated_at),
    models,
  };
}

function toModels(rows: readonly Row[]): OfferedModel[] {
  return rows
    .filter(({ offer_model }) => offer_model !== null)
    .map(({ offer_model, offer_modes, offer_now }) => ({
      model: String(offer_model),
      modes: JSON.parse(String(offer_modes)) as string[],
      offered: offer_now === 1,
    }));
}
