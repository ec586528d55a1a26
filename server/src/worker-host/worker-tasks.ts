import type { Readable } from "node:stream";
import type { MediaType, ModelEntry } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import { type WorkerSlots, type WorkerTask, type WorkerTaskRequest } from "@safelight/contract/worker";
import type { Offer } from "../executors/executor.ts";
import type { DiskMediaStore } from "../media/disk-media-store.ts";
import { Attempt } from "./attempt.ts";
import { type CheckedTask, checkTask, withReferences } from "./check-task.ts";
import type { ReferenceShelf } from "./reference-shelf.ts";
import { WorkerRefusal } from "./refusal.ts";
import { perform, type Workbench } from "./workbench.ts";

/** How long a cancel waits for the run to be over, in milliseconds. */
const cancelWait = 10_000;
/** How long results that are being stored may take once the worker stops, in milliseconds. */
const lastStores = 5000;

export interface WorkerTasksOptions extends Workbench {
  readonly media: DiskMediaStore;
  readonly shelf: ReferenceShelf;
  readonly offer: (task: CheckedTask) => Offer;
  /** Options of a model that this machine cannot honour. */
  readonly limits: (model: ModelEntry) => readonly Notice[];
  /** Milliseconds that an ended task is kept. */
  readonly keepMs: number;
}

/**
 * The tasks of a worker. One attempt of each is known, the newest. What is decided about a request (known? stale? a slot
 * free?) is decided in one go without waiting, so that two that race cannot both be right.
 */
export class WorkerTasks {
  readonly #options: WorkerTasksOptions;
  readonly #attempts = new Map<string, Attempt>();
  readonly #leaving = new Set<Promise<void>>();
  #stopping = false;

  private constructor(options: WorkerTasksOptions) {
    this.#options = options;
  }

  static async open(options: WorkerTasksOptions): Promise<WorkerTasks> {
    const tasks = new WorkerTasks(options);
    for (const kept of await options.kept.load()) {
      const known = tasks.#attempts.get(kept.task.task_id)?.kept ?? null;
      const newest = known === null || known.task.attempt < kept.task.attempt;
      if (newest) tasks.#attempts.set(kept.task.task_id, Attempt.fromDisk(kept));
      const surplus = newest ? known : kept;
      if (surplus !== null) await options.kept.remove(surplus);
    }
    return tasks;
  }

  get isStopping(): boolean {
    return this.#stopping;
  }

  slots(): WorkerSlots {
    const all = this.#options.executors.map((executor) => executor.slots());
    const sum = (key: keyof WorkerSlots): number => all.reduce((total, slots) => total + slots[key], 0);
    return { image: sum("image"), video: sum("video"), total: sum("total") };
  }

  busy(): WorkerSlots {
    const running = this.#running();
    const of = (type: MediaType): number => running.filter((attempt) => attempt.type === type).length;
    return { image: of("image"), video: of("video"), total: running.length };
  }

