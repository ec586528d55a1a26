import { setTimeout as sleep } from "node:timers/promises";
import type { Context } from "../context/context.ts";
import { SafelightError, toSafelightError } from "../errors.ts";
import type { ExecutorSet } from "../executors/executor-set.ts";
import type { Lane } from "../queue/lanes.ts";
import type { TimeLimits } from "../tasks/time-limits.ts";

/** What every run shares. */
export interface Workshop {
  readonly context: Context;
  readonly limits: TimeLimits;
  readonly executors: ExecutorSet;
  /** The executors as the queue sees them, those left out that rest. */
  lanes(): readonly Lane[];
  /** Leaves an executor in peace for a moment after it said that it is busy. */
  rest(executor: string): void;
  /** Says that an executor may be free for the next run. */
  wake(): void;
  /** Pauses before each try to store a result, milliseconds. */
  readonly storagePauses: readonly number[];
  /** Fires when the server stops. */
  readonly stopping: AbortSignal;
}

/** Why a run is to end before its executor is done: the creator asked, the server stops, or the task is no longer ours. */
export type Interruption = "cancel" | "stop" | "ended";

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

/**
 * Tries a change, or a look, until the database takes it: what a run has to say must not be lost to a disk that is full for a minute.
 * Gives up, rejecting, only when the server stops; the next start finds the task as it was.
 */
export async function persist<T>(shop: Workshop, work: () => Promise<T>): Promise<T> {
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const lastTry = shop.stopping.aborted;
    try {
      return await work();
    } catch (error) {
      if (lastTry || toSafelightError(error).code !== "storage_unavailable") throw error;
      await sleep(pause, undefined, { signal: shop.stopping }).catch(() => undefined);
    }
  }
}

/** Between two tries with a store elsewhere, each of which has taken a while itself. */
const PAUSE_ELSEWHERE_MS = 2000;

/**
 * Does what needs the media store. A disk that fails is asked once; a store elsewhere comes back, and is asked until it has or the signal
 * fires. Rejects as the work did last.
 */
export async function withMedia<T>(shop: Workshop, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const comesBack = shop.context.media.folder === null && error instanceof SafelightError;
      if (!comesBack || error.code !== "storage_unavailable" || signal.aborted) throw error;
      shop.context.log.warn("a run waits for the media storage", { error });
      await sleep(PAUSE_ELSEWHERE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Resolves with the work's value, or with undefined after `milliseconds` or when it rejects. The work itself goes on. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  try {
    return await Promise.race([work.catch(() => undefined), timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects when the signal fires, for racing against something that may never answer. */
export function whenAborted(signal: AbortSignal): { promise: Promise<never>; forget: () => void } {
  let onAbort = (): void => {};
  const promise = new Promise<never>((_resolve, reject) => {
    onAbort = () => reject(new Interrupted());
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
  promise.catch(() => undefined);
  return { promise, forget: () => signal.removeEventListener("abort", onAbort) };
}

/** A run was interrupted; the reason is on its signal. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}
