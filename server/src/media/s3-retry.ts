import { setTimeout as sleep } from "node:timers/promises";
import { explainS3, S3Fault } from "./s3-fault.ts";

export interface Patience {
  /** How long is tried in all, in milliseconds. */
  readonly total: number;
  /** How long one try may take, in milliseconds. */
  readonly one: number;
  /** Ends trying at once. */
  readonly signal?: AbortSignal | undefined;
}

const firstPause = 100;
// Short enough that a server that is back is found within a moment.
const longestPause = 2000;

/**
 * Tries until it works, with growing pauses of random length, as all gateways begin to ask at the same moment. Rejects with the last
 * fault when the time is up, and at once with one that will not pass.
 */
export async function patiently<Result>(
  { total, one, signal }: Patience,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const over = performance.now() + total;
  const isOver = (): boolean => signal?.aborted ?? false;
  let before: Error | null = null;
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    const left = Math.max(1, over - performance.now());
    const limit = AbortSignal.timeout(Math.ceil(Math.min(one, left)));
    try {
      return await work(signal === undefined ? limit : AbortSignal.any([limit, signal]));
    } catch (error) {
      // A try that the end of our time cut short tells less than the one before it.
      const fault: Error = limit.aborted && before !== null ? before : explainS3(error);
      before = fault;
      const wait = pause * (0.5 + Math.random() / 2);
      const mayPass = fault instanceof S3Fault && fault.passes;
      if (!mayPass || isOver() || performance.now() + wait >= over) throw fault;
      await sleep(wait, undefined, { signal }).catch(() => undefined);
      if (isOver()) throw fault;
    }
  }
}
