import type { Context } from "../context/context.ts";
import type { Executor } from "../executors/executor.ts";
import type { ExecutorSet } from "../executors/executor-set.ts";
import {
  adoptRun,
  findOrphaned,
  forgetRun,
  putBackUnknown,
  reclaimAbandoned,
  untilAbandoned,
} from "../queue/reclaim.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import type { TimeLimits } from "../tasks/time-limits.ts";

export interface TakeOverParts {
  readonly context: Context;
  readonly executors: ExecutorSet;
  readonly limits: TimeLimits;
  /** Follows the run of a task that is ours now. */
  readonly launch: (task: TaskRecord, executor: Executor) => void;
  /** Fires when the server stops: then nothing more is picked up. */
  readonly stopping: AbortSignal;
}

/**
 * Takes over what others held when they died or stopped: what an earlier start left and, on a shared database, what another gateway left.
 * A run that goes on elsewhere is picked up by one gateway; whoever asks first has it. One that was part of its gateway is forgotten, and
 * its task begins again anywhere in the same attempt.
 */
export class TakeOver {
  readonly #parts: TakeOverParts;
  /** Tasks whose executor is not known here, and since when that is so. */
  readonly #strangers = new Map<string, number>();

  constructor(parts: TakeOverParts) {
    this.#parts = parts;
  }

  /** Before anything else runs, executors are asked for the runs that an earlier start left with them (FR-006). */
  async recover(): Promise<void> {
    await this.#pickUp(await reclaimAbandoned(this.#parts.context, this.#isGone));
  }

  /**
   * Frees what is held by gateways that did not renew it. Answers in how many milliseconds it is to be called again, if that is sooner than
   * usual; 0 when it has freed something, and there may be runs to pick up.
   */
  async freeAbandoned(): Promise<number | null> {
    const { context, limits } = this.#parts;
    if (!context.database.shared) return null;
    const left = await untilAbandoned(context);
    if (left === 0) await reclaimAbandoned(context, this.#isGone);
    return left === null || left >= limits.reaper ? null : left;
  }

  /** Frees what we hold without knowing of it. `known`: the tasks that are worked on here. */
  async putBack(known: ReadonlySet<string>): Promise<void> {
    const { context } = this.#parts;
    const tasks = await putBackUnknown(context, known, this.#isGone);
    if (tasks > 0) context.log.warn("tasks were held without being worked on, and are given out again", { tasks });
  }

  /** Picks up runs that nobody watches. */
  async adopt(): Promise<void> {
    const orphaned = await findOrphaned(this.#parts.context);
    for (const id of this.#strangers.keys()) if (!orphaned.some((task) => task.id === id)) this.#strangers.delete(id);
    // Every gateway asks in this moment, and each begins somewhere else.
    const first = this.#parts.context.ids.seed() % Math.max(1, orphaned.length);
    await this.#pickUp([...orphaned.slice(first), ...orphaned.slice(0, first)]);
  }

  async #pickUp(tasks: readonly TaskRecord[]): Promise<void> {
    const { context, executors, limits, launch, stopping } = this.#parts;
    for (const task of tasks) {
      if (stopping.aborted) return;
      const executor = executors.find(task.executor ?? "");
      if (executor === undefined ? this.#isStranger(task) : this.#isGone(executor.name)) {
        await forgetRun(context, task);
        continue;
      }
      if (executor === undefined) continue;
      const adopted = await adoptRun(context, task, limits);
      if (adopted !== null) launch(adopted, executor);
    }
  }

  /** Whether its runs ended with the gateway that held them. One that is alone on its database asks the executor itself. */
  readonly #isGone = (executor: string): boolean => {
    const { context, executors } = this.#parts;
    return context.database.shared && executors.find(executor)?.survivesRestart === false;
  };

  /** Whether the executor is gone. What another gateway has just added may not have been heard of yet. */
  #isStranger({ id }: TaskRecord): boolean {
    const { context, limits } = this.#parts;
    if (!context.database.shared) return true;
    const now = performance.now();
    const since = this.#strangers.get(id) ?? now;
    this.#strangers.set(id, since);
    return now - since >= limits.reaper;
  }
}
