import type { Context } from "../context/context.ts";
import type { PublishedEvent } from "../context/event-hub.ts";
import type { Executor } from "../executors/executor.ts";
import { type ExecutorSet, fixedExecutors } from "../executors/executor-set.ts";
import { channels } from "../gateways/channels.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import { claimNext, hasNext } from "../queue/claim.ts";
import { changeHeld, releaseTask, renewLeases } from "../queue/lease.ts";
import { reapStale, reapUnable } from "../queue/reap.ts";
import { hasExpired, reclaimExpired } from "../queue/reclaim.ts";
import { announceQueue } from "../tasks/announce-queue.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { performRun, RunControl } from "./run.ts";
import { Seats } from "./seats.ts";
import { sweep } from "./sweep.ts";
import { TakeOver } from "./take-over.ts";
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
/** What stands in the event of a task that was handed back, and of one that somebody begins. */
const HANDED_BACK = '"status":"processing"';
const BEGUN = '"stage":"starting"';
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
  readonly #takeOver: TakeOver;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  #pumping: Promise<void> | null = null;
  #again = false;
  /** There may be runs that nobody watches. */
  #mayAdopt = false;
  /** A commit was not heard of any more: we may hold what we do not know. */
  #mayHoldMore = false;
  /** Whether this gateway does what only one may do. */
  #leads = false;
  /** When the database could not be asked last. */
  #troubledAt = Number.NEGATIVE_INFINITY;
  #lastReaped: number;
  #telling: NodeJS.Timeout | undefined;
  #atExpiry: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor({ context, executors, limits = timeLimits, storagePauses = STORAGE_PAUSES_MS }: DispatcherOptions) {
    this.#context = context;
    const set = "all" in executors ? executors : fixedExecutors(executors);
    this.#executors = set;
    this.#seats = new Seats(context, set);
    this.#limits = limits;
    this.#lastReaped = context.clock.steady();
    const launch = (task: TaskRecord, executor: Executor) => this.#launch(task, executor);
    this.#takeOver = new TakeOver({ context, executors: set, limits, launch, stopping: this.#stopping.signal });
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

  recover(): Promise<void> {
    return this.#takeOver.recover();
  }

  begin(): void {
    const { database, hub } = this.#context;
    const stopLeading = whileLeading(this.#context, () => {
      this.#leads = true;
      return () => {
        this.#leads = false;
      };
    });
    this.#unsubscribe.push(
      () => void Promise.resolve(stopLeading()).catch(() => undefined),
      hub.watch((event) => this.#hear(event)),
      hub.onQueueChange(() => {
        this.#seats.lookAnew();
        this.#wake();
      }),
      database.listen(channels.queue, () => {
        hub.queueChanged();
        this.#tellQueueSoon();
      }),
      this.#executors.subscribe(() => {
        this.#wake();
        this.#tellQueueSoon();
      }),
      this.#context.waiting.use((prepare, task) => this.#seats.explainWaiting(prepare, task)),
    );
    this.#every(this.#limits.renewal, () => this.#renew());
    this.#every(this.#limits.reaper, () => this.#reap());
    this.#every(SWEEP_MS, async () => (this.#leads ? sweep(this.#context) : undefined), FIRST_SWEEP_MS);
    this.#wake();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    for (const timer of [...this.#timers, this.#telling, this.#atExpiry]) clearTimeout(timer);
    for (const run of this.#runs) run.control.interrupt("stop");
    await this.#pumping;
    await within(this.#limits.stop, Promise.all([...this.#runs].map((run) => run.ended)));
    // Their rows are as a crash would leave them: the next start takes them up.
    const left = [...this.#runs].map((run) => run.task.id);
    if (left.length > 0) this.#context.log.warn("runs did not end in time for the stop", { task_ids: left });
  }

  #hear(event: PublishedEvent): void {
    if (event.signal === "waiting") {
      if (this.#context.database.shared && event.data.includes(HANDED_BACK)) this.#mayAdopt = true;
      this.#wake();
    }
    if (event.signal === "ended") this.#tellQueueSoon();
    if (event.elsewhere === true && event.data.includes(BEGUN)) this.#tellQueueSoon();
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
      try {
        if (this.#context.database.shared) await this.#takeUp();
        if (!this.#hasFreeSlot()) return;
        if (this.#context.database.shared && !(await hasNext(this.#context, this.#shop.lanes()))) continue;
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
        this.#mayHoldMore = true;
        this.#context.log.error("no task could be claimed", { error });
        setTimeout(() => this.#wake(), RETRY_MS).unref();
      }
    }
  }

  /** Only here and by claims, one after the other, does anything become ours. */
  async #takeUp(): Promise<void> {
    if (this.#mayHoldMore) {
      await this.#takeOver.putBack(new Set([...this.#runs].map(({ task }) => task.id)));
      this.#mayHoldMore = false;
    }
    if (!this.#mayAdopt) return;
    this.#mayAdopt = false;
    try {
      await this.#takeOver.adopt();
    } catch (error) {
      this.#mayAdopt = true;
      throw error;
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
    const before = this.#endEarlier(task);
    const run: Run = { task, control: new RunControl(), executor: executor.name, ended: Promise.resolve() };
    this.#runs.add(run);
    if (this.#stopping.signal.aborted) run.control.interrupt("stop");
    const perform = () => performRun(this.#shop, task, executor, run.control);
    run.ended = (before === undefined ? perform() : before.then(perform))
      .catch((error: unknown) => {
        // Only storage that fails until the server stops ends here; the row is as it was and the next start reads it.
        this.#context.log.error("how a run ended could not be stored", { task_id: task.id, error });
      })
      .finally(() => {
        this.#runs.delete(run);
        this.#wake();
      });
  }

  /**
   * What we still do for an attempt that is ours anew: we had lost it to another gateway, which gave it back, and have not noticed yet.
   * Resolves when that has ended, since the two would stand in each other's way; undefined when there is nothing.
   */
  #endEarlier({ id, attempt }: TaskRecord): Promise<void> | undefined {
    if (!this.#context.database.shared) return undefined;
    const earlier = [...this.#runs].filter(({ task }) => task.id === id && task.attempt === attempt);
    for (const run of earlier) run.control.interrupt("ended");
    return earlier.length === 0 ? undefined : Promise.all(earlier.map((run) => run.ended)).then(() => undefined);
  }

  async #renew(): Promise<void> {
    const runs = [...this.#runs];
    if (runs.length === 0) return;
    const { lost, cancelled } = await renewLeases(
      this.#context,
      runs.map((run) => run.task),
      this.#limits,
    );
    for (const run of runs) {
      if (lost.includes(run.task)) run.control.interrupt("ended");
      // It was told of already, but news may be lost on the way from another gateway.
      if (cancelled.includes(run.task)) run.control.interrupt("cancel");
    }
  }

  async #reap(): Promise<void> {
    const now = this.#context.clock.steady();
    const elapsed = now - this.#lastReaped;
    this.#lastReaped = now;
    if (this.#leads) await reapStale(this.#context, this.#limits);
    await this.#reclaimExpired();
    if (this.#leads) await reapUnable(this.#context, this.#seats.lanes(), elapsed, this.#limits);
    await this.#freeAbandoned();
    this.#wake();
  }

  async #reclaimExpired(): Promise<void> {
    if (this.#context.database.shared) {
      if (!(await hasExpired(this.#context))) return;
      // The database was away for longer than a lease: what goes on here is not lost for that.
      await this.#renew();
    }
    await reclaimExpired(this.#context);
  }

  async #freeAbandoned(): Promise<void> {
    // Where the database was away, nobody could renew: the others are given as long as they need for it.
    if (performance.now() - this.#troubledAt <= this.#limits.renewal) return;
    const left = await this.#takeOver.freeAbandoned();
    clearTimeout(this.#atExpiry);
    if (left === 0) this.#mayAdopt = true;
    if (left === null || left === 0 || this.#stopping.signal.aborted) return;
    // Nobody is waited for longer than a lease lasts.
    this.#atExpiry = setTimeout(() => void this.#lookAtExpiry(), left).unref();
  }

  async #lookAtExpiry(): Promise<void> {
    try {
      await this.#freeAbandoned();
      this.#wake();
    } catch (error) {
      this.#context.log.warn("whether another gateway is gone could not be read", { error });
    }
  }

  /** Repeats the work, each time a while after it has ended. */
  #every(milliseconds: number, work: () => Promise<void>, first: number = milliseconds): void {
    const index = this.#timers.length;
    const again = (pause: number): void => {
      this.#timers[index] = setTimeout(() => {
        void work()
          .catch((error: unknown) => {
            this.#troubledAt = performance.now();
            this.#context.log.error("a regular check failed", { error });
          })
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
