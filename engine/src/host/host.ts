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
    const queue = new EventQueue();
    let held = true;
    // Once only: the slot may be taken by the next job before this generator is left.
    const release = (end: (child: EngineChild) => void) => {
      if (!held) return;
      held = false;
      this.#busy = false;
      child.onMessage = () => {};
      child.onExit = () => {};
      end(child);
    };
    const replace = () => release((old) => this.#replace(old));
    const abort = () => {
      replace();
      queue.fail(abortError(signal));
    };
    this.#busy = true;
    child.hold(true);
    child.onMessage = (message: ChildMessage) => {
      if (message.type === "event") queue.push(message.event);
      else if (message.type === "failed") queue.fail(new EngineError(message.code, message.detail));
    };
    child.onExit = (reason) => {
      // A child that never got ready would hardly do better at once: it is tried again with the next job.
      if (child.isReady) replace();
      queue.fail(new EngineCrashed(`The engine process ended in the middle of a run (${reason}).`));
    };
    signal.addEventListener("abort", abort, { once: true });
    try {
      if (!child.isReady) queue.push(loading);
      child.ready().then(
        () => held && child.run(job),
        (error: Error) => queue.fail(error),
      );
      for (;;) {
        const event = await queue.next();
        if (event.type === "done") release((idle) => idle.hold(false));
        yield event;
        if (event.type === "done") return;
      }
    } catch (error) {
      release((idle) => idle.hold(false));
      throw error;
    } finally {
      signal.removeEventListener("abort", abort);
      // Only a reader that left early gets here with the slot still held.
      replace();
    }
  }

  /** Starts the child and loads the weights, so that the first job need not wait. */
  async warm(): Promise<void> {
    const child = this.#living();
    child.hold(true);
    try {
      await child.ready();
    } finally {
      if (!this.#busy) child.hold(false);
    }
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

  /** Ends a child and has the next one loading before it is asked for. */
  #replace(child: EngineChild): void {
    child.kill();
    if (this.#child !== child) return;
    this.#child = null;
    if (!this.#closed) this.#living();
  }
}

const loading: EngineEvent = { type: "progress", stage: "load", stageDetail: null, step: 0, steps: 0, progress: 0 };

function abortError(signal: AbortSignal): DOMException {
  const error = new DOMException("The job was cancelled.", "AbortError");
  Object.defineProperty(error, "cause", { value: signal.reason });
  return error;
}
