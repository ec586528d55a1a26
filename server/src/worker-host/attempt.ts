import type { MediaType } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import {
  type WorkerResult,
  type WorkerTask,
  type WorkerTaskError,
  workerTaskErrorCodes,
} from "@safelight/contract/worker";
import type { Executor, RunHandle, RunUpdate } from "../executors/executor.ts";
import type { KeptTask } from "./kept-tasks.ts";

type Ending = { readonly result: WorkerResult } | { readonly error: WorkerTaskError };

/** One attempt of a task from its acceptance until it is forgotten: what the gateway is told, and where it runs. */
export class Attempt {
  readonly type: MediaType;
  /** Pictures that must not be swept away while it runs. */
  readonly mediaIds: readonly string[];
  /** Where it runs; null before it has started and after a restart of the worker. */
  run: { readonly executor: Executor; readonly handle: RunHandle } | null = null;
  kept: KeptTask | null = null;
  /** Why it is to stop, once somebody wants that. */
  stopReason: "cancel" | "superseded" | "worker_stops" | null = null;
  /** Resolves when nothing of it runs any more. */
  finished: Promise<void> = Promise.resolve();
  #task: WorkerTask;
  #waiting: (() => void)[] = [];

  constructor(task: WorkerTask, type: MediaType, mediaIds: readonly string[]) {
    this.#task = task;
    this.type = type;
    this.mediaIds = mediaIds;
  }

  static fromDisk(kept: KeptTask): Attempt {
    const attempt = new Attempt(kept.task, "image", []);
    attempt.kept = kept;
    return attempt;
  }

  get task(): WorkerTask {
    return this.#task;
  }

  get isRunning(): boolean {
    return this.#task.state === "running";
  }

  /** Takes over what an executor reports; an ended attempt changes no more. */
  report(update: RunUpdate): void {
    const { stage, stageDetail, step, steps, previewVersion, warnings } = update;
    const progress = Math.max(this.#task.progress, Math.min(update.progress, 99));
    this.#change({
      stage: this.stopReason === null ? stage : "cancelling",
      stage_detail: stageDetail,
      step,
      steps,
      progress,
      preview_version: previewVersion,
      warnings: warnings.map((warning: Notice) => ({ ...warning })),
    });
  }

  cancelling(): void {
    this.#change({ stage: "cancelling" });
  }

  /** The state as it will be once the attempt has ended so; nobody is told yet. */
  ending(ending: Ending): WorkerTask {
    const succeeded = "result" in ending;
    return {
      ...this.#task,
      state: succeeded ? "succeeded" : "failed",
      version: this.#task.version + 1,
      progress: succeeded ? 100 : this.#task.progress,
      error: succeeded ? null : ending.error,
      result: succeeded ? ending.result : null,
      ended_at: new Date().toISOString(),
    };
  }

  /** Tells the end, which by now is on disk. */
  end(task: WorkerTask): void {
    if (!this.isRunning) return;
    this.#task = task;
    this.wake();
  }

  /** Resolves when `version` is above `after`, at the end of the attempt, after the time, or by the signal. */
  async changed(after: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    const enough = AbortSignal.any([signal, AbortSignal.timeout(milliseconds)]);
    while (this.isRunning && this.#task.version <= after && !enough.aborted) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        enough.addEventListener("abort", () => resolve(), { once: true });
      });
      // Changes that follow at once are told together.
      if (!enough.aborted && this.isRunning) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  #change(change: Partial<WorkerTask>): void {
    if (!this.isRunning) return;
    this.#task = { ...this.#task, ...change, version: this.#task.version + 1 };
    this.wake();
  }
}

export function taskError(code: WorkerTaskError["code"], detail: string): WorkerTaskError {
  return { code, detail, retryable: workerTaskErrorCodes[code].retryable };
}
