import type { Context } from "../context/context.ts";
import type { Executor } from "../executors/executor.ts";

export interface Dispatcher {
  /** Graceful: stops claiming, hands running tasks back (they stay `processing`), frees the executors. */
  stop(): Promise<void>;
}

/** Recovers what an earlier process left, then runs what is pending whenever something happens. */
export function startDispatcher(_options: { context: Context; executors: readonly Executor[] }): Promise<Dispatcher> {
  throw new Error("not built yet");
}
