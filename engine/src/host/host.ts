// The engine as its users see it: jobs in, events out. Inference runs in a child process that is started when it is first
// needed, ended to cancel a job, and replaced when it dies.

import type { ChildMessage } from "../child/messages.ts";
import { EngineBusy, EngineCrashed, EngineError } from "../job/errors.ts";
import type { EngineEvent, EngineJob } from "../job/job.ts";
import type { EncoderChoice } from "../video/encoders.ts";
import { bundledModel } from "../vocabulary/vocabulary.ts";
import { EngineChild, type Log } from "./child-process.ts";
import { EventQueue } from "./event-queue.ts";

/** Part of what makes results reproducible, so it does not follow the machine's number of cores. */
const THREADS = 2;

export interface EngineHostOptions {
  /** Folder with the ONNX graphs and word lists; the bundled model without it. */
  readonly modelFolder?: string;
  /** Threads of one inference run; another number may change the last bits of a result. Default 2. */
  readonly threads?: number;
  /** Where SAFELIGHT_FFMPEG and PATH are looked up; default process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Which video encoder to use: ffmpeg where found, else WASM (`auto`, the default), or exactly one of them. */
  readonly encoder?: EncoderChoice;
  readonly onLog?: Log;
}

/** One child process, one job at a time. */
export class EngineHost {
  readonly #options: EngineHostOptions;
  #child: EngineChild | null = null;
  #busy = false;
  #closed = false;

  constructor(options: EngineHostOptions = {}) {
    this.#options = options;
  }

  /** Process id of the living child, null while there is none. */
  get pid(): number | null {
    return this.#child?.alive ? this.#child.pid : null;
  }

  /** Whether a job is being drawn. */
  get busy(): boolean {
    return this.#busy;
  }

  /**
   * Runs a job; iteration starts it, and the last event is `done`. Aborting ends the child whatever it is doing, frees
   * the slot at once and throws an AbortError; leaving the loop early does the same without throwing.
   * Throws EngineError (the job failed), EngineCrashed (the child died; a new one is on its way), EngineBusy.
   */
  async *run(job: EngineJob, { signal }: { signal: AbortSignal }): AsyncGenerator<EngineEvent, void, undefined> {
    if (signal.aborted) throw abortError(signal);
    if (this.#busy) throw new EngineBusy();
    const child = this.#living();
    this.#busy = true;
    const queue = new EventQueue();
    const abort = () => {
      this.#replace(child);
      queue.fail(abortError(signal));
    };
    signal.addEventListener("abort", abort, { once: true });
    let ended = false;
    try {
      child.hold(true);
      this.#listen(child, queue);
      if (!child.isReady)
        queue.push({ type: "progress", stage: "load", stageDetail: null, step: 0, steps: 0, progress: 0 });
      child.ready().then(
        () => child.run(job),
        (error: Error) =>
          queue.fail(new EngineError("engine_failed", "The engine could not be started.", { cause: error })),
      );
      for (;;) {
        const event = await queue.next();
        ended = event.type === "done";
        if (ended) this.#release(child);
        yield event;
        if (ended) return;
      }
    } catch (error) {
      ended = true;
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      if (!ended) this.#replace(child);
      this.#release(child);
    }
  }

  /** Starts the child and loads the weights, so that the first job need not wait. */
  async warm(): Promise<void> {
    await this.#living().ready();
  }

  /** Ends the child; a job that runs fails with EngineCrashed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#child?.killed();
  }

  #living(): EngineChild {
    if (this.#closed) throw new Error("the engine host is closed");
    if (this.#child?.alive) return this.#child;
    const { modelFolder = bundledModel, threads = THREADS, encoder = "auto" } = this.#options;
    const environment = this.#options.environment ?? process.env;
    const { PATH, SAFELIGHT_FFMPEG } = environment;
    const open = { type: "open", modelFolder, threads, encoder, environment: { PATH, SAFELIGHT_FFMPEG } } as const;
    const child = new EngineChild(open, environment, this.#options.onLog ?? (() => {}));
    this.#child = child;
    return child;
  }

  #listen(child: EngineChild, queue: EventQueue): void {
    child.onMessage = (message: ChildMessage) => {
      if (message.type === "event") queue.push(message.event);
      else if (message.type === "failed") queue.fail(new EngineError(message.code, message.detail));
    };
    child.onExit = (reason) => {
      // A child that never got ready would not get ready the next time either: only one that died at work is replaced.
      if (child.isReady) {
        this.#replace(child);
        queue.fail(new EngineCrashed(`The engine process ended in the middle of a run (${reason}).`));
      }
    };
  }

  /** Ends a child and has the next one loading before it is asked for. */
  #replace(child: EngineChild): void {
    child.onMessage = () => {};
    child.onExit = () => {};
    child.kill();
    if (this.#child !== child) return;
    this.#child = null;
    if (!this.#closed) this.#living();
    this.#busy = false;
  }

  #release(child: EngineChild): void {
    if (this.#child !== child) return;
    child.onMessage = () => {};
    child.onExit = () => {};
    child.hold(false);
    this.#busy = false;
  }
}

function abortError(signal: AbortSignal): DOMException {
  const error = new DOMException("The job was cancelled.", "AbortError");
  Object.defineProperty(error, "cause", { value: signal.reason });
  return error;
}
