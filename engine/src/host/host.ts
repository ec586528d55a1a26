import type { EngineEvent, EngineJob } from "../job/job.ts";

export interface EngineHostOptions {
  /** Folder with the ONNX graphs and word lists; the bundled model without it. */
  readonly modelFolder?: string;
  /** Threads of one inference run; part of what makes results reproducible. Default 2. */
  readonly threads?: number;
  /** Where SAFELIGHT_FFMPEG and PATH are looked up; default process.env. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Which video encoder to use: ffmpeg where found, else WASM (`auto`), or exactly one of them. */
  readonly encoder?: "auto" | "wasm" | "ffmpeg";
  readonly onLog?: (level: "info" | "warn" | "error", message: string) => void;
}

/** One child process, one job at a time. */
export class EngineHost {
  constructor(_options: EngineHostOptions = {}) {}

  /** Process id of the living child, null while there is none. */
  get pid(): number | null {
    return null;
  }

  /** Runs a job; iteration starts it. Aborting kills the child, frees the slot at once and throws an AbortError. */
  run(_job: EngineJob, _options: { signal: AbortSignal }): AsyncIterable<EngineEvent> {
    throw new Error("not there yet");
  }

  /** Starts the child and loads the weights, so that the first job need not wait. */
  async warm(): Promise<void> {}

  async close(): Promise<void> {}
}
