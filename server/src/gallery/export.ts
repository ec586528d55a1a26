import { Readable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { makeZip } from "client-zip";
import type { Context } from "../context/context.ts";
import { MediaNotFound } from "../media/disk-media-store.ts";
import { readTask } from "../tasks/read.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { fileNameFor } from "./file-name.ts";
import { portionsOf, type Selected } from "./selection.ts";

interface Entry {
  readonly name: string;
  readonly lastModified: Date;
  readonly input: AsyncIterable<Uint8Array> | string;
}

/** Why a task of the selection has no file in the archive. */
interface Missing {
  readonly id: string;
  readonly code: "task_not_found" | "task_not_ended" | "task_failed" | "result_gone";
}

/**
 * A zip of the results of done tasks, each with its recipe as JSON beside it, written while it is read: a slow reader slows it
 * down, and one who leaves ends it and closes the file it was at. What has no file is listed in missing.json at the end.
 */
export function exportTasks(context: Context, selected: Selected): Readable {
  const over = new AbortController();
  const entries = entriesOf(context, selected, over.signal);
  // The archive passes the leaving of its reader on by a throw that nobody waits for: it is given nothing to throw into.
  const archive = makeZip({ [Symbol.asyncIterator]: () => ({ next: () => entries.next() }) });
  const bytes = Readable.fromWeb(archive as Parameters<typeof Readable.fromWeb>[0]);
  return bytes.once("close", () => over.abort());
}

async function* entriesOf(
  context: Context,
  selected: Selected,
  over: AbortSignal,
): AsyncGenerator<Entry, void, undefined> {
  const missing: Missing[] = [];
  const taken = new Set<string>();
  for await (const ids of portionsOf(context, selected)) {
    for (const id of ids) {
      const task = await readTask(context.database.prepareRead, id);
      const input = task === undefined ? null : await openResult(context, task);
      if (task === undefined || input === null) {
        missing.push({ id, code: reasonOf(task) });
        continue;
      }
      // The reader may have left while the file was opened; afterwards it is the archive's only to read, not to close.
      if (over.aborted) input.destroy();
      const leave = () => input.destroy();
      over.addEventListener("abort", leave);
      input.once("close", () => over.removeEventListener("abort", leave));
      const [file, recipe] = namesFor(task, taken);
      const lastModified = new Date(task.finishedAt ?? task.createdAt);
      yield { name: file, lastModified, input };
      yield { name: recipe, lastModified, input: `${JSON.stringify(recipeOf(task), null, 2)}\n` };
    }
    await nextTurn();
  }
  // An archive with nothing in it is taken for a broken one.
  if (missing.length > 0 || taken.size === 0) {
    const text = `${JSON.stringify({ missing }, null, 2)}\n`;
    yield { name: "missing.json", lastModified: new Date(context.clock.now()), input: text };
  }
}

async function openResult(context: Context, task: TaskRecord): Promise<Readable | null> {
  if (task.status !== "done" || task.resultPath === null) return null;
  try {
    return await context.media.open(task.resultPath);
  } catch (error) {
    if (error instanceof MediaNotFound) return null;
    throw error;
  }
}

function reasonOf(task: TaskRecord | undefined): Missing["code"] {
  if (task === undefined) return "task_not_found";
  if (task.status === "done") return "result_gone";
  return task.status === "failed" ? "task_failed" : "task_not_ended";
}

/** Two tasks of one prompt and, by chance, one end of the id still get two names. */
function namesFor(task: TaskRecord, taken: Set<string>): [file: string, recipe: string] {
  const name = fileNameFor(task);
  const dot = name.lastIndexOf(".");
  let base = name.slice(0, dot);
  if (taken.has(base)) base = `${base}-${task.id}`;
  taken.add(base);
  return [`${base}${name.slice(dot)}`, `${base}.json`];
}

function recipeOf(task: TaskRecord) {
  return {
    id: task.id,
    model: task.model,
    type: task.type,
    mode: task.mode,
    prompt: task.prompt,
    negative_prompt: task.negativePrompt,
    completed_prompt: task.completedPrompt,
    parameters: task.parameters,
    seed: task.seed,
    catalog_version: task.catalogVersion,
    engine: task.engine,
    engine_version: task.engineVersion,
    created_at: new Date(task.createdAt).toISOString(),
    finished_at: new Date(task.finishedAt ?? task.createdAt).toISOString(),
  };
}
