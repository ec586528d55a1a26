// What the checks share: starting tasks, following them, and leaving nothing behind.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerHealth, WorkerTask, WorkerTaskRequest } from "@safelight/contract/worker";
import { type Answer, Broken, must, mustAnswer, type Probe, shapeOf } from "./probe.ts";
import { hashOf, type Pair, type Picture, requestOf } from "./work.ts";

export interface BenchOptions {
  readonly probe: Probe;
  /** Seconds a run of the smallest request may take. */
  readonly runSeconds: number;
  /** Seconds after which a run that was stopped must be over; null: three times its slowest step, at least 2. */
  readonly stopSeconds: number | null;
  readonly restartCommand: string | null;
}

/** One worker under judgement. */
export class Bench {
  readonly probe: Probe;
  readonly options: BenchOptions;
  readonly pairs: readonly Pair[];
  readonly pictures: readonly Picture[];
  readonly #started = new Map<string, WorkerTaskRequest>();

  constructor(options: BenchOptions, pairs: readonly Pair[], pictures: readonly Picture[]) {
    this.options = options;
    this.probe = options.probe;
    this.pairs = pairs;
    this.pictures = pictures;
  }

  async health(): Promise<WorkerHealth> {
    return shapeOf<WorkerHealth>("getHealth", await this.probe.ask("getHealth"), 200);
  }

  /** The pair that stands for its type in checks that are not about a pair: the first offered, without pictures if any is. */
  pairFor(type: "image" | "video" | "any" = "any"): Pair {
    const fitting = this.pairs.filter((pair) => type === "any" || pair.type === type);
    const pair = fitting.find(({ mode }) => mode === "txt2img" || mode === "t2v") ?? fitting[0];
    must(pair !== undefined, "the worker offers nothing that could be run");
    return pair;
  }

  get types(): readonly ("image" | "video")[] {
    return (["image", "video"] as const).filter((type) => this.pairs.some((pair) => pair.type === type));
  }

  request(pair: Pair, size: "smallest" | "largest" = "smallest", overrides: Partial<WorkerTaskRequest> = {}) {
    const request: WorkerTaskRequest = {
      task_id: randomUUID(),
      attempt: 1,
      ...requestOf(pair, this.pictures, size),
      ...overrides,
    };
    return request;
  }

  async putMedia(): Promise<void> {
    for (const picture of this.pictures) mustAnswer(await this.put(picture), 200, 201);
  }

  put(picture: Picture, sha256 = hashOf(picture), contentType = "image/png"): Promise<Answer> {
    return this.probe.ask("putMedia", {
      path: { sha256 },
      body: picture.bytes,
      headers: { "content-type": contentType },
      within: 60,
    });
  }

  /** Sends the task and remembers it for tidying up. */
  post(request: WorkerTaskRequest): Promise<Answer> {
    this.#started.set(request.task_id, request);
    return this.probe.ask("createTask", { body: { ...request } });
  }

  /** Starts a task that has to be accepted. */
  async start(request: WorkerTaskRequest): Promise<WorkerTask> {
    if (request.media.length > 0) await this.putMedia();
    const task = shapeOf<WorkerTask>("createTask", await this.post(request), 202);
    mustBe(task, request);
    return task;
  }

  async status(request: WorkerTaskRequest, wait?: number, after?: number): Promise<WorkerTask> {
    const { task_id: id, attempt } = request;
    const within = 15 + (wait ?? 0);
    const answer = await this.probe.ask("getTask", { path: { id }, query: { attempt, wait, after }, within });
    const task = shapeOf<WorkerTask>("getTask", answer, 200);
    mustBe(task, request);
    return task;
  }

  /** Follows a task to its end and returns every state that was seen. */
  async follow(
    request: WorkerTaskRequest,
    seconds = this.options.runSeconds,
    each: (task: WorkerTask) => Promise<void> = async () => {},
  ): Promise<WorkerTask[]> {
    const ends = performance.now() + seconds * 1000;
    const seen: WorkerTask[] = [await this.status(request)];
    for (let last = seen[0]; last !== undefined; ) {
      await each(last);
      if (last.state !== "running") break;
      must(performance.now() < ends, `the task had not ended after ${seconds} s (${last.stage}, ${last.progress} %)`);
      last = await this.status(request, 10, last.version);
      seen.push(last);
    }
    return seen;
  }

  /** The end of a task that has to succeed. */
  async finish(request: WorkerTaskRequest): Promise<WorkerTask> {
    const last = (await this.follow(request)).at(-1);
    must(last?.state === "succeeded", `the task failed with ${last?.error?.code}: ${last?.error?.detail}`);
    return last;
  }

  /** Waits until the run has really begun to draw, and says how long its slowest step so far took, in seconds. */
  async untilDrawing(request: WorkerTaskRequest): Promise<number> {
    const ends = performance.now() + this.options.runSeconds * 1000;
    let task = await this.status(request);
    let slowest = 0;
    let since = performance.now();
    for (let changes = 0; changes < 2; ) {
      must(task.state === "running", "the largest task that the catalog allows ended before it could be disturbed");
      must(performance.now() < ends, `the task did not begin to draw within ${this.options.runSeconds} s`);
      const next = await this.status(request, 10, task.version);
      if ((next.step ?? 0) > (task.step ?? 0)) {
        changes += 1;
        if (changes > 1) slowest = Math.max(slowest, (performance.now() - since) / 1000);
        since = performance.now();
      }
      task = next;
    }
    return slowest;
  }

  stopSecondsFor(slowestStep: number): number {
    return this.options.stopSeconds ?? Math.max(2, slowestStep * 3);
  }

  cancel(request: WorkerTaskRequest): Promise<Answer> {
    const { task_id: id, attempt } = request;
    return this.probe.ask("cancelTask", { path: { id }, query: { attempt }, within: 30 });
  }

  /** Waits until health says that nothing runs; busy slots that stay are a lie or a leak. */
  async mustBeIdle(): Promise<WorkerHealth> {
    const ends = performance.now() + 5000;
    for (;;) {
      const health = await this.health();
      if (health.busy.total === 0) return health;
      if (performance.now() > ends) throw new Broken(`health says ${health.busy.total} busy slots, but nothing runs`);
      await sleep(50);
    }
  }

  /** Stops and deletes whatever was started since the last time; a fault here is not what is being judged. */
  async tidy(): Promise<void> {
    for (const request of this.#started.values()) {
      const { task_id: id } = request;
      try {
        await this.probe.ask("cancelTask", { path: { id }, within: 30 });
        await this.probe.ask("deleteTask", { path: { id } });
      } catch {
        // The checks themselves complain about cancel and delete.
      }
    }
    this.#started.clear();
  }
}

function mustBe(task: WorkerTask, { task_id, attempt, model, mode, seed }: WorkerTaskRequest): void {
  must(task.task_id === task_id && task.attempt === attempt, "the answer is about another task or attempt");
  must(task.seed === undefined || task.seed === seed, `the answer says seed ${task.seed}, sent was ${seed}`);
  must(task.model === model && task.mode === mode, `the answer says ${task.model} ${task.mode}`);
  const isSound =
    (task.state === "succeeded") === (task.result !== null) && (task.state === "failed") === (task.error !== null);
  must(isSound, `the state ${task.state} does not go with its result and error`);
  must(task.state === "succeeded" || task.progress < 100, "progress is 100 before the task has succeeded");
  must((task.state === "running") === (task.ended_at === null), "ended_at does not go with the state");
}
