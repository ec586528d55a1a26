import type { MediaType, Mode, ModelId } from "@safelight/catalog";
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
  readonly warnings: readonly TaskWarning[];
  readonly engine: string | null;
  readonly engineVersion: string | null;
  readonly completedPrompt: string | null;
  readonly attempt: number;
  readonly executor: string | null;
  /** JSON value given by the executor. */
  readonly runHandle: string | null;
  readonly leaseOwner: string | null;
  readonly leaseUntil: number | null;
  readonly leaseRenewedAt: number | null;
  readonly leasedMs: number;
  readonly released: boolean;
  readonly cancelRequestedAt: number | null;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

export interface TaskWarning {
  code: string;
  parameter?: string;
  words?: string[];
  detail: string;
}

export type TaskErrorCode =
  | "cancelled"
  | "timed_out"
  | "out_of_memory"
  | "engine_failed"
  | "worker_lost"
  | "no_workers"
  | "result_invalid"
  | "storage_failed"
  | "content_refused";