  /** Accepts an attempt, or finds the one that is known already. Throws a WorkerRefusal; then nothing was started. */
  accept(body: WorkerTaskRequest): { task: WorkerTask; isNew: boolean } {
    const checked = checkTask(body, this.#options.limits);
    const earlier = this.#attempts.get(body.task_id);
    if (earlier?.task.attempt === body.attempt) return { task: earlier.task, isNew: false };
    if (earlier !== undefined && earlier.task.attempt > body.attempt) throw superseded();
    if (this.#stopping) throw new WorkerRefusal("stopping", "The worker is being stopped.");
    const offer = this.#options.offer(checked);
    if (!offer.able) throw new WorkerRefusal("model_unavailable", offer.reason.detail);
    this.#requireSlot(checked.run.type, earlier);
    this.#requireMedia(body);
    const attempt = new Attempt(
      firstState(body),
      checked.run.type,
      body.media.map(({ id }) => id),
    );
    this.#attempts.set(body.task_id, attempt);
    attempt.finished = this.#begin(attempt, checked, earlier);
    return { task: attempt.task, isNew: true };
  }

  /** The attempt that is meant; without a number the newest. Throws `task_not_found`, `attempt_superseded`. */
  find(id: string, number: number | undefined): Attempt {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined || (number !== undefined && number > attempt.task.attempt)) {
      throw new WorkerRefusal("task_not_found", "There is no such attempt of such a task here.");
    }
    if (number !== undefined && number < attempt.task.attempt) throw superseded();
    return attempt;
  }

  async preview(attempt: Attempt): Promise<{ contentType: string; body: Uint8Array | Readable }> {
    const running = attempt.run === null ? null : await attempt.run.executor.preview(attempt.run.handle);
    if (running !== null) return { contentType: running.contentType, body: running.bytes };
    const kept = attempt.kept?.preview ?? null;
    if (kept === null) throw new WorkerRefusal("preview_not_found", "There is no preview of this task.");
    return { contentType: kept.contentType, body: await this.#options.media.open(kept.name) };
  }

  /** Resolves when the run has stopped and its slot is free, or after ten seconds. */
  async cancel(attempt: Attempt): Promise<void> {
    if (!attempt.isRunning) return;
    this.#stop(attempt, "cancel");
    await Promise.race([attempt.finished, new Promise((resolve) => setTimeout(resolve, cancelWait).unref())]);
  }

  async remove(attempt: Attempt): Promise<void> {
    if (attempt.isRunning) throw new WorkerRefusal("task_not_ended", "The task is still running.");
    if (attempt.kept !== null) await this.#options.kept.remove(attempt.kept);
    if (this.#attempts.get(attempt.task.task_id) === attempt) this.#attempts.delete(attempt.task.task_id);
  }

  /** Forgets what ended long ago, and pictures that nobody needs. */
  async sweep(now = Date.now()): Promise<void> {
    for (const attempt of this.#attempts.values()) {
      const endedAt = attempt.task.ended_at === null ? now : Date.parse(attempt.task.ended_at);
      if (!attempt.isRunning && now - endedAt > this.#options.keepMs) await this.remove(attempt);
    }
    await this.#options.shelf.sweep(new Set(this.#running().flatMap(({ mediaIds }) => mediaIds)), now);
  }

  /** Takes nothing new and stops what runs; a result that is being stored is stored. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const running = this.#running();
    for (const attempt of running) this.#stop(attempt, "worker_stops");
    const ends = Promise.allSettled([...running.map(({ finished }) => finished), ...this.#leaving]);
    await Promise.race([ends, new Promise((resolve) => setTimeout(resolve, lastStores).unref())]);
    for (const attempt of this.#attempts.values()) attempt.wake();
  }

  #running(): Attempt[] {
    return [...this.#attempts.values()].filter(({ isRunning }) => isRunning);
  }

  #requireSlot(type: MediaType, earlier: Attempt | undefined): void {
    const slots = this.slots();
    const others = this.#running().filter((attempt) => attempt !== earlier);
    const same = others.filter((attempt) => attempt.type === type).length;
    if (others.length < slots.total && same < slots[type]) return;
    throw new WorkerRefusal("busy", `Every slot for ${type} tasks is taken.`);
  }

  #requireMedia({ media }: WorkerTaskRequest): void {
    const fields = [...media.entries()]
      .filter(([, { id }]) => !this.#options.shelf.has(id))
      .map(([index, { id }]) => ({ field: `media[${index}]`, code: "unknown_media", message: `${id} is not here.` }));
    if (fields.length > 0) throw new WorkerRefusal("media_missing", "Pictures of the task are not here.", { fields });
  }

  async #begin(attempt: Attempt, checked: CheckedTask, earlier: Attempt | undefined): Promise<void> {
    if (earlier !== undefined) await this.#supersede(earlier);
    const { shelf } = this.#options;
    await perform(
      this.#options,
      attempt,
      withReferences(checked, (id) => shelf.pathOf(id)),
    );
  }

  /** The later attempt needs the slot of the earlier one, so it waits until that has let go. */
  async #supersede(earlier: Attempt): Promise<void> {
    const leaving = earlier.isRunning
      ? (this.#stop(earlier, "superseded"), earlier.finished)
      : earlier.kept === null
        ? Promise.resolve()
        : this.#options.kept.remove(earlier.kept);
    const settled = leaving.catch((error: unknown) => {
      this.#options.log.warn("an earlier attempt could not be tidied away", { error });
    });
    this.#leaving.add(settled);
    await settled;
    this.#leaving.delete(settled);
  }

  #stop(attempt: Attempt, reason: NonNullable<Attempt["stopReason"]>): void {
    attempt.stopReason ??= reason;
    attempt.cancelling();
    if (attempt.run === null) return;
    const { executor, handle } = attempt.run;
    executor.cancel(handle).catch((error: unknown) => {
      this.#options.log.warn("a run could not be cancelled", { task_id: attempt.task.task_id, error });
    });
  }
}

function superseded(): WorkerRefusal {
  return new WorkerRefusal("attempt_superseded", "A later attempt of this task is here.");
}

function firstState({ task_id, attempt, model, mode, seed }: WorkerTaskRequest): WorkerTask {
  return {
    task_id,
    attempt,
    model,
    mode,
    seed,
    state: "running",
    version: 1,
    stage: "starting",
    stage_detail: null,
    step: null,
    steps: null,
    progress: 0,
    preview_version: 0,
    warnings: [],
    error: null,
    result: null,
    accepted_at: new Date().toISOString(),
    ended_at: null,
  };
}
