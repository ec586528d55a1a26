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

/** The account of a workspace, unless it is deleted. */
export function readAccount(prepare: Prepare, workspace: string): AccountRecord | undefined {
  const row = prepare("SELECT * FROM worker_accounts WHERE workspace = ? AND deleted_at IS NULL").get(workspace);
  return row === undefined ? undefined : toAccountRecord(prepare, row);
}

/** Every account that is not deleted, newest first. */
export function readAccounts(prepare: Prepare): AccountRecord[] {
  return prepare("SELECT * FROM worker_accounts WHERE deleted_at IS NULL ORDER BY created_at DESC, id DESC")
    .all()
    .map((row) => toAccountRecord(prepare, row));
}

/** Every row that is there: deleted accounts too, while runs go on there. Oldest first. */
export function readAccountRows(prepare: Prepare): { readonly account: AccountRecord; readonly isDeleted: boolean }[] {
  return prepare("SELECT * FROM worker_accounts ORDER BY created_at, id")
    .all()
    .map((row) => ({ account: toAccountRecord(prepare, row), isDeleted: row.deleted_at !== null }));
}

function toAccountRecord(prepare: Prepare, row: Row): AccountRecord {
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
    models: readModels(prepare, String(row.id)),
  };
}

function readModels(prepare: Prepare, accountId: string): OfferedModel[] {
  return prepare("SELECT model, modes, offered FROM worker_account_models WHERE account_id = ? ORDER BY model")
    .all(accountId)
    .map((row) => ({
      model: String(row.model),
      modes: JSON.parse(String(row.modes)) as string[],
      offered: row.offered === 1,
    }));
}
