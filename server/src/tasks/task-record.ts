import type { MediaType, Mode, ModelId } from "@safelight/catalog";
import type { Notice, TaskErrorCode } from "@safelight/contract";
import type { Row } from "../database/database.ts";
import type { TaskRow } from "../database/tables.ts";
import type { TaskStatus } from "./lifecycle.ts";

/** A task as the verbs see it: the row with its JSON columns read. Times are wall-clock milliseconds. */
export interface TaskRecord {
  readonly sequence: number;
  readonly id: string;
  readonly workspace: string | null;
  readonly model: ModelId;
  readonly type: MediaType;
  readonly mode: Mode;
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly seed: number;
  readonly catalogVersion: string;
  readonly status: TaskStatus;
  readonly progress: number;
  readonly stage: string;
  readonly stageDetail: string | null;
  readonly step: number | null;
  readonly steps: number | null;
  readonly previewVersion: number;
  readonly previewPath: string | null;
  readonly previewType: string | null;
  readonly resultPath: string | null;
  readonly resultType: string | null;
  readonly resultBytes: number | null;
  readonly resultSha256: string | null;
  readonly width: number | null;
  readonly height: number | null;
  readonly frames: number | null;
  readonly fps: number | null;
  readonly errorCode: TaskErrorCode | null;
  readonly errorMessage: string | null;
  readonly warnings: readonly Notice[];
  readonly engine: string | null;
  readonly engineVersion: string | null;
  readonly completedPrompt: string | null;
  readonly attempt: number;
  readonly executor: string | null;
  /** JSON text of what the executor gave. */
  readonly runHandle: string | null;
  readonly leaseOwner: string | null;
  readonly leaseUntil: number | null;
  readonly leaseRenewedAt: number | null;
  readonly leasedMs: number;
  readonly released: boolean;
  readonly cancelRequestedAt: number | null;
  readonly unableMs: number;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** Reads a row. The JSON columns are parsed when they are first looked at: a poll for the status never needs them. */
export function toTaskRecord(source: Row): TaskRecord {
  const row = source as unknown as TaskRow & { sequence: number };
  let parameters: Record<string, unknown> | undefined;
  let warnings: Notice[] | undefined;
  return {
    sequence: row.sequence,
    id: row.id,
    workspace: row.workspace,
    model: row.model as ModelId,
    type: row.type,
    mode: row.mode as Mode,
    prompt: row.prompt,
    negativePrompt: row.negative_prompt,
    get parameters() {
      parameters ??= JSON.parse(row.parameters) as Record<string, unknown>;
      return parameters;
    },
    seed: row.seed,
    catalogVersion: row.catalog_version,
    status: row.status,
    progress: row.progress,
    stage: row.stage,
    stageDetail: row.stage_detail,
    step: row.step,
    steps: row.steps,
    previewVersion: row.preview_version,
    previewPath: row.preview_path,
    previewType: row.preview_type,
    resultPath: row.result_path,
    resultType: row.result_type,
    resultBytes: row.result_bytes,
    resultSha256: row.result_sha256,
    width: row.width,
    height: row.height,
    frames: row.frames,
    fps: row.fps,
    errorCode: row.error_code as TaskErrorCode | null,
    errorMessage: row.error_msg,
    get warnings() {
      warnings ??= row.warnings === "[]" ? [] : (JSON.parse(row.warnings) as Notice[]);
      return warnings;
    },
    engine: row.engine,
    engineVersion: row.engine_version,
    completedPrompt: row.completed_prompt,
    attempt: row.attempt,
    executor: row.executor,
    runHandle: row.run_handle,
    leaseOwner: row.lease_owner,
    leaseUntil: row.lease_until,
    leaseRenewedAt: row.lease_renewed_at,
    leasedMs: row.leased_ms,
    released: row.released === 1,
    cancelRequestedAt: row.cancel_requested_at,
    unableMs: row.unable_ms,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}
