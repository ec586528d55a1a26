import type { Executor, RunHandle, RunUpdate } from "../executors/executor.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { ProgressWriter } from "./progress-writer.ts";
import { type Workshop, whenAborted } from "./workshop.ts";

export interface RunUnderWay {
  task: TaskRecord;
  executor: Executor;
  handle: RunHandle;
  signal: AbortSignal;
  /** Ends the run before its time. */
  interrupt: (reason: "cancel" | "ended") => void;
}

/**
 * Watches a run to its end and writes what it reports into the task. Returns the last report, and the task as it is then;
 * no report when the executor broke off. Rejects with Interrupted when the signal fires.
 */
export async function followRun(
  shop: Workshop,
  run: RunUnderWay,
): Promise<{ last: RunUpdate | undefined; task: TaskRecord }> {
  let task = run.task;
  const writer = new ProgressWriter(shop, run, (changed) => {
    if (changed === null) return run.interrupt("ended");
    task = changed;
    if (changed.cancelRequestedAt !== null) run.interrupt("cancel");
  });
  let last: RunUpdate | undefined;
  try {
    for await (const update of untilAborted(run.executor.watch(run.handle, run.signal), run.signal)) {
      last = update;
      if (update.state === "running" || update.state === "succeeded") writer.offer(update);
      if (update.state !== "running") break;
    }
  } catch (error) {
    if (run.signal.aborted) throw error;
    shop.context.log.warn("watching a run broke off", { task_id: run.task.id, executor: run.executor.name, error });
    last = undefined;
  } finally {
    await writer.flush();
  }
  return { last: last?.state === "running" ? undefined : last, task };
}

/** An executor that does not answer any more must not keep anyone who wants to stop it waiting. */
async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const interruption = whenAborted(signal);
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), interruption.promise]);
      if (step.done === true) break;
      yield step.value;
    }
    if (signal.aborted) await interruption.promise;
  } finally {
    interruption.forget();
    void iterator.return?.()?.catch(() => undefined);
  }
}
