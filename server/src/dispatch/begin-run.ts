import { type Executor, type RunHandle, StartFailed } from "../executors/executor.ts";
import type { RunPass } from "../executors/executor-set.ts";
import { MediaNotFound } from "../media/media-names.ts";
import { ableLanes, chooseAnother } from "../queue/claim.ts";
import { changeHeld, updateHeld } from "../queue/lease.ts";
import { changeTask } from "../tasks/change.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { letGo } from "./let-go.ts";
import type { Outcome } from "./outcome.ts";
import { readReferences, runRequestFor } from "./run-request.ts";
import { Interrupted, persist, type Workshop, whenAborted, withMedia } from "./workshop.ts";

/** How many further executors are tried when the first does not start a run (FR-011). All of it is one attempt. */
const FURTHER_EXECUTORS = 3;

export type Begun =
  | { begun: true; task: TaskRecord; executor: Executor; handle: RunHandle; pass: RunPass }
  | { begun: false; outcome: Outcome };

interface Failure {
  readonly executor: string;
  readonly error: StartFailed;
}

export interface RunSurroundings {
  readonly signal: AbortSignal;
  /** Gives back what was lent for the run, when it is over. */
  readonly borrowed: AsyncDisposableStack;
}

/**
 * Starts the run, on another executor when the chosen one does not, and writes the handle down. Rejects with Interrupted
 * when the signal fires first; a run that starts after all is then stopped.
 */
export async function beginRun(
  shop: Workshop,
  claimed: TaskRecord,
  first: Executor,
  { signal, borrowed }: RunSurroundings,
): Promise<Begun> {
  const failures: Failure[] = [];
  let task = claimed;
  for (let executor: Executor | null = first; executor !== null; ) {
    const pass = shop.executors.begin(executor.name);
    try {
      const handle = await startOn(shop, task, executor, { signal, borrowed });
      return await noteHandle(shop, task, { executor, handle, pass });
    } catch (error) {
      if (signal.aborted) {
        pass.end("none");
        throw error;
      }
      failures.push(noteFailure(shop, task, executor, pass, error));
    }
    const tried = new Set(failures.map((failure) => failure.executor));
    const next = tried.size > FURTHER_EXECUTORS ? null : await passOn(shop, task, tried);
    if (next !== null) task = next;
    executor = next === null ? null : (shop.executors.find(next.executor ?? "") ?? null);
  }
  return { begun: false, outcome: outcomeOf(shop, task, failures) };
}

function noteFailure(shop: Workshop, task: TaskRecord, executor: Executor, pass: RunPass, thrown: unknown): Failure {
  const error = thrown instanceof StartFailed ? thrown : new StartFailed("unreachable", "The executor failed.", thrown);
  pass.end(error.reason === "unreachable" ? "bad" : "none");
  if (error.reason === "busy") shop.rest(executor.name);
  shop.context.log.warn("an executor did not start a run", {
    task_id: task.id,
    attempt: task.attempt,
    executor: executor.name,
    reason: error.reason,
    detail: error.message,
    ...(thrown instanceof StartFailed ? {} : { error: thrown }),
  });
  return { executor: executor.name, error };
}

async function startOn(
  shop: Workshop,
  task: TaskRecord,
  executor: Executor,
  surroundings: RunSurroundings,
): Promise<RunHandle> {
  const { signal } = surroundings;
  const interruption = whenAborted(signal);
  const surplus = async (handle: RunHandle) => letGo(shop, task, executor, () => executor.release(handle));
  // A database that cannot be asked is nobody's fault here, and is waited for.
  const preparing = persist(shop, () => readReferences(shop.context, task.id)).then((references) =>
    runRequestFor(shop, task, references, (name) => lend(shop, name, surroundings)),
  );
  let starting: Promise<RunHandle> | null = null;
  try {
    const request = await Promise.race([preparing, interruption.promise]);
    starting = executor.start(request);
    return await Promise.race([starting, interruption.promise]);
  } catch (error) {
    // A start that comes through after nobody wants it any more must not keep the slot.
    if (signal.aborted) void starting?.then(surplus).catch(() => undefined);
    throw error;
  } finally {
    interruption.forget();
  }
}

async function lend(shop: Workshop, name: string, { signal, borrowed }: RunSurroundings): Promise<string> {
  const { media } = shop.context;
  const file = await withMedia(shop, signal, () => media.borrow(name)).catch((error: unknown) => {
    if (!(error instanceof MediaNotFound)) throw error;
    throw new StartFailed("refused", "A reference picture of the task is no longer there.", error);
  });
  if (!borrowed.disposed) return borrowed.use(file).path;
  // The run was over before the file had come.
  await file[Symbol.asyncDispose]();
  throw new Interrupted();
}

/** A handle that cannot be written now is written with the next report; the run itself goes on. */
async function noteHandle(
  shop: Workshop,
  task: TaskRecord,
  started: { executor: Executor; handle: RunHandle; pass: RunPass },
): Promise<Begun> {
  const { executor, handle } = started;
  try {
    const noted = await updateHeld(shop.context, task, () => ({
      columns: { run_handle: JSON.stringify(handle) },
      announce: false,
    }));
    if (noted !== null) return { begun: true, task: noted, ...started };
  } catch (error) {
    shop.context.log.warn("the handle of a run could not be stored yet", { task_id: task.id, error });
    return { begun: true, task, ...started };
  }
  started.pass.end("none");
  await letGo(shop, task, executor, () => executor.release(handle)).catch(() => undefined);
  return { begun: false, outcome: { kind: "void" } };
}

/** Moves the task to an executor that was not tried yet, or returns null when none is able and free. */
function passOn(shop: Workshop, held: TaskRecord, tried: ReadonlySet<string>): Promise<TaskRecord | null> {
  const { context } = shop;
  return persist(shop, async () => {
    let moved: TaskRecord | null = null;
    await changeHeld(context, held, async (task, tx) => {
      // Asked for once the change has its turn, for which it may have waited.
      const lanes = shop.lanes().filter((lane) => !tried.has(lane.executor));
      const lane = await chooseAnother(context, tx, lanes, task);
      if (lane === null) return task;
      await shop.executors.noteUse(tx, lane.executor);
      moved = await changeTask(context, tx, task, { columns: { executor: lane.executor, engine: lane.engine } });
      return moved;
    });
    return moved;
  });
}

/**
 * Nobody started it. While another executor is able, if only its slots are taken, the task waits for that one and nothing is used up.
 * Otherwise the attempt is over: a task must come to an end where nobody takes it.
 */
function outcomeOf(shop: Workshop, task: TaskRecord, failures: readonly Failure[]): Outcome {
  const avoid = failures.flatMap(({ executor, error }) => (error.reason === "busy" ? [] : [executor]));
  const mayGoOn = new Set(avoid).size <= FURTHER_EXECUTORS;
  const others = mayGoOn && ableLanes(shop.lanes(), task).some((lane) => !avoid.includes(lane.executor));
  if (avoid.length === 0 || others) return { kind: "handed_back", keepRun: false, avoid };
  const last = failures.findLast(({ error }) => error.reason !== "busy")?.error;
  if (last?.reason === "refused") return { kind: "failed", code: "engine_failed", detail: last.message };
  // Each of them was told of its own failure already.
  const detail = "No executor could be reached to start the task.";
  return { kind: "lost", code: "worker_lost", detail, blameless: true };
}
