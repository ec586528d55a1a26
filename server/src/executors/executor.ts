import type { Readable } from "node:stream";
import type { MediaType, Mode, ModelId } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";

/** What an executor needs to know of one attempt. Everything is already checked against the catalog. */
export interface RunRequest {
  taskId: string;
  attempt: number;
  model: ModelId;
  type: MediaType;
  mode: Mode;
  prompt: string;
  negativePrompt: string;
  /** Every parameter in force except the pictures. */
  parameters: Readonly<Record<string, unknown>>;
  seed: number;
  /** Milliseconds that the run may take from now. */
  deadlineMs: number;
  references: readonly RunReference[];
  /** What is embedded in the file, so that a result can be made again. */
  recipe: Readonly<Record<string, unknown>>;
}

export interface RunReference {
  parameter: string;
  position: number;
  /** Frame that the picture stands for; null where the mode has only one place for it. */
  frameIndex: number | null;
  strength: number;
  /** File on this machine. */
  path: string;
  /** What a worker elsewhere knows it by; left out where nothing is sent on. */
  media?: { id: string; contentType: string };
}

/** A JSON value that the executor gave and understands; kept in the task's row so that a restart can ask for the run. */
export type RunHandle = { readonly [key: string]: string | number | boolean | null };

export type RunStage = "starting" | "load" | "encode" | "denoise" | "decode" | "mux" | "save";

/** Codes that an executor may report for a failed run. `worker_lost` opens a new attempt, the others end the task. */
export type RunErrorCode =
  | "engine_failed"
  | "out_of_memory"
  | "worker_lost"
  | "storage_failed"
  | "timed_out"
  | "content_refused";

export interface RunUpdate {
  /** `unknown`: the executor does not know this handle (any more). */
  state: "running" | "succeeded" | "failed" | "unknown";
  stage: RunStage;
  stageDetail: string | null;
  step: number | null;
  steps: number | null;
  /** Integer, 0 to 100. */
  progress: number;
  /** 0 while there is no preview; raised with every new picture. */
  previewVersion: number;
  warnings: readonly Notice[];
  /** `again`: another attempt has a chance, though it is no fault of the executor. */
  error?: { code: RunErrorCode; detail: string; again?: boolean };
}

export interface RunResult {
  contentType: string;
  stream: Readable;
  bytes: number;
  sha256: string;
  width: number;
  height: number;
  /** 1 for a picture. */
  frames: number;
  /** 0 for a picture. */
  fps: number;
  engine: string;
  engineVersion: string;
  completedPrompt: string | null;
}

export type Offer = { able: true } | { able: false; reason: UnavailableReason };

/** Why a model and mode cannot run; the page translates by code. */
export type UnavailableReason = Notice;

/** Thrown by `start` when the run did not begin; another executor may be tried. */
export class StartFailed extends Error {
  /**
   * `busy`: every slot is taken. `unreachable`: it does not answer, or not as it should. `unavailable`: it answers that it cannot run
   * this now. `refused`: it answers that the request is wrong.
   */
  readonly reason: "busy" | "unreachable" | "unavailable" | "refused";
  constructor(reason: StartFailed["reason"], detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "StartFailed";
    this.reason = reason;
  }
}

/**
 * The seam to whatever turns a request into a picture or clip: the embedded engine or a GPU worker elsewhere.
 * Runs are named by a serialisable handle, so that picking one up after a restart is the same code as watching it.
 */
export interface Executor {
  /** The workspace of an account, or `embedded`. */
  readonly name: string;
  readonly engine: string;
  /** True when runs go on while this server is down. */
  readonly survivesRestart: boolean;
  /** How many runs fit at once, per type and in all. */
  slots(): { image: number; video: number; total: number };
  offer(model: ModelId, mode: Mode): Offer;
  /** Begins the run. Idempotent on (taskId, attempt). Throws StartFailed. */
  start(request: RunRequest): Promise<RunHandle>;
  /** The state now, then every change; ends after `succeeded`, `failed` or `unknown`, or quietly by the signal. */
  watch(handle: RunHandle, signal: AbortSignal): AsyncIterable<RunUpdate>;
  /** The newest step picture, or null. */
  preview(handle: RunHandle): Promise<{ contentType: string; bytes: Uint8Array } | null>;
  /** The result of a succeeded run; may be read again until released. */
  result(handle: RunHandle): Promise<RunResult>;
  /** Stops the run; its slot is free when resolved. Cancelling an ended or unknown run is no error. */
  cancel(handle: RunHandle): Promise<void>;
  /** Forgets an ended run and its files; forgetting twice is no error. */
  release(handle: RunHandle): Promise<void>;
  /** Lets go of connections and child processes. Runs that do not survive a restart end. */
  close(): Promise<void>;
}

/** Why `result` could not be read, though the run succeeded. Unless it is `final` it may be asked for again. */
export class ResultLost extends Error {
  readonly final: boolean;
  constructor(detail: string, cause?: unknown, final = false) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = "ResultLost";
    this.final = final;
  }
}

/** Answers for the whole installation whether a model and mode can run at all, and where. */
export interface Offers {
  offer(model: ModelId, mode: Mode): { able: true; executor: string } | { able: false; reason: UnavailableReason };
}
