import { catalog, type Mode, type ModelId } from "@safelight/catalog";
import type { Context } from "../context/context.ts";
import type { Waiting, WaitingTask } from "../context/waiting-board.ts";
import type { Executor } from "../executors/executor.ts";
import type { ExecutorSet } from "../executors/executor-set.ts";
import type { Lane } from "../queue/lanes.ts";
import { lookAtQueue, type QueueView, type Seat, whyWaiting } from "../queue/why-waiting.ts";
import type { Prepare } from "../tasks/read.ts";

/** How long a look at the queue is good for those who ask why a task waits, milliseconds. */
const VIEW_MS = 50;

/** An executor as a look found it. */
interface Place {
  readonly executor: Executor;
  readonly lane: Lane;
  readonly rests: boolean;
}

interface Seen {
  /** Of a database that others do not use: how many there were. */
  readonly commits: number;
  readonly at: number;
  readonly places: readonly Place[];
  view: Promise<QueueView> | undefined;
}

/** The executors as the queue sees them. */
export class Seats {
  readonly #context: Context;
  readonly #executors: ExecutorSet;
  /** Rises with every use; what was not used since the start stands below zero, by when it was. */
  readonly #lastUsed = new Map<string, number>();
  readonly #startedAt: number;
  #uses = 0;
  readonly #resting = new Set<string>();
  #seen: Seen | undefined;
  /** Of transactions and readings. */
  readonly #seenInside = new WeakMap<Prepare, Promise<QueueView>>();

  constructor(context: Context, executors: ExecutorSet) {
    this.#context = context;
    this.#executors = executors;
    this.#startedAt = context.clock.now();
  }

  /** Every executor, whether it is left in peace or not. */
  lanes(): Lane[] {
    return this.#executors.all().map((executor) => this.#laneOf(executor));
  }

  /** Those that may be given work, or waited for. */
  openLanes(): Lane[] {
    return this.lanes().filter((lane) => this.#executors.standing(lane.executor) !== "resting");
  }

  /** The executor is given a task. */
  use(name: string): void {
    this.#uses += 1;
    this.#lastUsed.set(name, this.#uses);
  }

  /** The executor said that it is busy, and is left in peace until the function that is answered is called. */
  rest(name: string): () => void {
    this.#resting.add(name);
    return () => this.#resting.delete(name);
  }

  async explainWaiting(prepare: Prepare, task: WaitingTask): Promise<Waiting> {
    const { places, view } = this.#look(prepare);
    const seats = places.map(({ executor, lane, rests }): Seat => {
      const offer = executor.offer(task.model as ModelId, task.mode as Mode);
      return { lane, rests, unable: offer.able ? null : offer.reason };
    });
    return whyWaiting(prepare, seats, await view, task);
  }

  /** The rules have changed: what was seen before is not told any more. */
  lookAnew(): void {
    this.#seen = undefined;
  }

  /**
   * Lists ask for many tasks at once, and many submit at once: what was seen holds for a moment, where others do not use the database until
   * the next commit at most.
   */
  #look(prepare: Prepare): { readonly places: readonly Place[]; readonly view: Promise<QueueView> } {
    const { database } = this.#context;
    const commits = database.shared ? 0 : database.commits;
    const now = performance.now();
    if (this.#seen?.commits !== commits || now - this.#seen.at > VIEW_MS) {
      const places = this.#executors.all().map((executor) => {
        const rests = this.#executors.standing(executor.name) === "resting";
        return { executor, rests, lane: this.#laneOf(executor) };
      });
      this.#seen = { commits, at: now, places, view: undefined };
    }
    const seen = this.#seen;
    if (prepare !== database.prepareRead) return { places: seen.places, view: this.#viewInside(prepare) };
    if (seen.view === undefined) {
      // Kept before it is there: those who ask meanwhile wait for the same look.
      const view = lookAtQueue(this.#context, prepare);
      seen.view = view;
      view.catch(() => {
        if (seen.view === view) seen.view = undefined;
      });
    }
    return { places: seen.places, view: seen.view };
  }

  /** What a transaction or a reading sees is for nobody else: it may be taken back, or be older than the last commit. */
  async #viewInside(prepare: Prepare): Promise<QueueView> {
    const before = this.#seenInside.get(prepare);
    const seen = before ?? lookAtQueue(this.#context, prepare);
    if (before === undefined) this.#seenInside.set(prepare, seen);
    // Inside a transaction there may be another task in front since the last look.
    return { ...(await seen), next: undefined };
  }

  #laneOf(executor: Executor): Lane {
    const { name, engine, survivesRestart } = executor;
    const before = Math.min(0, this.#executors.lastUsedAt(name) - this.#startedAt);
    return {
      executor: name,
      engine,
      slots: executor.slots(),
      able: catalog.models.flatMap((model) =>
        model.modes
          .filter((mode) => executor.offer(model.id, mode.id).able)
          .map((mode) => ({ type: model.type, model: model.id, mode: mode.id })),
      ),
      open: true,
      local: !survivesRestart,
      full: this.#resting.has(name) || this.#executors.standing(name) === "doubted",
      lastUsedAt: this.#lastUsed.get(name) ?? before,
    };
  }
}
