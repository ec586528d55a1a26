/** Deployments as verbs see them and as answers show them. */
import type { Deployment, DeploymentDetail } from "@safelight/contract";
import type { Row } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import type { Prepare } from "../tasks/read.ts";

/** What a deployment is made with besides its source and the credentials; kept, so that a rollback brings it back. */
export interface DeploySettings {
  /** Name of the app inside the Modal workspace. */
  readonly app: string;
  /** The file of the source that is deployed. */
  readonly file: string;
  /** The function of the app that answers web requests. */
  readonly endpoint: string;
  readonly min_containers: number;
  readonly max_containers: number;
  /** Cards in the order of preference, separated by commas, in Modal's names; the app's own choice without it. */
  readonly gpu?: string;
  /** Tasks of each type at once. */
  readonly slots: { readonly image: number; readonly video: number };
}

export interface DeploymentRecord {
  /** Rises with every deployment of the installation. */
  readonly number: number;
  readonly id: string;
  readonly accountId: string;
  readonly workspace: string;
  /** Counts the deployments of the account, from 1. */
  readonly version: number;
  readonly kind: "deploy" | "rollback";
  /** Always a deployment of the kind `deploy`. */
  readonly rollbackOf: string | null;
  readonly status: "queued" | "running" | "done" | "failed";
  readonly errorCode: string | null;
  readonly errorDetail: string | null;
  readonly baseUrl: string | null;
  /** SHA-256 of the kept source, in hex. */
  readonly sourceHash: string;
  readonly settings: DeploySettings;
  /** Of the request that asked for it. */
  readonly correlationId: string;
  readonly queuedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly logLines: number;
}

/** Errors: `not_found`. */
export async function requireDeployment(prepare: Prepare, id: string): Promise<DeploymentRecord> {
  const row = await prepare("SELECT * FROM deployments WHERE id = ?").get(id);
  if (row === undefined) throw new SafelightError("not_found", "There is no deployment with this id.");
  return toDeploymentRecord(row);
}

/** Every deployment of an account, newest first. */
export async function readDeploymentsOf(prepare: Prepare, accountId: string): Promise<DeploymentRecord[]> {
  return (await prepare("SELECT * FROM deployments WHERE account_id = ? ORDER BY number DESC").all(accountId)).map(
    toDeploymentRecord,
  );
}

/** The log from a line on. */
export async function readLogLines(prepare: Prepare, deployment: number, from: number): Promise<string[]> {
  return (
    await prepare("SELECT text FROM deployment_log WHERE deployment = ? AND line >= ? ORDER BY line").all(
      deployment,
      from,
    )
  ).map(({ text }) => String(text));
}

export function toDeploymentRecord(row: Row): DeploymentRecord {
  return {
    number: Number(row.number),
    id: String(row.id),
    accountId: String(row.account_id),
    workspace: String(row.workspace),
    version: Number(row.version),
    kind: row.kind as DeploymentRecord["kind"],
    rollbackOf: row.rollback_of as string | null,
    status: row.status as DeploymentRecord["status"],
    errorCode: row.error_code as string | null,
    errorDetail: row.error_detail as string | null,
    baseUrl: row.base_url as string | null,
    sourceHash: String(row.source_hash),
    settings: JSON.parse(String(row.settings)) as DeploySettings,
    correlationId: String(row.correlation_id),
    queuedAt: Number(row.queued_at),
    startedAt: row.started_at as number | null,
    finishedAt: row.finished_at as number | null,
    logLines: Number(row.log_lines),
  };
}

export function describeDeployment(record: DeploymentRecord): Deployment {
  return {
    id: record.id,
    workspace: record.workspace,
    version: record.version,
    kind: record.kind,
    rollback_of: record.rollbackOf,
    status: record.status,
    error: record.errorCode === null ? null : { code: record.errorCode, detail: record.errorDetail ?? "" },
    base_url: record.baseUrl,
    queued_at: time(record.queuedAt),
    started_at: record.startedAt === null ? null : time(record.startedAt),
    finished_at: record.finishedAt === null ? null : time(record.finishedAt),
    log_lines: record.logLines,
  };
}

export async function describeWithLog(prepare: Prepare, record: DeploymentRecord): Promise<DeploymentDetail> {
  return { ...describeDeployment(record), log: await readLogLines(prepare, record.number, 0) };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
