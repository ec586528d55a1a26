import { type Executor, type RunHandle, StartFailed } from "../executors/executor.ts";
import { chooseAnother } from "../queue/claim.ts";
import { changeHeld, updateHeld } from "../queue/lease.ts";
import { changeTask } from "../tasks/change.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import type { Outcome } from "./outcome.ts";
import { runRequestFor } from "./run-request.ts";
import { persist, type Workshop, whenAborted } from "./workshop.ts";

/** How many further executors are tried when the first does not start a run (FR-011). All of it is one attempt. */
const FURTHER_EXECUTORS = 3;

export type Begun =
  | { begun: true; task: TaskRecord; executor: Executor; handle: RunHandle }
  | { begun: false; outcome: Outcome };

/**
 * Starts the run, on another executor when the chosen one does not, and writes the handle down. Rejects with Interrupted
 * when the signal fires first; a run that starts after all is then stopped.
 */
export async function beginRun(
  shop: Workshop,
  claimed: TaskRecord,
  first: Executor,
  signal: AbortSignal,
): Promise<Begun> {
  const failures: StartFailed[] = [];
  const tried = new Set<string>();
  let task = claimed;
  for (let executor: Executor | null = first; executor !== null; ) {
    try {
      const handle = await startOn(shop, task, executor, signal);
      return await noteHandle(shop, task, executor, handle);
    } catch (error) {
      if (signal.aborted) throw error;
      const failure =
        error instanceof StartFailed ? error : new StartFailed("unreachable", "The executor failed.", error);
      failures.push(failure);
      tried.add(executor.name);
      if (failure.reason === "busy") shop.rest(executor.name);
      logFailure(shop, task, executor, failure);
    }
    const next = tried.size > FURTHER_EXECUTORS ? null : await passOn(shop, task, tried);
    if (next !== null) task = next;
    executor = next === null ? null : (shop.executors.find(({ name }) => name === next.executor) ?? null);
  }
  return { begun: false, outcome: outcomeOf(failures) };
}

async function startOn(shop: Workshop, task: TaskRecord, executor: Executor, signal: AbortSignal): Promise<RunHandle> {
  const interruption = whenAborted(signal);
  const starting = executor.start(runRequestFor(shop.context, task, shop.limits));
  try {
    return await Promise.race([starting, interruption.promise]);
  } catch (error) {
    // A start that comes through after nobody wants it any more must not keep the slot.
    if (signal.aborted) void starting.then((handle) => executor.release(handle)).catch(() => undefined);
    throw error;
  } finally {
    interruption.forget();
  }
}

/** A handle that cannot be written now is written with the next report; the run itself goes on. */
async function noteHandle(shop: Workshop, task: TaskRecord, executor: Executor, handle: RunHandle): Promise<Begun> {
  try {
    const noted = await updateHeld(shop.context, task, () => ({
      columns: { run_handle: JSON.stringify(handle) },
      announce: false,
    }));
    if (noted !== null) return { begun: true, task: noted, executor, handle };
  } catch (error) {
    shop.context.log.warn("the handle of a run could not be stored yet", { task_id: task.id, error });
    return { begun: true, task, executor, handle };
  }
  await executor.release(handle).catch(() => undefined);
  return { begun: false, outcome: { kind: "void" } };
}

/** Moves the task to an executor that was not tried yet, or returns null when none is able and free. */
function passOn(shop: Workshop, held: TaskRecord, tried: ReadonlySet<string>): Promise<TaskRecord | null> {
  const { context } = shop;
  const lanes = shop.lanes().filter((lane) => !tried.has(lane.executor));
  if (lanes.length === 0) return Promise.resolve(null);
  return persist(shop, async () => {
    let moved: TaskRecord | null = null;
    await changeHeld(context, held, (task, tx) => {
      const lane = chooseAnother(tx, lanes, task);
      if (lane === null) return task;
      moved = changeTask(context, tx, task, { columns: { executor: lane.executor, engine: lane.engine } });
      return moved;
    });
    return moved;
  });
}

function outcomeOf(failures: readonly StartFailed[]): Outcome {
  if (failures.every(({ reason }) => reason === "busy")) return { kind: "handed_back", keepRun: false };
  const last = failures.findLast(({ reason }) => reason !== "busy");
  if (last?.reason === "refused") return { kind: "failed", code: "engine_failed", detail: last.message };
  return { kind: "lost", code: "worker_lost", detail: "No executor could be reached to start the task." };
}

function logFailure(shop: Workshop, task: TaskRecord, executor: Executor, failure: StartFailed): void {
  const { reason } = failure;
  shop.context.log.warn("an executor did not start a run", {
    task_id: task.id,
    executor: executor.name,
    reason,
    error: failure,
  });
}
