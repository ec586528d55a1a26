import { setImmediate as nextTurn } from "node:timers/promises";
import type { Context } from "../context/context.ts";
import { pruneEvents } from "../events/log.ts";
import { finishRemovals } from "../media/removals.ts";
import { pruneIdempotency } from "../tasks/idempotency.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import { readTask } from "../tasks/read.ts";

/** Throws away what is old: events, idempotency keys, and results and previews that no record names. */
export async function sweep(context: Context): Promise<void> {
  const unfinished = await finishRemovals(context);
  const files = (await sweepOrphans(context)) + unfinished;
  const keys = await context.database.write((tx) => pruneIdempotency(tx, context.clock.now()));
  let events = 0;
  for (let portion = -1; portion !== 0; events += portion) {
    portion = await context.database.write((tx) => pruneEvents(tx, context.clock.now()));
  }
  if (files + keys + events > 0) {
    context.log.info("old things thrown away", { orphans: files, idempotency: keys, events });
  }
}

const LOOKED_AT_ONCE = 100;
const NAME = /^(?:results|previews)\/(.+)-\d+\.[a-z0-9]+$/;
const THUMBNAIL = /^thumbnails\/(.+)\.webp$/;

/**
 * Removes results and previews that no record names: left by a crash between storing a file and committing it. Files of
 * a task that has not ended are left alone, since their commit may be on its way. Records are never removed for want of a
 * file: a task stays `done` and says that its file is gone (FR-007). Returns how many files went.
 */
export async function sweepOrphans(context: Context): Promise<number> {
  let removed = 0;
  let looked = 0;
  for (const prefix of ["results/", "previews/", "thumbnails/"]) {
    for await (const name of context.media.list(prefix)) {
      looked += 1;
      // A large library must not hold up everyone who waits for an answer.
      if (looked % LOOKED_AT_ONCE === 0) await nextTurn();
      if (await isNamed(context, name)) continue;
      await context.media.remove(name);
      removed += 1;
    }
  }
  return removed;
}

async function isNamed(context: Context, name: string): Promise<boolean> {
  const thumbnailOf = THUMBNAIL.exec(name)?.[1];
  if (thumbnailOf !== undefined) return (await readTask(context.database.prepareRead, thumbnailOf)) !== undefined;
  const id = NAME.exec(name)?.[1];
  // What is not ours by its name was put there by somebody; it is not ours to remove.
  if (id === undefined) return true;
  const task = await readTask(context.database.prepareRead, id);
  return task !== undefined && (!isEnded(task.status) || task.resultPath === name || task.previewPath === name);
}
