import type { Executor, RunHandle, RunUpdate } from "../executors/executor.ts";
import type { RunPass } from "../executors/executor-set.ts";
import { changeHeld, loseAttempt, releaseTask } from "../queue/lease.ts";
import { failTask } from "../tasks/fail.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { beginRun } from "./begin-run.ts";
import { followRun } from "./follow-run.ts";
import { letGo } from "./let-go.ts";
import { type Outcome, verdictOf } from "./outcome.ts";
import { storeResult } from "./store-result.ts";
import { type Interruption, persist, type Workshop, within } from "./workshop.ts";

/** The control of one run: `interrupt` ends it, the first reason counts. */
export class RunControl {
  readonly #abort = new AbortController();

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  get reason(): Interruption | null {
    return this.signal.aborted ? (this.signal.reason as Interruption) : null;
  }

  /** True once the run itself is over and only its result is left to be taken in. */
  storing = false;

  readonly interrupt = (reason: Interruption): void => this.#abort.abort(reason);
}

interface Started {
  executor: Executor;
  handle: RunHandle;
  pass: RunPass;
}

/**
 * Takes one claimed task through its attempt: start, watch, store, settle. The row tells at every step how far it came,
 * so the server may die anywhere in here. With a handle in the row the run is picked up instead of started.
 */
export async function performRun(
  shop: Workshop,
  claimed: TaskRecord,
  first: Executor,
  control: RunControl,
): Promise<void> {
  const run = new Attempt(shop, claimed, first, control);
  const outcome = await run.perform();
  await run.conclude(outcome);
}

class Attempt {
  readonly #shop: Workshop;
  readonly #control: RunControl;
  readonly #first: Executor;
  readonly #resumed: boolean;
  #task: TaskRecord;
  #started: Started | null;

  constructor(shop: Workshop, claimed: TaskRecord, first: Executor, control: RunControl) {
    this.#shop = shop;
    this.#control = control;
    this.#first = first;
    this.#task = claimed;
    this.#resumed = claimed.runHandle !== null;
    this.#started =
      claimed.runHandle === null
        ? null
        : {
            executor: first,
            handle: JSON.parse(claimed.runHandle) as RunHandle,
            pass: shop.executors.begin(first.name),
          };
    if (claimed.cancelRequestedAt !== null) control.interrupt("cancel");
  }

