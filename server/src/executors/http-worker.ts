import { setTimeout as sleep } from "node:timers/promises";
import { findModel, type Mode, type ModelId } from "@safelight/catalog";
import type { WorkerHealth, WorkerResult, WorkerTask } from "@safelight/contract/worker";
import type { Log } from "../log.ts";
import { accountOffer } from "../worker-accounts/account-offer.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import type { AttemptName } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";
import {
  type Executor,
  type Offer,
  ResultLost,
  type RunHandle,
  type RunRequest,
  type RunResult,
  type RunUpdate,
  StartFailed,
} from "./executor.ts";
import { LeftOverRuns } from "./left-over-runs.ts";
import { FIRST_UPDATE, UNKNOWN_UPDATE } from "./run-board.ts";
import { RunConnections } from "./run-connections.ts";
import { type ConnectionParts, resultBytes } from "./worker-connection.ts";
import { startFailureOf, taskRequestOf, updateOf } from "./worker-messages.ts";

export interface HttpWorkerParts extends ConnectionParts {
  readonly log: Log;
  /** The worker did not answer about a run, for the first time since it did. */
  readonly onSilence?: () => void;
  /** Whether somebody else works with a run that was to be stopped. */
  readonly isWanted?: (run: AttemptName) => Promise<boolean>;
}

/** How often a worker that answers at once is asked about one run: some questions freely, then one in so many milliseconds. */
const FREE_QUESTIONS = 20;
const PACE_MS = 50;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;

/**
 * The runs of one worker account. What the worker says is believed as far as its client checks it; what does not answer, or not as it
 * should, is asked again until it has been silent for too long, and then its run is lost.
 */
export class HttpWorkerExecutor implements Executor {
  readonly name: string;
  readonly survivesRestart = true;
  readonly #parts: HttpWorkerParts;
  readonly #connections: RunConnections;
  /** Runs seen to end, and the results that were announced for them. */
  readonly #ended = new Map<string, WorkerResult | null>();
  readonly #leftOver = new LeftOverRuns();
  #account: AccountRecord;
  #health: WorkerHealth | null = null;
  #retired = false;

  constructor(account: AccountRecord, parts: HttpWorkerParts) {
    this.name = account.workspace;
    this.#parts = parts;
    this.#account = account;
    this.#connections = new RunConnections(account, parts);
    this.update(account);
  }

  get account(): AccountRecord {
    return this.#account;
  }

  get engine(): string {
    return this.#health?.engine.name ?? "worker";
  }

  /** The account has changed, or was checked again. */
  update(account: AccountRecord): void {
    if (account.lastHealth !== this.#account.lastHealth || this.#health === null) {
      this.#health = account.lastHealth === null ? null : (JSON.parse(account.lastHealth) as WorkerHealth);
    }
    this.#account = account;
    this.#connections.update(account);
    if (account.status === "ready" && !this.#retired) {
      const { limits, log, isWanted = () => Promise.resolve(false) } = this.#parts;
      void this.#leftOver.stop(this.#connections, { patienceMs: limits.cancel, log, isWanted });
    }
  }

  /** The account is deleted: takes no more runs, and lets go of the worker after the last one. */
  retire(): void {
    this.#retired = true;
    this.#connections.retire();
  }

  /** What the operator allows and the worker has. */
  slots(): { image: number; video: number; total: number } {
    const { slots } = this.#account;
    const own = this.#health?.slots;
    const image = Math.min(slots.image, own?.image ?? slots.image);
    const video = Math.min(slots.video, own?.video ?? slots.video);
    return { image, video, total: Math.min(image + video, own?.total ?? image + video) };
  }

