import type { Context } from "../context/context.ts";
import type { PublishedEvent } from "../context/event-hub.ts";
import type { Executor } from "../executors/executor.ts";
import { type ExecutorSet, fixedExecutors } from "../executors/executor-set.ts";
import { claimNext } from "../queue/claim.ts";
import { changeHeld, releaseTask, renewLeases } from "../queue/lease.ts";
import { reapStale, reapUnable } from "../queue/reap.ts";
import { adoptRun, forgetRun, reclaimAbandoned, reclaimExpired } from "../queue/reclaim.ts";
import { announceQueue } from "../tasks/announce-queue.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { performRun, RunControl } from "./run.ts";
import { Seats } from "./seats.ts";
import { sweep } from "./sweep.ts";
import { type Workshop, within } from "./workshop.ts";

export interface Dispatcher {
  /**
   * Graceful: claims nothing more, hands running tasks back (they stay `processing`), frees the executors. Bounded: what hangs is left
   * to the next start. Calling it again waits for the same end.
   */
  stop(): Promise<void>;
}

export interface DispatcherOptions {
  context: Context;
  /** A set that changes, or executors that neither come nor go. */
  executors: ExecutorSet | readonly Executor[];
  limits?: TimeLimits;
  /** Pauses before each try to store a result, milliseconds. */
  storagePauses?: readonly number[];
}

/**
 * Takes up what an earlier start left, then runs what waits. Woken by what happens (a task submitted, a run ended), never
 * by looking again and again; the timer behind it is there for the case that something was missed.
 */
export async function startDispatcher(options: DispatcherOptions): Promise<Dispatcher> {
  const dispatcher = new RunningDispatcher(options);
  await dispatcher.recover();
  dispatcher.begin();
  return dispatcher;
}

interface Run {
  readonly task: TaskRecord;
  readonly control: RunControl;
  /** Where it was sent; a failing start may take it elsewhere. */
  readonly executor: string;
  ended: Promise<void>;
}

/** How long an executor that said it is busy is left in peace. */
const REST_MS = 250;
/** When to try again after the database refused a claim. */
const RETRY_MS = 100;
// A result may have taken half an hour to make; the storage is given a few moments to recover before it is given up.
const STORAGE_PAUSES_MS = [0, 200, 1000];
/** How long listeners wait to hear of their new places in the queue. */
const TELLING_MS = 250;
/** How soon after the start, and then how often, what is old is thrown away. */
const FIRST_SWEEP_MS = 10_000;
const SWEEP_MS = 10 * 60_000;

