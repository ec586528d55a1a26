import type { Transaction } from "../database/database.ts";
import type { RunPass, RunVerdict } from "../worker-accounts/circuits.ts";
import type { Executor } from "./executor.ts";

export type { RunPass, RunVerdict };

/**
 * Whether an executor gets new runs now, given that it is able. `ready`: yes. `doubted`: not until it is looked at, after a run failed
 * there; whoever waits for it waits. `resting`: not for a while, as if it were not there.
 */
export type Standing = "ready" | "doubted" | "resting";

/** The executors of an installation. They come and go while it runs. */
export interface ExecutorSet {
  /** Every executor that is there, able or not, in the order in which answers name them. */
  all(): readonly Executor[];
  /** One of them, or one that is gone except for its last runs. */
  find(name: string): Executor | undefined;
  standing(name: string): Standing;
  /** A run begins on it. */
  begin(name: string): RunPass;
  /** Writes down, in the transaction of a claim, that it was given a task. */
  noteUse(tx: Transaction, name: string): Promise<void>;
  /** When it was last given a task before this start, wall milliseconds; 0 for never. */
  lastUsedAt(name: string): number;
  /** Calls the listener after every change of what can run where. Answers how to stop. */
  subscribe(listener: () => void): () => void;
}

const unwatched: RunPass = { end: () => undefined };

/** Executors that neither come nor go: the embedded engine alone, or those of a test. */
export function fixedExecutors(executors: readonly Executor[]): ExecutorSet {
  return {
    all: () => executors,
    find: (name) => executors.find((executor) => executor.name === name),
    standing: () => "ready",
    begin: () => unwatched,
    noteUse: () => Promise.resolve(),
    lastUsedAt: () => 0,
    subscribe: () => () => undefined,
  };
}
