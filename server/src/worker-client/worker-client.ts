/** Speaks the worker protocol to one worker. Believes nothing of what comes back before it is checked. */
import { Readable } from "node:stream";
import {
  sha256OfMediaId,
  WorkerHealth,
  type WorkerMedia,
  WorkerMediaStored,
  type WorkerProblem,
  type WorkerResult,
  type WorkerRouteName,
  WorkerTask,
  type WorkerTaskRequest,
  workerEndpoints,
  workerHeaders,
  workerLimits,
  workerMediaTypes,
  workerPathOf,
  workerProtocol,
} from "@safelight/contract/worker";
import type { GuardedFetch, GuardedRequest } from "../network/guarded-fetch.ts";
import { checkAnswer, readJson, typeOf } from "./answer-checks.ts";
import { checkedBytes, isAnnounced, type ResultPart } from "./result-body.ts";
import { brokenProtocol, fromTransport, WorkerError } from "./worker-error.ts";

export interface WorkerClientOptions {
  /** Where the worker is; a path below which its routes lie is kept. */
  readonly baseUrl: string;
  readonly key: string;
  /** The way out: see `network/guarded-fetch.ts`. */
  readonly fetch: GuardedFetch;
  /** Milliseconds for a short call. 10,000 unless told. */
  readonly timeoutMs?: number;
  /** Milliseconds in which a transfer of a file must move. 30,000 unless told. */
  readonly idleMs?: number;
  /** Milliseconds for a whole transfer of a file. 10 minutes unless told. */
  readonly transferMs?: number;
  /** Bytes of a result at most. 2 GiB unless told. */
  readonly maxResultBytes?: number;
}

export interface StatusWish {
  readonly attempt?: number | undefined;
  /** Seconds to hold the answer until the version is above `after`. */
  readonly wait?: number;
  readonly after?: number;
}

/** One attempt of a task. */
export interface AttemptName {
  readonly taskId: string;
  readonly attempt: number;
}

/** An attempt of a task, or without a number its newest. */
export interface TaskName {
  readonly taskId: string;
  readonly attempt?: number | undefined;
}

export interface WorkerPreview {
  readonly contentType: string;
  readonly bytes: Uint8Array;
  readonly version: number;
}

/** Opens the file of a picture to be sent; called once for each sending. */
export type OpenMedia = (media: WorkerMedia) => Readable | Uint8Array;

interface Call extends GuardedRequest {
  readonly query?: Readonly<Record<string, number | undefined>>;
  readonly wanted: readonly number[];
}

/** Every method throws a WorkerError, or the reason of its signal. */
export class WorkerClient {
  readonly #options: WorkerClientOptions;
  readonly #base: string;

  constructor(options: WorkerClientOptions) {
    this.#options = options;
    this.#base = options.baseUrl.replace(/\/+$/, "");
  }

  async health(signal?: AbortSignal): Promise<WorkerHealth> {
    const response = await this.#call("getHealth", {}, { wanted: [200], ...withSignal(signal) });
    const health = await this.#read<WorkerHealth>(response, WorkerHealth, signal);
    if (health.protocol === workerProtocol) return health;
    throw brokenProtocol(`The worker speaks version ${health.protocol} of the protocol, not ${workerProtocol}.`);
  }