class RunningDispatcher implements Dispatcher {
  readonly #context: Context;
  readonly #executors: ExecutorSet;
  readonly #limits: TimeLimits;
  readonly #shop: Workshop;
  readonly #stopping = new AbortController();
  readonly #runs = new Set<Run>();
  readonly #seats: Seats;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  #pumping: Promise<void> | null = null;
  #again = false;
  #lastReaped: number;
  #telling: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ context, executors, limits = timeLimits, storagePauses = STORAGE_PAUSES_MS }: DispatcherOptions) {
    this.#context = context;
    const set = "all" in executors ? executors : fixedExecutors(executors);
    this.#executors = set;
    this.#seats = new Seats(context, set);
    this.#limits = limits;
    this.#lastReaped = context.clock.steady();
    this.#shop = {
      context,
      limits,
      executors: set,
      lanes: () => this.#seats.openLanes(),
      wake: () => this.#wake(),
      storagePauses,
      rest: (executor) => this.#rest(executor),
      stopping: this.#stopping.signal,
    };
  }

  /** Before anything else runs, executors are asked for the runs that an earlier start left with them (FR-006). */
  async recover(): Promise<void> {
    for (const task of await reclaimAbandoned(this.#context)) {
      const executor = this.#executors.find(task.executor ?? "");
      if (executor === undefined) {
        await forgetRun(this.#context, task);
        continue;
      }
      const adopted = await adoptRun(this.#context, task, this.#limits);
      if (adopted !== null) this.#launch(adopted, executor);
    }
  }

  begin(): void {
    this.#unsubscribe.push(
      this.#context.hub.watch((event) => this.#hear(event)),
      this.#context.hub.onQueueChange(() => this.#wake()),
      this.#executors.subscribe(() => {
        this.#wake();
        this.#tellQueueSoon();
      }),
      this.#context.waiting.use((prepare, task) => this.#seats.explainWaiting(prepare, task)),
    );
    this.#every(this.#limits.renewal, () => this.#renew());
    this.#every(this.#limits.reaper, () => this.#reap());
    this.#every(SWEEP_MS, () => sweep(this.#context), FIRST_SWEEP_MS);
    this.#wake();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const timer of [...this.#timers, this.#telling]) clearTimeout(timer);
    for (const run of this.#runs) run.control.interrupt("stop");
    await this.#pumping;
    await within(this.#limits.stop, Promise.all([...this.#runs].map((run) => run.ended)));
    // Their rows are as a crash would leave them: the next start takes them up.
    const left = [...this.#runs].map((run) => run.task.id);
    if (left.length > 0) this.#context.log.warn("runs did not end in time for the stop", { task_ids: left });
  }

  #hear(event: PublishedEvent): void {
    if (event.signal === "waiting") this.#wake();
    if (event.signal === "ended") this.#tellQueueSoon();
    if (event.signal !== "cancelling" && event.signal !== "ended") return;
    for (const run of this.#runs) {
      if (run.task.id === event.taskId) run.control.interrupt(event.signal === "ended" ? "ended" : "cancel");
    }
  }

  #wake(): void {
    this.#again = true;
    if (this.#pumping !== null || this.#stopping.signal.aborted) return;
    this.#pumping = this.#pump().finally(() => {
      this.#pumping = null;
      // Something may have happened between the last look and now.
      if (this.#again) this.#wake();
    });
  }

  /** False while every slot is taken: then the end of a run wakes us, and a busy queue costs the database nothing. */
  #hasFreeSlot(): boolean {
    return this.#shop.lanes().some((lane) => {
      if (lane.able.length === 0 || lane.full === true) return false;
      const busy = [...this.#runs].filter((run) => run.executor === lane.executor && !run.control.storing).length;
      return busy < lane.slots.total;
    });
  }

  /** Claims until there is nothing to claim. What happens meanwhile asks for one more look. */
  async #pump(): Promise<void> {
    while (this.#again && !this.#stopping.signal.aborted) {
      this.#again = false;
      if (!this.#hasFreeSlot()) return;
      try {
        const task = await claimNext(this.#context, () => this.#shop.lanes(), {
          limits: this.#limits,
          onChoice: (tx, lane) => this.#executors.noteUse(tx, lane.executor),
        });
        if (task === null) continue;
        this.#again = true;
        const executor = this.#executors.find(task.executor ?? "");
        // An account that was switched off, or removed, in the moment of the claim gets no work.
        if (executor?.offer(task.model, task.mode).able === true) this.#launch(task, executor);
        else await changeHeld(this.#context, task, (held, tx) => releaseTask(this.#context, tx, held, false));
        this.#tellQueueSoon();
      } catch (error) {
        this.#context.log.error("no task could be claimed", { error });
        setTimeout(() => this.#wake(), RETRY_MS).unref();
      }
    }
  }

  /** Places in the queue move with every claim and every cancel; listeners hear of it at a pace that can be read. */
  #tellQueueSoon(): void {
    if (this.#telling !== undefined || this.#stopping.signal.aborted) return;
    this.#telling = setTimeout(() => {
      this.#telling = undefined;
      if (this.#context.hub.listeners === 0 || this.#stopping.signal.aborted) return;
      // From a timer it would end the server. The next change is told again, once the database can be read.
      announceQueue(this.#context).catch((error: unknown) =>
        this.#context.log.warn("how the queue stands could not be told", { error }),
      );
    }, TELLING_MS).unref();
  }

  #launch(task: TaskRecord, executor: Executor): void {
    this.#seats.use(executor.name);
    const run: Run = { task, control: new RunControl(), executor: executor.name, ended: Promise.resolve() };
    this.#runs.add(run);
    if (this.#stopping.signal.aborted) run.control.interrupt("stop");
    run.ended = performRun(this.#shop, task, executor, run.control)
      .catch((error: unknown) => {
        // Only storage that fails until the server stops ends here; the row is as it was and the next start reads it.
        this.#context.log.error("how a run ended could not be stored", { task_id: task.id, error });
      })
      .finally(() => {
        this.#runs.delete(run);
        this.#wake();
      });
  }

  async #renew(): Promise<void> {
    const runs = [...this.#runs];
    if (runs.length === 0) return;
    const lost = await renewLeases(
      this.#context,
      runs.map((run) => run.task),
      this.#limits,
    );
    for (const run of runs) if (lost.includes(run.task)) run.control.interrupt("ended");
  }

  async #reap(): Promise<void> {
    const now = this.#context.clock.steady();
    const elapsed = now - this.#lastReaped;
    this.#lastReaped = now;
    await reapStale(this.#context, this.#limits);
    await reclaimExpired(this.#context);
    await reapUnable(this.#context, this.#seats.lanes(), elapsed, this.#limits);
    this.#wake();
  }

  /** Repeats the work, each time a while after it has ended. */
  #every(milliseconds: number, work: () => Promise<void>, first: number = milliseconds): void {
    const index = this.#timers.length;
    const again = (pause: number): void => {
      this.#timers[index] = setTimeout(() => {
        void work()
          .catch((error: unknown) => this.#context.log.error("a regular check failed", { error }))
          .finally(() => {
            if (!this.#stopping.signal.aborted) again(milliseconds);
          });
      }, pause).unref();
    };
    again(first);
  }

  #rest(executor: string): void {
    const over = this.#seats.rest(executor);
    setTimeout(() => {
      over();
      this.#wake();
    }, REST_MS).unref();
  }
}
