import type { Notice } from "@safelight/contract";
import type { Executor, RunHandle, RunUpdate } from "../executors/executor.ts";
import { type Held, updateHeld } from "../queue/lease.ts";
import { mergeProgress } from "../tasks/lifecycle.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { previewName } from "./file-names.ts";
import { type Workshop, whenAborted } from "./workshop.ts";

interface NewPreview {
  columns: { preview_version: number; preview_path: string; preview_type: string };
  replaces: string | null;
}

/**
 * Writes what a run reports into its task. At most one write is under way; what is reported meanwhile waits and only the
 * latest of it is written. A preview's file is stored before its version is told to anyone. Neither a lost preview nor a
 * lost report hurts the run, so failures are logged and the next report tries again.
 */
export class ProgressWriter {
  readonly #shop: Workshop;
  readonly #held: Held;
  readonly #executor: Executor;
  readonly #handle: RunHandle;
  readonly #signal: AbortSignal;
  readonly #onChange: (task: TaskRecord | null) => void;
  #waiting: RunUpdate | null = null;
  #writing: Promise<void> | null = null;
  #written = "";
  #previewSeen = 0;
  #previewVersion: number;
  #previewPath: string | null;

  constructor(
    shop: Workshop,
    run: { task: TaskRecord; executor: Executor; handle: RunHandle; signal: AbortSignal },
    /** Hears the task after each write; null when it is no longer ours. */
    onChange: (task: TaskRecord | null) => void,
  ) {
    this.#shop = shop;
    this.#held = run.task;
    this.#executor = run.executor;
    this.#handle = run.handle;
    this.#signal = run.signal;
    this.#onChange = onChange;
    this.#previewVersion = run.task.previewVersion;
    this.#previewPath = run.task.previewPath;
  }

  offer(update: RunUpdate): void {
    this.#waiting = update;
    this.#writing ??= this.#drain();
  }

  /** Resolves when everything offered is written, or given up because the run was interrupted. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting !== null && !this.#signal.aborted) {
      const update = this.#waiting;
      this.#waiting = null;
      try {
        await this.#write(update);
      } catch (error) {
        this.#shop.context.log.warn("progress could not be stored", { task_id: this.#held.id, error });
      }
    }
    this.#writing = null;
  }

  async #write(update: RunUpdate): Promise<void> {
    const visible = JSON.stringify([
      update.state,
      update.stage,
      update.stageDetail,
      update.step,
      update.steps,
      update.progress,
      update.warnings,
    ]);
    const preview = update.previewVersion > this.#previewSeen ? await this.#storePreview(update.previewVersion) : null;
    if (visible === this.#written && preview === null) return;
    const task = await updateHeld(this.#shop.context, this.#held, (current) => ({
      columns: {
        ...reported(current, update),
        ...preview?.columns,
        // Written again each time: the handle must be there after a restart even if its own write failed.
        run_handle: JSON.stringify(this.#handle),
        storing: update.state === "succeeded" ? 1 : 0,
      },
    }));
    if (task !== null) this.#written = visible;
    await this.#tidyPreview(preview, task !== null);
    this.#onChange(task);
  }

  async #storePreview(version: number): Promise<NewPreview | null> {
    const { context } = this.#shop;
    const interruption = whenAborted(this.#signal);
    try {
      const preview = await Promise.race([this.#executor.preview(this.#handle), interruption.promise]);
      this.#previewSeen = version;
      if (preview === null) return null;
      const next = this.#previewVersion + 1;
      const path = previewName(context, this.#held.id, next);
      await context.media.put(path, preview.bytes);
      const columns = { preview_version: next, preview_path: path, preview_type: preview.contentType };
      return { columns, replaces: this.#previewPath };
    } catch (error) {
      context.log.warn("a preview could not be stored", { task_id: this.#held.id, error });
      return null;
    } finally {
      interruption.forget();
    }
  }

  async #tidyPreview(preview: NewPreview | null, announced: boolean): Promise<void> {
    if (preview === null) return;
    if (announced) {
      this.#previewVersion = preview.columns.preview_version;
      this.#previewPath = preview.columns.preview_path;
    }
    const surplus = announced ? preview.replaces : preview.columns.preview_path;
    // A leftover is found by the sweep.
    if (surplus !== null) await this.#shop.context.media.remove(surplus).catch(() => undefined);
  }
}

function reported(task: TaskRecord, update: RunUpdate) {
  const stage = task.cancelRequestedAt === null ? { stage: update.stage, stage_detail: update.stageDetail } : {};
  return {
    ...stage,
    step: update.step,
    steps: update.steps,
    progress: mergeProgress(task.progress, update.progress),
    warnings: JSON.stringify(withoutRepetition(update.warnings)),
  };
}

function withoutRepetition(warnings: readonly Notice[]): Notice[] {
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}
