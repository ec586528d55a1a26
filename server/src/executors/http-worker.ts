import { setTimeout as sleep } from "node:timers/promises";
import { findModel, type Mode, type ModelId } from "@safelight/catalog";
import type { WorkerHealth, WorkerResult, WorkerTask } from "@safelight/contract/worker";
import type { Log } from "../log.ts";
import { accountOffer } from "../worker-accounts/account-offer.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import type { WorkerClient } from "../worker-client/worker-client.ts";
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
import { FIRST_UPDATE, UNKNOWN_UPDATE } from "./run-board.ts";
import {
  type ConnectionParts,
  connectionVersionOf,
  openConnection,
  resultBytes,
  type WorkerConnection,
} from "./worker-connection.ts";
import { startFailureOf, taskRequestOf, updateOf } from "./worker-messages.ts";

export interface HttpWorkerParts extends ConnectionParts {
  readonly log: Log;
}

/** One run as its handle names it. */
interface RunName {
  readonly taskId: string;
  readonly attempt: number;
}

/** How often a worker that answers at once is asked about one run: some questions freely, then one in so many milliseconds. */
const FREE_QUESTIONS = 20;
const PACE_MS = 50;
const RETRY_MS = 250;
const LONGEST_RETRY_MS = 2000;
/** Runs that are still to be stopped on a worker that did not answer when they should have been. */
const MOST_LEFT_OVER = 200;

/**
 * The runs of one worker account. What the worker says is believed as far as its client checks it; what does not answer, or not as it
 * should, is asked again until it has been silent for too long, and then its run is lost. New runs use the newest address and key;
 * those that go on keep the ones they began with, and take a new key of the same address only when the old one is refused.
 */
export class HttpWorkerExecutor implements Executor {
  readonly name: string;
  readonly survivesRestart = true;
  readonly #parts: HttpWorkerParts;
  readonly #connections = new Map<string, WorkerConnection>();
  /** Which connection each run uses that is not over. */
  readonly #using = new Map<string, WorkerConnection>();
  /** Runs seen to end, and the results that were announced for them. */
  readonly #ended = new Map<string, WorkerResult | null>();
  readonly #leftOver = new Map<string, RunName>();
  #account: AccountRecord;
  #health: WorkerHealth | null = null;
  #retired = false;

