import { setTimeout as sleep } from "node:timers/promises";
import type { Received } from "../context/media-store.ts";
import { SafelightError } from "../errors.ts";
import { type Executor, ResultLost, type RunHandle, type RunResult } from "../executors/executor.ts";
import { readHeld } from "../queue/lease.ts";
import { changeTask } from "../tasks/change.ts";
import { failTask } from "../tasks/fail.ts";
import { readTask } from "../tasks/read.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { WorkerError } from "../worker-client/worker-error.ts";
import { previewName, resultName } from "./file-names.ts";
import type { Outcome } from "./outcome.ts";
import { extensionFor, type ResultFacts, verifyResult } from "./verify-result.ts";
import { Interrupted, persist, type Workshop, whenAborted, withMedia } from "./workshop.ts";

/** One run whose result is to be taken in. */
export interface Finished {
  task: TaskRecord;
  executor: Executor;
  handle: RunHandle;
  /** Fires when the result is no longer wanted. */
  signal: AbortSignal;
}

/**
 * Fetches the result of a succeeded run, verifies it, stores it durably and commits the task as done, in this order:
 * `done` is written when everything it promises is stored. Never throws for a fault of the executor or the storage.
 */
export async function storeResult(shop: Workshop, run: Finished): Promise<Outcome> {
  for (const [index, pause] of shop.storagePauses.entries()) {
    if (pause > 0) await sleep(pause, undefined, { signal: run.signal }).catch(() => undefined);
    try {
      return await storeOnce(shop, run);
    } catch (error) {
      if (run.signal.aborted) return { kind: "interrupted" };
      // The commit was tried until the server stopped; the next start takes the task up as it is.
      if (shop.stopping.aborted) return { kind: "void" };
      if (error instanceof ResultLost) {
        // What took half an hour to make is not thrown away for one connection that broke.
        const again = run.executor.survivesRestart && !error.final && index + 1 < shop.storagePauses.length;
        if (!again) return { kind: "lost", code: "worker_lost", detail: error.message };
      }
      shop.context.log.warn("a result could not be stored", { task_id: run.task.id, try: index + 1, error });
      if (error instanceof ResultLost) continue;
      if (!(error instanceof SafelightError) || error.code !== "storage_unavailable") throw error;
    }
  }
  return { kind: "failed", code: "storage_failed", detail: "The result was made but could not be stored." };
}

async function storeOnce(shop: Workshop, run: Finished): Promise<Outcome> {
  const { context } = shop;
  const result = await fetchResult(run);
  const extension = extensionFor(run.task.type, result.contentType);
  if (extension === null) {
    result.stream.destroy();
    return invalid(`it is of the type ${result.contentType}`);
  }
  const name = resultName(context, run.task, extension);
  const received = await takeIn(shop, run, result, name);
  let keep = true;
  try {
    if (received.bytes !== result.bytes || received.sha256 !== result.sha256) return invalid("it arrived damaged");
    const verdict = await verifyResult(run.task, received.path, result);
    if (!verdict.ok) return invalid(verdict.detail);
    keep = false;
    await withMedia(shop, run.signal, () => received.store(run.signal));
    const preview = verdict.preview === null ? null : await storePreview(shop, run.task, verdict.preview);
    // From here on the commit decides whether the file is wanted; if even that is unknown, the sweep finds out.
    keep = true;
    const task = await persist(shop, () => commit(shop, run.task, result, name, preview));
    keep = task?.status === "done";
    await tidyPreviews(shop, run.task, preview, keep);
    return task === null ? { kind: "void" } : { kind: "settled" };
  } finally {
    await received.discard();
    if (!keep) await context.media.remove(name).catch(() => undefined);
  }
}

/** Rejects with Interrupted when the result is no longer wanted: an executor that hangs keeps nobody. */
async function fetchResult(run: Finished): Promise<RunResult> {
  const interruption = whenAborted(run.signal);
  const fetching = run.executor.result(run.handle);
  try {
    return await Promise.race([fetching, interruption.promise]);
  } catch (error) {
    if (error instanceof Interrupted) void fetching.then(({ stream }) => stream.destroy()).catch(() => undefined);
    if (error instanceof ResultLost || error instanceof Interrupted) throw error;
    throw new ResultLost("The executor could not hand over its result.", error);
  } finally {
    interruption.forget();
  }
}

/** The stream belongs to the executor, the file to us: a fault of the one loses the run, a fault of the other does not. */
async function takeIn(shop: Workshop, run: Finished, result: RunResult, name: string): Promise<Received> {
  let streamError: unknown;
  result.stream.once("error", (error) => {
    streamError = error;
  });
  const abort = (): void => void result.stream.destroy(new Error("no longer wanted"));
  run.signal.addEventListener("abort", abort);
  try {
    return await shop.context.media.receive(name, result.stream);
  } catch (error) {
    if (streamError !== undefined)
      throw new ResultLost("The executor broke off while it handed over its result.", error, isLie(streamError));
    throw error;
  } finally {
    run.signal.removeEventListener("abort", abort);
    result.stream.destroy();
  }
}

/** What came was not what was announced; it would not be another time. */
function isLie(error: unknown): boolean {
  return error instanceof WorkerError && error.kind === "broken_protocol";
}

interface StoredPreview {
  columns: { preview_version: number; preview_path: string; preview_type: string };
}

async function storePreview(shop: Workshop, task: TaskRecord, bytes: Uint8Array): Promise<StoredPreview | null> {
  const version = task.previewVersion + 1;
  const path = previewName(shop.context, task.id, version);
  try {
    await shop.context.media.put(path, bytes);
    return { columns: { preview_version: version, preview_path: path, preview_type: "image/webp" } };
  } catch (error) {
    shop.context.log.warn("a preview could not be stored", { task_id: task.id, error });
    return null;
  }
}

/**
 * The one commit of a result: only while we hold this attempt, and only if nobody asked to cancel before. Tried again after a commit of
 * which nothing was heard any more, it finds what that one did.
 */
function commit(shop: Workshop, held: TaskRecord, facts: ResultFacts, name: string, preview: StoredPreview | null) {
  const { context } = shop;
  return context.database.write(async (tx) => {
    const task = await readHeld(context, tx, held);
    if (task === undefined) {
      const now = await readTask(tx.prepare, held.id);
      return now?.resultPath === name ? now : null;
    }
    if (task.cancelRequestedAt !== null) return failTask(context, tx, task, "cancelled");
    return changeTask(context, tx, task, {
      transition: "finish",
      columns: {
        progress: 100,
        stage: "save",
        stage_detail: null,
        result_path: name,
        result_type: facts.contentType,
        result_bytes: facts.bytes,
        result_sha256: facts.sha256,
        width: facts.width,
        height: facts.height,
        frames: facts.frames,
        fps: task.type === "image" ? null : facts.fps,
        engine: facts.engine,
        engine_version: facts.engineVersion,
        completed_prompt: facts.completedPrompt,
        ...preview?.columns,
      },
    });
  });
}

async function tidyPreviews(
  shop: Workshop,
  task: TaskRecord,
  preview: StoredPreview | null,
  done: boolean,
): Promise<void> {
  if (preview === null) return;
  const surplus = done ? task.previewPath : preview.columns.preview_path;
  if (surplus !== null) await shop.context.media.remove(surplus).catch(() => undefined);
}

function invalid(detail: string): Outcome {
  return {
    kind: "lost",
    code: "result_invalid",
    detail: `The executor delivered a result that cannot be used: ${detail}.`,
  };
}
