// A task lives on when a connection breaks or the server restarts, so asking again is right; but not forever.
import { ApiError } from "@safelight/contract";
import { isNetworkFailure } from "../failure.ts";

export interface RetryLimits {
  /** How long a server may be away, in milliseconds. */
  patienceMs: number;
  signal?: AbortSignal | undefined;
}

/** Runs the request until it is answered; network failures and "try again later" are repeated within the patience. */
export async function withRetry<T>(request: () => Promise<T>, { patienceMs, signal }: RetryLimits): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let wait = 250; ; wait = Math.min(wait * 2, 5000)) {
    try {
      return await request();
    } catch (error) {
      const pause = pauseAfter(error, wait);
      if (pause === null || signal?.aborted || performance.now() + pause > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

function pauseAfter(error: unknown, wait: number): number | null {
  if (error instanceof ApiError) {
    const mayPass = error.status === 429 || error.problem?.code === "queue_full";
    return mayPass ? (error.retryAfter ?? 1) * 1000 : null;
  }
  return isNetworkFailure(error) ? wait : null;
}