  constructor(account: AccountRecord, parts: HttpWorkerParts) {
    this.name = account.workspace;
    this.#parts = parts;
    this.#account = account;
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
    this.#closeUnused();
    if (account.status === "ready" && !this.#retired) void this.#stopLeftOver();
  }

  /** The account is deleted: takes no more runs, and lets go of the worker after the last one. */
  retire(): void {
    this.#retired = true;
    this.#closeUnused();
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
    const run: RunName = { taskId: request.taskId, attempt: request.attempt };
    const key = keyOf(run);
    this.#leftOver.delete(key);
    const message = await taskRequestOf(request).catch((error: unknown) => {
      throw new StartFailed("refused", "A picture of the task cannot be read.", error);
    });
    try {
      const connection = this.#newest();
      this.#using.set(key, connection);
      await connection.client.start(message.body, message.open);
      return { task: run.taskId, attempt: run.attempt };
    } catch (error) {
      // It may have arrived all the same.
      if (error instanceof WorkerError && error.kind !== "busy" && error.kind !== "task_refused") this.#leave(run);
      this.#forget(key);
      throw startFailureOf(error);
    }
  }

  async *watch(handle: RunHandle, signal: AbortSignal): AsyncGenerator<RunUpdate, void, undefined> {
    const run = nameOf(handle);
    const key = keyOf(run);
    // One that began before a restart is followed with what is known now.
    if (!this.#using.has(key)) this.#pin(key);
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
      last = updateOf(task, this.#using.get(key)?.key ?? "");
      yield last;
    }
  }

  async preview(handle: RunHandle): Promise<{ contentType: string; bytes: Uint8Array } | null> {
    const run = nameOf(handle);
    try {
      return await this.#ask(run, (client) => client.preview(run));
    } catch (error) {
      if (isUnknown(error)) return null;
      throw error;
    }
  }

  async result(handle: RunHandle): Promise<RunResult> {
    const run = nameOf(handle);
    try {
      const facts = await this.#factsOf(run);
      const stream = await this.#ask(run, (client) => client.result(run, facts));
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
      const task = await this.#ask(run, (client) => client.cancel(run, this.#parts.limits.cancel));
      if (task !== null && task.state === "running") this.#leave(run);
    } catch {
      this.#leave(run);
    }
  }

  async release(handle: RunHandle): Promise<void> {
    const run = nameOf(handle);
    const key = keyOf(run);
    try {
      if (!this.#leftOver.has(key)) await this.#ask(run, (client) => client.remove(run));
    } catch {
      this.#leave(run);
    } finally {
      this.#forget(key);
    }
  }

  /** Runs go on; only our side of them ends. */
  async close(): Promise<void> {
    this.#retired = true;
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
    this.#using.clear();
  }

  /** The state of a run now and after every change, at a bounded pace, until it ends, is not known, or nothing is heard any more. */
  async *#follow(run: RunName, signal: AbortSignal): AsyncGenerator<WorkerTask | "unknown" | "silent"> {
    const { httpWait, workerSilence } = this.#parts.limits;
    let after = 0;
    let free = FREE_QUESTIONS;
    let pause = RETRY_MS;
    let heard = performance.now();
    while (!signal.aborted) {
      const asked = performance.now();
      try {
        const wish = { attempt: run.attempt, wait: httpWait / 1000, after };
        const task = await this.#ask(run, (client) => client.task(run.taskId, wish, signal));
        heard = performance.now();
        pause = RETRY_MS;
        if (task.version !== after || task.state !== "running") yield task;
        if (task.state !== "running") return;
        after = task.version;
        free = Math.min(FREE_QUESTIONS, free + (performance.now() - asked) / PACE_MS) - 1;
        if (free < 0) await rest(PACE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
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

  async #factsOf(run: RunName): Promise<WorkerResult> {
    const facts =
      this.#ended.get(keyOf(run)) ??
      (await this.#ask(run, (client) => client.task(run.taskId, { attempt: run.attempt }))).result;
    if (facts === null) throw new ResultLost("There is no result of this run.", undefined, true);
    const most = facts.content_type.startsWith("video/") ? resultBytes.video : resultBytes.image;
    if (facts.bytes <= most) return facts;
    throw new ResultLost(`The result has ${facts.bytes} bytes, which is too much.`, undefined, true);
  }

  /** A call about a run; where the key was changed meanwhile and the old one is refused, with the new one. */
  async #ask<T>(run: RunName, call: (client: WorkerClient) => Promise<T>): Promise<T> {
    const connection = this.#connectionOf(run);
    try {
      return await call(connection.client);
    } catch (error) {
      if (!(error instanceof WorkerError) || error.kind !== "key_refused") throw error;
      const newest = this.#newest();
      if (newest === connection || newest.baseUrl !== connection.baseUrl) throw error;
      this.#using.set(keyOf(run), newest);
      return call(newest.client);
    }
  }

  #connectionOf(run: RunName): WorkerConnection {
    return this.#using.get(keyOf(run)) ?? this.#newest();
  }

  /** Without an address or a key every question fails, and the run is lost in time. */
  #pin(key: string): void {
    try {
      this.#using.set(key, this.#newest());
    } catch (error) {
      this.#parts.log.warn("a worker cannot be asked", { workspace: this.name, error });
    }
  }

  #newest(): WorkerConnection {
    const known = this.#connections.get(connectionVersionOf(this.#account));
    if (known !== undefined) return known;
    const connection = openConnection(this.#account, this.#parts);
    this.#connections.set(connection.version, connection);
    return connection;
  }

  /** The run is over for us. */
  #forget(key: string): void {
    this.#using.delete(key);
    this.#ended.delete(key);
    this.#closeUnused();
  }

  #closeUnused(): void {
    const used = new Set(this.#using.values());
    const newest = connectionVersionOf(this.#account);
    for (const [version, connection] of this.#connections) {
      if (used.has(connection) || (version === newest && !this.#retired)) continue;
      connection.close();
      this.#connections.delete(version);
    }
  }

  /** The worker could not be told to stop it: it is told once it answers again. */
  #leave(run: RunName): void {
    if (this.#leftOver.size < MOST_LEFT_OVER) this.#leftOver.set(keyOf(run), run);
  }

  async #stopLeftOver(): Promise<void> {
    for (const [key, run] of this.#leftOver) {
      // Begun again meanwhile, or about to be.
      if (this.#using.has(key) || !this.#leftOver.delete(key)) continue;
      try {
        const { client } = this.#newest();
        await client.cancel(run, this.#parts.limits.cancel);
        await client.remove(run);
      } catch (error) {
        this.#parts.log.debug("a run could not be stopped", { workspace: this.name, task_id: run.taskId, error });
        if (!isUnknown(error)) this.#leave(run);
        return;
      }
    }
  }
}

function nameOf(handle: RunHandle): RunName {
  return { taskId: String(handle.task), attempt: Number(handle.attempt) };
}

function keyOf({ taskId, attempt }: RunName): string {
  return `${taskId}-${attempt}`;
}

function isUnknown(error: unknown): boolean {
  return error instanceof WorkerError && error.kind === "task_unknown";
}

async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds > 0) await sleep(milliseconds, undefined, { signal, ref: false }).catch(() => undefined);
}
