import type { Log } from "../log.ts";
import type { AttemptName } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";
import type { RunConnections } from "./run-connections.ts";

/** More than this are left to end by themselves. */
const MOST = 200;

interface StopParts {
  readonly patienceMs: number;
  readonly log: Log;
  readonly isWanted: (run: AttemptName) => Promise<boolean>;
}

/** Runs that a worker could not be told to stop, as it did not answer; it is told once it does. */
export class LeftOverRuns {
  readonly #runs = new Map<string, AttemptName>();

  add(key: string, run: AttemptName): void {
    if (this.#runs.size < MOST) this.#runs.set(key, run);
  }

  has(key: string): boolean {
    return this.#runs.has(key);
  }

  /** It is wanted again, or taken care of. */
  drop(key: string): void {
    this.#runs.delete(key);
  }

  /**
   * The worker is there again: has it stop and forget them, but for those of which `isWanted` says that somebody else works with them now.
   * Gives up at the first that fails, until the next time.
   */
  async stop(connections: RunConnections, { patienceMs, log, isWanted }: StopParts): Promise<void> {
    for (const [key, run] of this.#runs) {
      // Begun again meanwhile, or taken up by another call of this.
      if (connections.isUsedBy(key) || !this.#runs.delete(key)) continue;
      try {
        if (await isWanted(run)) continue;
        const { client } = connections.newest();
        await client.cancel(run, patienceMs);
        await client.remove(run);
      } catch (error) {
        log.debug("a run could not be stopped", { task_id: run.taskId, attempt: run.attempt, error });
        if (!(error instanceof WorkerError) || error.kind !== "task_unknown") this.add(key, run);
        return;
      }
    }
  }
}
