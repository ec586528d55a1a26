import type { Notice, WaitingFor } from "@safelight/contract";
import type { Prepare } from "../database/database.ts";

/** What is asked about: a task that waits. */
export interface WaitingTask {
  readonly id: string;
  readonly workspace: string | null;
  readonly model: string;
  readonly mode: string;
  readonly type: "image" | "video";
  readonly avoided: readonly string[];
}

/** Why a task waits: for operators, executor by executor, and in short for whoever sent it. */
export interface Waiting {
  readonly each: readonly WaitingFor[];
  readonly short: Notice | null;
}

export type ExplainWaiting = (prepare: Prepare, task: WaitingTask) => Promise<Waiting>;

const nothingKnown: Waiting = { each: [], short: null };

/**
 * Where the verbs that describe a task ask why it waits. Whoever gives out the work knows, and says so as long as it does: the port stands
 * here because descriptions come before it in the order of the folders.
 */
export class WaitingBoard {
  #explain: ExplainWaiting | null = null;

  /** Answers from now on. Returns the function that ends it. */
  use(explain: ExplainWaiting): () => void {
    this.#explain = explain;
    return () => {
      if (this.#explain === explain) this.#explain = null;
    };
  }

  /** `prepare` is that of the connection, or of the transaction, that the task was read with. */
  async explain(prepare: Prepare, task: WaitingTask): Promise<Waiting> {
    return (await this.#explain?.(prepare, task)) ?? nothingKnown;
  }
}