  offer(model: ModelId, mode: Mode): Offer {
    if (this.#retired) return { able: false, reason: { code: "disabled", detail: "It was removed." } };
    return accountOffer(this.#account, model, mode, findModel(model)?.type ?? "image");
  }

  async start(request: RunRequest): Promise<RunHandle> {
    const run: AttemptName = { taskId: request.taskId, attempt: request.attempt };
    const key = keyOf(run);
    this.#leftOver.drop(key);
    const message = await taskRequestOf(request).catch((error: unknown) => {
      throw new StartFailed("refused", "A picture of the task cannot be read.", error);
    });
    try {
      await this.#connections.pin(key).client.start(message.body, message.open);
      return { task: run.taskId, attempt: run.attempt };
    } catch (error) {
      // It may have arrived all the same.
      if (error instanceof WorkerError && error.kind !== "busy" && error.kind !== "task_refused")
        this.#leftOver.add(keyOf(run), run);
      this.#forget(key);
      throw startFailureOf(error);
    }
  }

  async *watch(handle: RunHandle, signal: AbortSignal): AsyncGenerator<RunUpdate, void, undefined> {
    const run = nameOf(handle);
    const key = keyOf(run);
    // One that began before a restart is followed with what is known now.
    if (!this.#connections.isUsedBy(key)) this.#pin(key);
    let last = FIRST_UPDATE;
    for await (const task of this.#follow(run, signal)) {
      if (task === "unknown") {
        yield UNKNOWN_UPDATE;
        return;
      }
      if (task === "silent") {
        const detail = "The worker did not answer for too long while it worked on the task.";
        yield { ...last, state: "failed", error: { code: "worker_lost", detail } };
        return;
      }
      if (task.state !== "running") this.#ended.set(key, task.result);
      last = updateOf(task, this.#connections.keyFor(key));
      yield last;
    }
  }

  async preview(handle: RunHandle): Promise<{ contentType: string; bytes: Uint8Array } | null> {
    const run = nameOf(handle);
    try {
      return await this.#connections.ask(keyOf(run), (client) => client.preview(run));
    } catch (error) {
      if (isUnknown(error)) return null;
      throw error;
    }
  }

  async result(handle: RunHandle): Promise<RunResult> {
    const run = nameOf(handle);
    try {
      const facts = await this.#factsOf(run);
      const stream = await this.#connections.ask(keyOf(run), (client) => client.result(run, facts));
      return {
        stream,
        contentType: facts.content_type,
        bytes: facts.bytes,
        sha256: facts.sha256,
        width: facts.width,
        height: facts.height,
        frames: facts.frames,
        fps: facts.fps,
        engine: facts.engine.slice(0, 100),
        engineVersion: facts.engine_version.slice(0, 100),
        completedPrompt: facts.completed_prompt?.slice(0, 4000) ?? null,
      };
    } catch (error) {
      if (error instanceof ResultLost) throw error;
      const isFinal = isUnknown(error) || (error instanceof WorkerError && error.kind === "broken_protocol");
      throw new ResultLost("The worker could not hand over its result.", error, isFinal);
    }
  }

  async cancel(handle: RunHandle): Promise<void> {
    const run = nameOf(handle);
    if (this.#ended.has(keyOf(run))) return;
    try {
      const task = await this.#connections.ask(keyOf(run), (client) => client.cancel(run, this.#parts.limits.cancel));
      if (task !== null && task.state === "running") this.#leftOver.add(keyOf(run), run);
    } catch {
      this.#leftOver.add(keyOf(run), run);
    }
  }

  async release(handle: RunHandle): Promise<void> {
    const run = nameOf(handle);
    const key = keyOf(run);
    try {
      if (!this.#leftOver.has(key)) await this.#connections.ask(keyOf(run), (client) => client.remove(run));
    } catch {
      this.#leftOver.add(keyOf(run), run);
    } finally {
      this.#forget(key);
    }
  }

  /** Runs go on; only our side of them ends. */
  async close(): Promise<void> {
    this.#retired = true;
    this.#connections.close();
  }

  /** The state of a run now and after every change, at a bounded pace, until it ends, is not known, or nothing is heard any more. */
  async *#follow(run: AttemptName, signal: AbortSignal): AsyncGenerator<WorkerTask | "unknown" | "silent"> {
    const { httpWait, workerSilence } = this.#parts.limits;
    let after = 0;
    let free = FREE_QUESTIONS;
    let pause = RETRY_MS;
    let heard = performance.now();
    while (!signal.aborted) {
      const asked = performance.now();
      try {
        const wish = { attempt: run.attempt, wait: httpWait / 1000, after };
        const task = await this.#connections.ask(keyOf(run), (client) => client.task(run.taskId, wish, signal));
        heard = performance.now();
        pause = RETRY_MS;
        if (task.version !== after || task.state !== "running") yield task;
        if (task.state !== "running") return;
        after = task.version;
        free = Math.min(FREE_QUESTIONS, free + (performance.now() - asked) / PACE_MS) - 1;
        if (free < 0) await rest(PACE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (pause === RETRY_MS && !isUnknown(error)) this.#parts.onSilence?.();
        this.#parts.log.debug("a worker did not tell of its run", { workspace: this.name, task_id: run.taskId, error });
        const isOver = isUnknown(error) || performance.now() - heard >= workerSilence;
        if (isOver) {
          yield isUnknown(error) ? "unknown" : "silent";
          return;
        }
        await rest(Math.min(pause, workerSilence - (performance.now() - heard)), signal);
        pause = Math.min(pause * 2, LONGEST_RETRY_MS);
      }
    }
  }

  async #factsOf(run: AttemptName): Promise<WorkerResult> {
    const facts =
      this.#ended.get(keyOf(run)) ??
      (await this.#connections.ask(keyOf(run), (client) => client.task(run.taskId, { attempt: run.attempt }))).result;
    if (facts === null) throw new ResultLost("There is no result of this run.", undefined, true);
    const most = facts.content_type.startsWith("video/") ? resultBytes.video : resultBytes.image;
    if (facts.bytes <= most) return facts;
    throw new ResultLost(`The result has ${facts.bytes} bytes, which is too much.`, undefined, true);
  }

  /** Without an address or a key every question fails, and the run is lost in time. */
  #pin(key: string): void {
    try {
      this.#connections.pin(key);
    } catch (error) {
      this.#parts.log.warn("a worker cannot be asked", { workspace: this.name, error });
    }
  }

  /** The run is over for us. */
  #forget(key: string): void {
    this.#connections.release(key);
    this.#ended.delete(key);
  }
}

function nameOf(handle: RunHandle): AttemptName {
  return { taskId: String(handle.task), attempt: Number(handle.attempt) };
}

function keyOf({ taskId, attempt }: AttemptName): string {
  return `${taskId}-${attempt}`;
}

function isUnknown(error: unknown): boolean {
  return error instanceof WorkerError && error.kind === "task_unknown";
}

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
