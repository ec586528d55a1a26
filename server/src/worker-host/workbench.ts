import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { WorkerResult, WorkerTask, WorkerTaskError } from "@safelight/contract/worker";
import { type Executor, type RunRequest, type RunResult, type RunUpdate, StartFailed } from "../executors/executor.ts";
import type { Log } from "../log.ts";
import { type Attempt, taskError } from "./attempt.ts";
import type { KeptTask, KeptTasks } from "./kept-tasks.ts";

export interface Workbench {
  readonly executors: readonly Executor[];
  readonly kept: KeptTasks;
  readonly log: Log;
}

/**
 * Takes one attempt through its run and leaves its end on disk before it is told. Never rejects. An attempt that is to stop
 * leaves nothing behind but its end.
 */
export async function perform(bench: Workbench, attempt: Attempt, request: RunRequest): Promise<void> {
  let ending: WorkerTask | null = null;
  try {
    const last = attempt.stopReason === null ? await startAndFollow(bench, attempt, request) : undefined;
    if (last?.state === "succeeded" && attempt.stopReason === null) ending = await store(bench, attempt);
    else ending = attempt.ending({ error: errorOf(attempt, last) });
  } catch (error) {
    bench.log.error("a run ended in an unforeseen way", { task_id: request.taskId, error });
    ending = attempt.ending({ error: failureOf(error) });
  }
  if (ending.state === "failed") await keepFailure(bench, attempt, ending);
  await letGo(bench, attempt);
  if (attempt.stopReason === "superseded" && attempt.kept !== null) await bench.kept.remove(attempt.kept);
  attempt.end(ending);
}

async function startAndFollow(bench: Workbench, attempt: Attempt, request: RunRequest): Promise<RunUpdate | undefined> {
  attempt.run = await startSomewhere(bench, request);
  const { executor, handle } = attempt.run;
  // Somebody may have asked to stop it while it was starting, when there was nothing yet to be stopped.
  if (attempt.stopReason !== null) await executor.cancel(handle);
  let last: RunUpdate | undefined;
  for await (last of executor.watch(handle, new AbortController().signal)) attempt.report(last);
  return last;
}

/** The slots were counted before, so one executor is free; which one, it says itself. */
async function startSomewhere({ executors }: Workbench, request: RunRequest): Promise<NonNullable<Attempt["run"]>> {
  let failure: unknown;
  for (const executor of executors) {
    try {
      return { executor, handle: await executor.start(request) };
    } catch (error) {
      failure = error;
      if (!(error instanceof StartFailed) || error.reason !== "busy") throw error;
    }
  }
  throw failure;
}

async function store({ kept, log }: Workbench, attempt: Attempt): Promise<WorkerTask> {
  if (attempt.run === null) throw new TypeError("an attempt without a run has no result");
  const { executor, handle } = attempt.run;
  const { stream, ...facts } = await executor.result(handle);
  const written = await kept.putResult(attempt.task, facts.contentType, Readable.from(counted(stream, facts)));
  const preview = await executor.preview(handle);
  const shown = preview === null ? null : await kept.putPreview(attempt.task, preview);
  // From here on the end is certain; a wish to stop it that comes later comes too late.
  if (attempt.stopReason !== null) {
    await kept.removeFile(written.name);
    return attempt.ending({ error: errorOf(attempt, undefined) });
  }
  const task = attempt.ending({ result: resultOf(facts) });
  attempt.kept = { task, result: written.name, preview: shown };
  await kept.putRecord(attempt.kept);
  log.info("a task is done", { task_id: task.task_id, attempt: task.attempt, bytes: facts.bytes });
  return task;
}

/** What the executor said of its file must be true of what it delivers, or nothing is stored. */
async function* counted(stream: Readable, { bytes, sha256 }: Omit<RunResult, "stream">): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let count = 0;
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    hash.update(piece);
    count += piece.byteLength;
    yield piece;
  }
  if (count !== bytes || hash.digest("hex") !== sha256) throw new Error("the result is not what was announced");
}

function resultOf(facts: Omit<RunResult, "stream">): WorkerResult {
  const { contentType, bytes, sha256, width, height, frames, fps, engine, engineVersion, completedPrompt } = facts;
  return {
    content_type: contentType as WorkerResult["content_type"],
    bytes,
    sha256,
    width,
    height,
    frames,
    fps,
    engine,
    engine_version: engineVersion,
    completed_prompt: completedPrompt,
  };
}

/** A failure that cannot be written is told all the same: only a restart forgets it. */
async function keepFailure({ kept, log }: Workbench, attempt: Attempt, task: WorkerTask): Promise<void> {
  const record: KeptTask = { task, result: null, preview: null };
  attempt.kept = record;
  if (attempt.stopReason === "superseded" || attempt.stopReason === "worker_stops") return;
  await kept
    .putRecord(record)
    .catch((error: unknown) => log.warn("a failure could not be stored", { task_id: task.task_id, error }));
}

async function letGo({ log }: Workbench, attempt: Attempt): Promise<void> {
  if (attempt.run === null) return;
  const { executor, handle } = attempt.run;
  await executor
    .release(handle)
    .catch((error: unknown) => log.warn("a run could not be released", { task_id: attempt.task.task_id, error }));
  attempt.run = null;
}

function errorOf(attempt: Attempt, last: RunUpdate | undefined): WorkerTaskError {
  if (attempt.stopReason === "cancel") return taskError("cancelled", "The task was cancelled.");
  if (attempt.stopReason !== null) return taskError("worker_lost", "The run was stopped.");
  if (last?.state !== "failed" || last.error === undefined) return taskError("worker_lost", "The engine was lost.");
  return taskError(last.error.code, last.error.detail);
}

function failureOf(error: unknown): WorkerTaskError {
  if (error instanceof StartFailed) return taskError("worker_lost", "The engine could not be started.");
  const isStorage = error instanceof Error && "code" in error && error.code === "storage_unavailable";
  if (isStorage) return taskError("storage_failed", "The result could not be stored.");
  return taskError("engine_failed", "The engine could not finish the task.");
}
