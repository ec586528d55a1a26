import { once } from "node:events";
import type { Readable } from "node:stream";
import type { WorkerResult, WorkerTask } from "@safelight/contract/worker";
import { SafelightError } from "../errors.ts";
import type { Log } from "../log.ts";
import { PROXY_CANCEL_MS } from "../tasks/time-limits.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import type { ResultPart } from "../worker-client/result-body.ts";
import type { WorkerClient, WorkerPreview } from "../worker-client/worker-client.ts";
import { brokenProtocol, WorkerError } from "../worker-client/worker-error.ts";
import { explainFailure, noSuchTask, notReady } from "./explain-failure.ts";
import { type Door, type DoorParts, type Purpose, WorkerDoors } from "./worker-doors.ts";

/** A task inside a workspace: an account that may be asked (see `target.ts`), and an id of the right form. */
export interface InsideTask {
  readonly account: AccountRecord;
  readonly id: string;
}

/** The attempt that has succeeded, and what its worker says of the file. */
export interface FinishedInside {
  readonly attempt: number;
  readonly result: WorkerResult;
}

interface KnownFinished extends FinishedInside {
  readonly goodUntil: number;
}

/** An ended attempt never changes, and every read names it: what is kept can be outdated only by a new attempt, or by deletion. */
const finishedKept = 5000;
const mostFinished = 500;

/**
 * Asks workers for tasks of theirs, each with the key of its own account and with nothing of the caller's. Errors of every method:
 * `task_not_found`, `worker_unreachable`, or the reason of the signal; further ones are named.
 */
export class WorkspaceTasks {
  readonly #doors: WorkerDoors;
  readonly #log: Log;
  readonly #cancelMs: number;
  readonly #finished = new Map<string, KnownFinished>();

  constructor(parts: DoorParts) {
    this.#doors = new WorkerDoors(parts);
    this.#log = parts.log;
    this.#cancelMs = parts.cancelMs ?? PROXY_CANCEL_MS;
  }

  /** The newest attempt. With `wait` the answer is held, at most so many seconds, until it has changed. */
  async status(task: InsideTask, wait: number, signal: AbortSignal): Promise<WorkerTask> {
    const newest = () => this.#through(task, "calls", ({ client }) => client.task(task.id, {}, signal));
    const now = await newest();
    if (wait === 0 || now.state !== "running") return now;
    const later = await this.#through(task, "waits", ({ client }) => held(client, now, wait, signal));
    // An attempt that is replaced is stopped: the task is not, and the newest attempt says how it is.
    const mayBeReplaced = later === null || later.state === "failed" || later.stage === "cancelling";
    return mayBeReplaced && !signal.aborted ? newest() : (later ?? now);
  }

  /** Stops the newest attempt and waits for it to stop, a few seconds at most. One that has ended is answered unchanged. */
  async cancel(task: InsideTask): Promise<WorkerTask> {
    const stopped = await this.#through(task, "calls", ({ client }) =>
      // Not with the caller's signal: who asks to stop and leaves still wants it stopped.
      client.cancel({ taskId: task.id }, this.#cancelMs),
    );
    if (stopped === null) throw noSuchTask(task.account.workspace);
    return stopped;
  }

  /** The newest step picture. Errors also: `task_not_ready` before there is any, `not_found` when the task ended without. */
  async preview(task: InsideTask, signal: AbortSignal): Promise<WorkerPreview> {
    return this.#through(task, "calls", async ({ client }) => {
      const picture = await client.preview({ taskId: task.id }, signal);
      if (picture !== null) return picture;
      const { state } = await client.task(task.id, {}, signal);
      if (state === "running") throw notReady("There is no preview yet.");
      throw new SafelightError("not_found", "The task ended without a preview.");
    });
  }

  /** What there is to read. Errors also: `task_not_ready`, `task_failed`. */
  async finished(task: InsideTask, signal: AbortSignal): Promise<FinishedInside> {
    const name = nameOf(task);
    const known = this.#finished.get(name);
    if (known !== undefined && known.goodUntil > performance.now()) return known;
    const { attempt, state, result, error } = await this.#through(task, "calls", ({ client }) =>
      client.task(task.id, {}, signal),
    );
    if (state === "running") throw notReady("The task has not finished yet.");
    if (result === null) throw new SafelightError("task_failed", error?.detail ?? "The task failed and has no result.");
    if (this.#finished.size >= mostFinished) this.#finished.clear();
    const finished = { attempt, result, goodUntil: performance.now() + finishedKept };
    this.#finished.set(name, finished);
    return finished;
  }

  /**
   * The file or a part of it as a stream that breaks off, before its last bytes, unless they are what the worker had announced. Errors
   * also: `task_not_ready` when a new attempt has begun, `result_gone`.
   */
  async read(
    task: InsideTask,
    { attempt, result }: FinishedInside,
    part: ResultPart | null,
    signal: AbortSignal,
  ): Promise<Readable> {
    const { account, id } = task;
    const name = { taskId: id, attempt };
    let door: Door | null = null;
    try {
      door = this.#doors.open(account, "files");
      const { client } = door;
      const content = await (part === null
        ? client.result(name, result, signal)
        : client.resultPart(name, result, part, signal));
      content.once("close", () => door?.release());
      content.on("error", (error) => {
        this.#log.warn("a result of a workspace broke off", { workspace: account.workspace, task_id: id, error });
      });
      // What fails before the first byte can still be answered; later the answer can only be broken off.
      await once(content, "readable", { signal });
      return content;
    } catch (error) {
      door?.release();
      this.#finished.delete(nameOf(task));
      // What was known of an earlier attempt is no answer: how the newest one is says why there is nothing to read.
      if (isSuperseded(error)) await this.finished(task, signal);
      throw explainFailure(error, account.workspace, door?.key ?? null);
    }
  }

  /** Cuts every connection; the server stops. */
  close(): void {
    this.#doors.close();
  }

  /** Whatever the work answers is looked through for the key that was sent: a worker that sends it back is not passed on. */
  async #through<T>({ account }: InsideTask, purpose: Purpose, work: (door: Door) => Promise<T>): Promise<T> {
    let door: Door | null = null;
    try {
      door = this.#doors.open(account, purpose);
      const answer = await work(door);
      if (repeats(answer, door.key)) throw brokenProtocol("The worker repeats the key that it was sent.");
      return answer;
    } catch (error) {
      throw explainFailure(error, account.workspace, door?.key ?? null);
    } finally {
      door?.release();
    }
  }
}

function repeats(answer: unknown, key: string): boolean {
  if (typeof answer !== "object" || answer === null || "bytes" in answer) return false;
  return JSON.stringify(answer).includes(key);
}

/** The attempt once it has changed, as it was for someone who stops waiting, null when another one took its place. */
async function held(
  client: WorkerClient,
  now: WorkerTask,
  wait: number,
  signal: AbortSignal,
): Promise<WorkerTask | null> {
  try {
    return await client.task(now.task_id, { attempt: now.attempt, wait, after: now.version }, signal);
  } catch (error) {
    if (isSuperseded(error)) return null;
    if (signal.aborted) return now;
    throw error;
  }
}

function isSuperseded(error: unknown): boolean {
  return error instanceof WorkerError && error.problem?.code === "attempt_superseded";
}

/** With the revision, so that nothing is believed of an account that has changed. */
function nameOf({ account, id }: InsideTask): string {
  return `${account.id} ${account.revision} ${id}`;
}
