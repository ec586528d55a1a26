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
  /** Executors that did not start it or lost it; others are asked first. */
  readonly avoided: readonly string[];
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly favourite: boolean;
  readonly submittedBy: string;
  readonly front: boolean;
}

/** Reads a row. The JSON columns are parsed when they are first looked at: a poll for the status never needs them. */
export function toTaskRecord(row: Row): TaskRecord {
  return new StoredTask(row as unknown as TaskRow & { sequence: number });
}

const NOBODY: readonly string[] = Object.freeze([]);

// A class only for its speed: an object literal with getters makes new functions for every row that is read.
class StoredTask implements TaskRecord {
  readonly sequence: number;
  readonly id: string;
  readonly workspace: string | null;
  readonly model: ModelId;
  readonly type: MediaType;
  readonly mode: Mode;
  readonly prompt: string;
  readonly negativePrompt: string;
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
  readonly engine: string | null;
  readonly engineVersion: string | null;
  readonly completedPrompt: string | null;
  readonly attempt: number;
  readonly executor: string | null;
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
  readonly favourite: boolean;
  readonly submittedBy: string;
  readonly front: boolean;
  readonly #parametersText: string;
  readonly #warningsText: string;
  readonly #avoidedText: string;
  #parameters: Record<string, unknown> | undefined;
  #warnings: Notice[] | undefined;

  constructor(row: TaskRow & { sequence: number }) {
    this.sequence = row.sequence;
    this.id = row.id;
    this.workspace = row.workspace;
    this.model = row.model as ModelId;
    this.type = row.type;
    this.mode = row.mode as Mode;
    this.prompt = row.prompt;
    this.negativePrompt = row.negative_prompt;
    this.seed = row.seed;
    this.catalogVersion = row.catalog_version;
    this.status = row.status;
    this.progress = row.progress;
    this.stage = row.stage;
    this.stageDetail = row.stage_detail;
    this.step = row.step;
    this.steps = row.steps;
    this.previewVersion = row.preview_version;
    this.previewPath = row.preview_path;
    this.previewType = row.preview_type;
    this.resultPath = row.result_path;
    this.resultType = row.result_type;
    this.resultBytes = row.result_bytes;
    this.resultSha256 = row.result_sha256;
    this.width = row.width;
    this.height = row.height;
    this.frames = row.frames;
    this.fps = row.fps;
    this.errorCode = row.error_code as TaskErrorCode | null;
    this.errorMessage = row.error_msg;
    this.engine = row.engine;
    this.engineVersion = row.engine_version;
    this.completedPrompt = row.completed_prompt;
    this.attempt = row.attempt;
    this.executor = row.executor;
    this.runHandle = row.run_handle;
    this.leaseOwner = row.lease_owner;
    this.leaseUntil = row.lease_until;
    this.leaseRenewedAt = row.lease_renewed_at;
    this.leasedMs = row.leased_ms;
    this.released = row.released === 1;
    this.cancelRequestedAt = row.cancel_requested_at;
    this.unableMs = row.unable_ms;
    this.version = row.version;
    this.createdAt = row.created_at;
    this.updatedAt = row.updated_at;
    this.startedAt = row.started_at;
    this.finishedAt = row.finished_at;
    this.favourite = row.favourite === 1;
    this.submittedBy = row.submitted_by;
    this.front = row.front === 1;
    this.#parametersText = row.parameters;
    this.#warningsText = row.warnings;
    this.#avoidedText = row.avoided;
  }

  get parameters(): Readonly<Record<string, unknown>> {
    this.#parameters ??= JSON.parse(this.#parametersText) as Record<string, unknown>;
    return this.#parameters;
  }

  get avoided(): readonly string[] {
    return this.#avoidedText === "[]" ? NOBODY : (JSON.parse(this.#avoidedText) as string[]);
  }

  get warnings(): readonly Notice[] {
    this.#warnings ??= this.#warningsText === "[]" ? [] : (JSON.parse(this.#warningsText) as Notice[]);
    return this.#warnings;
  }
}