  /** Never rejects: a fault that nobody foresaw costs the attempt, not the task. */
  async perform(): Promise<Outcome> {
    try {
      if (this.#control.signal.aborted) return { kind: "interrupted" };
      return await this.#startAndFollow();
    } catch (error) {
      if (this.#control.signal.aborted) return { kind: "interrupted" };
      this.#shop.context.log.error("a run failed in an unforeseen way", { task_id: this.#task.id, error });
      return { kind: "lost", code: "worker_lost", detail: "The task could not be run to its end.", blameless: true };
    }
  }

  async #startAndFollow(): Promise<Outcome> {
    const { signal, interrupt } = this.#control;
    await using borrowed = new AsyncDisposableStack();
    if (this.#started === null) {
      const begun = await beginRun(this.#shop, this.#task, this.#first, { signal, borrowed });
      if (!begun.begun) return begun.outcome;
      this.#task = begun.task;
      this.#started = { executor: begun.executor, handle: begun.handle, pass: begun.pass };
    }
    const started = this.#started;
    const { last, task } = await followRun(this.#shop, { task: this.#task, ...started, signal, interrupt });
    this.#task = task;
    if (last?.state === "succeeded") {
      this.#control.storing = true;
      this.#shop.wake();
      return storeResult(this.#shop, { task, ...started, signal: this.#whileWanted() });
    }
    return this.#outcomeOf(last, started.executor);
  }

  #outcomeOf(last: RunUpdate | undefined, executor: Executor): Outcome {
    if (last?.state === "unknown" && this.#resumed && !executor.survivesRestart) {
      return { kind: "handed_back", keepRun: false };
    }
    if (last?.state !== "failed" || last.error === undefined) {
      return { kind: "lost", code: "worker_lost", detail: "The executor was lost while it worked on the task." };
    }
    const { code, detail, again } = last.error;
    if (code === "worker_lost") return { kind: "lost", code, detail };
    if (again === true && code !== "content_refused") return { kind: "lost", code, detail, blameless: true };
    return { kind: "failed", code, detail };
  }

  /** A stopping server lets a result that is made already be stored, for a moment. */
  #whileWanted(): AbortSignal {
    const { signal } = this.#control;
    const wanted = new AbortController();
    const onAbort = (): void => {
      if (this.#control.reason !== "stop") return wanted.abort();
      setTimeout(() => wanted.abort(), this.#shop.limits.stop / 2).unref();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    return wanted.signal;
  }

  /** Frees the executor and writes down how the attempt ended. */
  async conclude(outcome: Outcome): Promise<void> {
    const final = outcome.kind === "interrupted" ? this.#interrupted() : outcome;
    this.#started?.pass.end(verdictOf(final));
    this.#log(final);
    const ended = final.kind === "settled" || final.kind === "failed" || final.kind === "lost";
    if (final.kind === "handed_back" && final.keepRun) {
      const task = await this.#settle(final);
      // Cancelled in the same moment: then the run is not to go on after all.
      if (task !== null && isEnded(task.status)) await this.#free();
      return;
    }
    // An executor must be free before the queue hears that it could have the next task.
    if (!ended) await this.#free();
    await this.#settle(final);
    // A worker elsewhere may take long to answer that it let go, or never do; the queue need not wait for that.
    if (ended && this.#started?.executor.survivesRestart === true) {
      this.#control.storing = true;
      this.#shop.wake();
    }
    if (ended) await this.#free();
  }

  /** How the routing of this attempt came out. */
  #log(outcome: Outcome): void {
    this.#shop.context.log.info("run concluded", {
      task_id: this.#task.id,
      attempt: this.#task.attempt,
      executor: this.#started?.executor.name ?? this.#task.executor,
      picked_up: this.#resumed,
      outcome: outcome.kind,
      ...("code" in outcome ? { code: outcome.code } : {}),
      ...(outcome.kind === "handed_back" ? { run_goes_on: outcome.keepRun, avoids: outcome.avoid ?? [] } : {}),
    });
  }

  #interrupted(): Outcome {
    const reason = this.#control.reason;
    if (reason === "cancel") return { kind: "cancelled" };
    if (reason === "stop") return { kind: "handed_back", keepRun: this.#started?.executor.survivesRestart === true };
    return { kind: "void" };
  }

  async #free(): Promise<void> {
    if (this.#started === null) return;
    const { executor, handle } = this.#started;
    const { cancel } = this.#shop.limits;
    await letGo(this.#shop, this.#task, executor, async () => {
      await within(cancel, executor.cancel(handle));
      await within(cancel, executor.release(handle));
    });
  }

  /** The task as it is afterwards, or null when there was nothing to write. */
  async #settle(outcome: Outcome): Promise<TaskRecord | null> {
    const { context } = this.#shop;
    if (outcome.kind === "settled" || outcome.kind === "void" || outcome.kind === "interrupted") return null;
    return persist(this.#shop, () =>
      changeHeld(context, this.#task, async (task, tx) => {
        // The creator's wish stands above whatever else happened in the same moment.
        if (outcome.kind === "cancelled" || task.cancelRequestedAt !== null)
          return failTask(context, tx, task, "cancelled");
        if (outcome.kind === "failed") return failTask(context, tx, task, outcome.code, outcome.detail);
        if (outcome.kind === "lost") return loseAttempt(context, tx, task, outcome.code, outcome.detail);
        return releaseTask(context, tx, task, outcome.keepRun, outcome.avoid);
      }),
    );
  }
}