  /** Sends one picture. */
  async putMedia(media: WorkerMedia, open: OpenMedia, signal?: AbortSignal): Promise<void> {
    const sha256 = sha256OfMediaId(media.id);
    if (sha256 === null) throw new TypeError("a picture is named sha256- and its hash");
    const headers = { "content-type": media.content_type, "content-length": String(media.bytes) };
    const limits = { ...this.#transfer(), maxBytes: workerLimits.answerBytes, ...withSignal(signal) };
    const call = { wanted: [200, 201], method: "PUT", headers, body: open(media), ...limits } as const;
    const response = await this.#call("putMedia", { sha256 }, call);
    const stored = await this.#read<WorkerMediaStored>(response, WorkerMediaStored, signal);
    if (stored.sha256 !== sha256 || stored.bytes !== media.bytes) {
      throw brokenProtocol("The worker stored another picture than was sent.");
    }
  }

  /**
   * Starts an attempt, or finds it started already. Pictures travel only when the worker lacks them: it says so when it is
   * given the task.
   */
  async start(request: WorkerTaskRequest, open: OpenMedia, signal?: AbortSignal): Promise<WorkerTask> {
    let missing: readonly WorkerMedia[];
    try {
      return await this.#post(request, signal);
    } catch (error) {
      if (!(error instanceof WorkerError) || error.problem?.code !== "media_missing") throw error;
      missing = missingIn(request, error.problem);
    }
    for (const media of missing) await this.putMedia(media, open, signal);
    return this.#post(request, signal);
  }

  async task(taskId: string, wish: StatusWish = {}, signal?: AbortSignal): Promise<WorkerTask> {
    const query = { attempt: wish.attempt, wait: wish.wait, after: wish.after };
    const timeoutMs = this.#timeout() + (wish.wait ?? 0) * 1000;
    const call = { wanted: [200], query, timeoutMs, idleMs: timeoutMs, ...withSignal(signal) };
    return this.#taskOf(await this.#call("getTask", { id: taskId }, call), { taskId, ...wish }, signal);
  }

  /** The newest step picture; null while there is none, or none any more. */
  async preview({ taskId, attempt }: TaskName, signal?: AbortSignal): Promise<WorkerPreview | null> {
    try {
      const limits = { maxBytes: workerLimits.previewBytes, timeoutMs: this.#timeout(), ...withSignal(signal) };
      const call = { wanted: [200], query: { attempt }, ...limits };
      const response = await this.#call("getPreview", { id: taskId }, call);
      const contentType = typeOf(response);
      const version = Number(response.headers.get(workerHeaders.previewVersion));
      const isPicture = (workerMediaTypes as readonly string[]).includes(contentType);
      if (!isPicture || !Number.isInteger(version)) {
        await response.body?.cancel();
        throw brokenProtocol("The worker sent a preview that is no numbered picture.");
      }
      return { contentType, version, bytes: new Uint8Array(await response.arrayBuffer()) };
    } catch (error) {
      const problem = error instanceof WorkerError ? error.problem : null;
      if (problem?.code === "preview_not_found") return null;
      throw fromTransport(error, signal);
    }
  }

  /**
   * The result as a stream that ends with an error unless it has exactly the bytes that were announced. `facts` is the
   * `result` of the task's status.
   */
  async result(name: AttemptName, facts: WorkerResult, signal?: AbortSignal): Promise<Readable> {
    const body = await this.#openResult(name, facts, null, signal);
    return Readable.from(checkedBytes(body, facts.bytes, facts.sha256, signal), { objectMode: false });
  }

  /** A part of the result, in the same way; its hash cannot be checked. The part must lie within the file. */
  async resultPart(name: AttemptName, facts: WorkerResult, part: ResultPart, signal?: AbortSignal): Promise<Readable> {
    const body = await this.#openResult(name, facts, part, signal);
    return Readable.from(checkedBytes(body, part.end - part.start + 1, null, signal), { objectMode: false });
  }

  /**
   * Stops a run and waits until its slot is free, at most `patienceMs`. An attempt that is not known is stopped: null. Without a number
   * the newest attempt is meant.
   */
  async cancel(name: TaskName, patienceMs: number, signal?: AbortSignal): Promise<WorkerTask | null> {
    const ends = performance.now() + patienceMs;
    const { taskId, attempt } = name;
    try {
      // The worker itself waits ten seconds for the run to stop.
      const timeoutMs = Math.min(patienceMs, this.#timeout() + 10_000);
      const call = { wanted: [200], method: "POST", query: { attempt }, timeoutMs, ...withSignal(signal) } as const;
      let task = await this.#taskOf(await this.#call("cancelTask", { id: taskId }, call), name, signal);
      while (task.state === "running" && performance.now() < ends) {
        const wait = Math.min(10, Math.max(0.1, (ends - performance.now()) / 1000));
        task = await this.task(taskId, { attempt: task.attempt, wait, after: task.version }, signal);
      }
      return task;
    } catch (error) {
      if (error instanceof WorkerError && error.kind === "task_unknown") return null;
      throw error;
    }
  }

  /** Has the worker forget an ended attempt; one that it does not know is forgotten. */
  async remove({ taskId, attempt }: AttemptName, signal?: AbortSignal): Promise<void> {
    try {
      const call = { wanted: [204], method: "DELETE", query: { attempt }, ...withSignal(signal) } as const;
      const response = await this.#call("deleteTask", { id: taskId }, call);
      await response.body?.cancel();
    } catch (error) {
      if (error instanceof WorkerError && error.kind === "task_unknown") return;
      throw error;
    }
  }

  async #post(request: WorkerTaskRequest, signal: AbortSignal | undefined): Promise<WorkerTask> {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify(request);
    const call = { wanted: [200, 202], method: "POST", headers, body, ...withSignal(signal) } as const;
    const name = { taskId: request.task_id, attempt: request.attempt };
    return this.#taskOf(await this.#call("createTask", {}, call), name, signal);
  }

  async #openResult(
    { taskId, attempt }: AttemptName,
    facts: WorkerResult,
    part: ResultPart | null,
    signal: AbortSignal | undefined,
  ): Promise<ReadableStream<Uint8Array>> {
    const { maxResultBytes = 2 * 1024 ** 3 } = this.#options;
    if (facts.bytes > maxResultBytes) throw brokenProtocol(`The result has ${facts.bytes} bytes, which is too much.`);
    const maxBytes = part === null ? facts.bytes : part.end - part.start + 1;
    const headers: Record<string, string> = part === null ? {} : { range: `bytes=${part.start}-${part.end}` };
    const limits = { ...this.#transfer(), maxBytes, headers, ...withSignal(signal) };
    const call = { wanted: [part === null ? 200 : 206], query: { attempt }, ...limits };
    const response = await this.#call("getResult", { id: taskId }, call);
    if (response.body !== null && isAnnounced(response, facts, part)) return response.body;
    await response.body?.cancel();
    throw brokenProtocol("The worker sends another result than it announced.");
  }

  /** The task of an answer, which must be the one that was asked for and must not contradict itself. */
  async #taskOf(response: Response, asked: TaskName, signal: AbortSignal | undefined): Promise<WorkerTask> {
    const task = await this.#read<WorkerTask>(response, WorkerTask, signal);
    if (task.task_id !== asked.taskId || (asked.attempt !== undefined && task.attempt !== asked.attempt)) {
      throw brokenProtocol("The worker answered about another task than it was asked for.");
    }
    const fits =
      (task.state === "succeeded") === (task.result !== null) && (task.state === "failed") === (task.error !== null);
    if (!fits) throw brokenProtocol(`The worker says ${task.state}, but its result and error say something else.`);
    return task;
  }

  async #call(name: WorkerRouteName, path: Readonly<Record<string, string>>, call: Call): Promise<Response> {
    const { query = {}, wanted, ...request } = call;
    const search = new URLSearchParams();
    for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
    const url = `${this.#base}${workerPathOf(name, path)}${search.size === 0 ? "" : `?${search.toString()}`}`;
    const headers = {
      ...request.headers,
      authorization: `Bearer ${this.#options.key}`,
      [workerHeaders.protocol]: String(workerProtocol),
    };
    try {
      const method = workerEndpoints[name].method;
      const limits = { timeoutMs: this.#timeout(), maxBytes: workerLimits.answerBytes };
      const response = await this.#options.fetch(url, { ...limits, ...request, method, headers });
      await checkAnswer(response, wanted);
      return response;
    } catch (error) {
      throw fromTransport(error, call.signal);
    }
  }

  async #read<T>(
    response: Response,
    schema: Parameters<typeof readJson>[1],
    signal: AbortSignal | undefined,
  ): Promise<T> {
    try {
      return await readJson<T>(response, schema);
    } catch (error) {
      throw fromTransport(error, signal);
    }
  }

  #timeout(): number {
    return this.#options.timeoutMs ?? 10_000;
  }

  #transfer(): { timeoutMs: number; idleMs: number } {
    const { idleMs = 30_000, transferMs = 10 * 60_000 } = this.#options;
    return { timeoutMs: transferMs, idleMs };
  }
}

/** The pictures that the worker names as missing; all of them where it names none that we know. */
function missingIn({ media }: WorkerTaskRequest, { errors = [] }: WorkerProblem): readonly WorkerMedia[] {
  const named = new Set(errors.map(({ field }) => field));
  const missing = media.filter((_, index) => named.has(`media[${index}]`));
  return missing.length === 0 ? media : missing;
}

function withSignal(signal: AbortSignal | undefined): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
