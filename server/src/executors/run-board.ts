import type { RunUpdate } from "./executor.ts";

/** The state of a run that has just begun. */
export const FIRST_UPDATE: RunUpdate = Object.freeze({
  state: "running",
  stage: "starting",
  stageDetail: null,
  step: null,
  steps: null,
  progress: 0,
  previewVersion: 0,
  warnings: [],
});

/** What is said about a handle that nobody knows. */
export const UNKNOWN_UPDATE: RunUpdate = Object.freeze({ ...FIRST_UPDATE, state: "unknown" });

/** The newest state of one run, for any number of watchers. A slow watcher misses states in between, never the last. */
export class RunBoard {
  #update: RunUpdate = FIRST_UPDATE;
  #version = 0;
  #waiting: (() => void)[] = [];

  get update(): RunUpdate {
    return this.#update;
  }

  /** Ended runs change no more. */
  post(change: Partial<RunUpdate>): void {
    if (this.#update.state !== "running") return;
    this.#update = { ...this.#update, ...change };
    this.#version += 1;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async *watch(signal: AbortSignal): AsyncGenerator<RunUpdate, void, undefined> {
    let seen = -1;
    const wakeAll = (): void => {
      for (const wake of this.#waiting.splice(0)) wake();
    };
    signal.addEventListener("abort", wakeAll);
    try {
      while (!signal.aborted) {
        if (this.#version === seen) {
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
          continue;
        }
        seen = this.#version;
        const update = this.#update;
        yield update;
        if (update.state !== "running") return;
      }
    } finally {
      signal.removeEventListener("abort", wakeAll);
    }
  }
}
