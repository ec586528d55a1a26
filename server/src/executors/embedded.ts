import { createReadStream } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Mode, ModelId } from "@safelight/catalog";
import {
  ENGINE_NAME,
  ENGINE_VERSION,
  EngineCrashed,
  type EngineDone,
  EngineError,
  EngineHost,
  type EngineProgress,
} from "@safelight/engine";
import { formatOf, inCatalogNames, toEngineJob, warningsFor } from "./embedded-job.ts";
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
import { RunBoard, UNKNOWN_UPDATE } from "./run-board.ts";

export interface EmbeddedOptions {
  /** Folder for files under way, ours alone: what an earlier start left there is thrown away. */
  workFolder: string;
  /** Whether the engine steps in for this model and mode now; see `embeddedOffer`. */
  offer: (model: ModelId, mode: Mode) => Offer;
  host?: EngineHost;
}

interface EmbeddedRun {
  readonly handle: RunHandle;
  readonly board: RunBoard;
  readonly abort: AbortController;
  readonly path: string;
  preview: { contentType: string; bytes: Uint8Array } | null;
  done: EngineDone | null;
  /** Resolves when the engine has let go of the run. */
  ended: Promise<void>;
}

/**
 * The bundled sketch engine as an executor: one run at a time, in a child process of this server. Its runs die with the
 * server, so a handle from before a restart is `unknown` and the task is simply started again.
 */
export class EmbeddedExecutor implements Executor {
  readonly name = "embedded";
  readonly engine = ENGINE_NAME;
  readonly survivesRestart = false;
  readonly #options: EmbeddedOptions;
  readonly #host: EngineHost;
  readonly #runs = new Map<string, EmbeddedRun>();
  #active: EmbeddedRun | null = null;

  private constructor(options: EmbeddedOptions) {
    this.#options = options;
    this.#host = options.host ?? new EngineHost();
  }

  static async open(options: EmbeddedOptions): Promise<EmbeddedExecutor> {
    await mkdir(options.workFolder, { recursive: true, mode: 0o700 });
    const leftovers = await readdir(options.workFolder);
    await Promise.all(leftovers.map((name) => rm(join(options.workFolder, name), { force: true, recursive: true })));
    return new EmbeddedExecutor(options);
  }

  slots(): { image: number; video: number; total: number } {
    return { image: 1, video: 1, total: 1 };
  }

  offer(model: ModelId, mode: Mode): Offer {
    return this.#options.offer(model, mode);
  }

  async start(request: RunRequest): Promise<RunHandle> {
    const key = `${request.taskId}-${request.attempt}`;
    const known = this.#runs.get(key);
    if (known !== undefined) return known.handle;
    if (this.#active !== null) throw new StartFailed("busy", "The embedded engine draws one task at a time.");
    const run: EmbeddedRun = {
      handle: { run: key },
      board: new RunBoard(),
      abort: new AbortController(),
      path: join(this.#options.workFolder, `${key}.${formatOf(request)}`),
      preview: null,
      done: null,
      ended: Promise.resolve(),
    };
    this.#runs.set(key, run);
    this.#active = run;
    run.ended = this.#perform(run, request);
    return run.handle;
  }

  async *watch(handle: RunHandle, signal: AbortSignal): AsyncGenerator<RunUpdate, void, undefined> {
    const run = this.#find(handle);
    if (run === undefined) yield UNKNOWN_UPDATE;
    else yield* run.board.watch(signal);
  }

  async preview(handle: RunHandle): Promise<{ contentType: string; bytes: Uint8Array } | null> {
    return this.#find(handle)?.preview ?? null;
  }

  async result(handle: RunHandle): Promise<RunResult> {
    const run = this.#find(handle);
    if (run?.done === null || run === undefined) throw new ResultLost("The embedded engine has no result of this run.");
    const { contentType, bytes, sha256, width, height, frames, fps, completedPrompt } = run.done;
    const facts = { contentType, bytes, sha256, width, height, frames, fps, completedPrompt };
    return { ...facts, engine: ENGINE_NAME, engineVersion: ENGINE_VERSION, stream: createReadStream(run.path) };
  }

  async cancel(handle: RunHandle): Promise<void> {
    const run = this.#find(handle);
    if (run === undefined) return;
    run.abort.abort();
    await run.ended;
  }

  async release(handle: RunHandle): Promise<void> {
    const run = this.#find(handle);
    if (run === undefined) return;
    await this.cancel(handle);
    this.#runs.delete(String(handle.run));
    await rm(run.path, { force: true });
  }

  async close(): Promise<void> {
    for (const run of this.#runs.values()) run.abort.abort();
    await Promise.all([...this.#runs.values()].map((run) => run.ended));
    await this.#host.close();
  }

  #find(handle: RunHandle): EmbeddedRun | undefined {
    return this.#runs.get(String(handle.run));
  }

  /** Never rejects: however the run ends, the board says it. */
  async #perform(run: EmbeddedRun, request: RunRequest): Promise<void> {
    const deadline = setTimeout(() => run.abort.abort("deadline"), request.deadlineMs);
    const warnings = warningsFor(request);
    run.board.post({ warnings });
    try {
      for await (const event of this.#host.run(toEngineJob(request, run.path), { signal: run.abort.signal })) {
        if (event.type === "progress") run.board.post(fromProgress(event));
        if (event.type === "preview") {
          run.preview = { contentType: event.contentType, bytes: event.bytes };
          run.board.post({ previewVersion: run.board.update.previewVersion + 1 });
        }
        if (event.type === "done") run.done = event;
      }
      this.#free(run);
      if (run.done === null) run.board.post(failed("engine_failed", "The engine ended without a result."));
      else {
        const all = [...warnings, ...inCatalogNames(request, run.done.warnings)];
        run.board.post({ state: "succeeded", progress: 100, warnings: all });
      }
    } catch (error) {
      this.#free(run);
      run.board.post(run.abort.signal.aborted ? stopped(run.abort.signal) : fromError(error));
    } finally {
      clearTimeout(deadline);
    }
  }

  // Before the board tells of the end: whoever hears of it may start the next run at once.
  #free(run: EmbeddedRun): void {
    if (this.#active === run) this.#active = null;
  }
}

function fromProgress(event: EngineProgress): Partial<RunUpdate> {
  const { stage, stageDetail, step, steps, progress } = event;
  return { stage, stageDetail, step, steps, progress };
}

function stopped(signal: AbortSignal): Partial<RunUpdate> {
  if (signal.reason === "deadline")
    return failed("timed_out", "The engine did not finish within the time it is given.");
  return failed("worker_lost", "The run was stopped.");
}

function fromError(error: unknown): Partial<RunUpdate> {
  if (error instanceof EngineCrashed) return failed("worker_lost", "The engine process died while it drew this task.");
  if (!(error instanceof EngineError)) return failed("engine_failed", "The engine could not finish this request.");
  if (error.code === "invalid_reference") return failed("engine_failed", error.message);
  return failed(error.code, error.message);
}

function failed(code: NonNullable<RunUpdate["error"]>["code"], detail: string): Partial<RunUpdate> {
  return { state: "failed", error: { code, detail } };
}
