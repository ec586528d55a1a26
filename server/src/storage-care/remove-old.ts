/**
 * Removes what is old (by its age, or because media takes more than its quota) the way people delete: record first, files after, and
 * open pages are told. Some at a time in one transaction with its audit row, so that a crash leaves whole tasks, and files that the next
 * start removes. What somebody marked as a favourite stays, also when that happened a moment ago.
 */
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { deleteRecord } from "../gallery/delete-task.ts";
import type { CountedMedia } from "../media/metered-media-store.ts";
import { removeNoted } from "../media/removals.ts";
import { isEnded } from "../tasks/lifecycle.ts";
import { type Prepare, readTask } from "../tasks/read.ts";
import { endedBefore, oldestResults, type Removable } from "./removable.ts";

export type Reason = "age" | "quota";

export interface Removal {
  readonly reason: Reason;
  /** Wall milliseconds. */
  readonly at: number;
  readonly tasks: number;
  readonly bytes: number;
}

/** Tasks that go in one transaction, at most: others' writes come in between. */
const portion = 20;
const lastSetting = "storage.last_removal";
const day = 24 * 60 * 60 * 1000;

/** Removes all that is due. Answers how many tasks went. Ends early when `over` fires; nothing is left half done. */
export async function removeOld(context: Context, media: CountedMedia, over: AbortSignal): Promise<number> {
  return (await removeAged(context, over)) + (await removeOverQuota(context, media, over));
}

async function removeAged(context: Context, over: AbortSignal): Promise<number> {
  const days = context.config.mediaRetentionDays;
  if (days === null) return 0;
  const before = context.clock.now() - days * day;
  let removed = 0;
  while (!over.aborted) {
    const gone = await removePortion(context, "age", await endedBefore(context, before, portion));
    if (gone === 0) break;
    removed += gone;
  }
  return removed;
}

async function removeOverQuota(context: Context, media: CountedMedia, over: AbortSignal): Promise<number> {
  const { mediaQuota: quota, mediaOverQuota } = context.config;
  if (quota === null || mediaOverQuota !== "remove") return 0;
  let removed = 0;
  while (!over.aborted) {
    const { bytes } = media.usage();
    if (!media.isCounted || bytes <= quota) break;
    const gone = await removePortion(context, "quota", enough(await oldestResults(context, portion), bytes - quota));
    removed += gone;
    // A disk that takes nothing away must not cost the whole library.
    if (gone === 0 || media.usage().bytes >= bytes) break;
  }
  return removed;
}

/** The first of them that together take as much as is wanted; all of them where that is not enough. */
function enough(candidates: readonly Removable[], wanted: number): readonly Removable[] {
  let sum = 0;
  const last = candidates.findIndex(({ bytes }) => (sum += bytes) >= wanted);
  return last < 0 ? candidates : candidates.slice(0, last + 1);
}

async function removePortion(context: Context, reason: Reason, chosen: readonly Removable[]): Promise<number> {
  if (chosen.length === 0) return 0;
  const { gone, files } = await context.database.write(async (tx) => {
    const going: Removable[] = [];
    const names: string[] = [];
    for (const one of chosen) {
      const task = await readTask(tx.prepare, one.id);
      if (task === undefined || !isEnded(task.status) || task.favourite) continue;
      going.push(one);
      names.push(...(await deleteRecord(context, tx, one.id)));
    }
    if (going.length === 0) return { gone: going, files: names };
    const removal = summaryOf(context, reason, going);
    await appendAudit(context, tx, {
      action: "remove_old_results",
      target: null,
      outcome: "success",
      details: { reason, tasks: removal.tasks, bytes: removal.bytes, task_ids: going.map(({ id }) => id) },
    });
    await tx
      .prepare("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
      .run(lastSetting, JSON.stringify(removal));
    return { gone: going, files: names };
  });
  await removeNoted(context, files);
  if (gone.length > 0) context.log.info("old results removed", { ...summaryOf(context, reason, gone) });
  return gone.length;
}

function summaryOf(context: Context, reason: Reason, gone: readonly Removable[]): Removal {
  const bytes = gone.reduce((sum, one) => sum + one.bytes, 0);
  return { reason, at: context.clock.now(), tasks: gone.length, bytes };
}

/** What was removed last; null where nothing ever was. */
export async function lastRemoval(prepare: Prepare): Promise<Removal | null> {
  const value = (await prepare("SELECT value FROM settings WHERE key = ?").get(lastSetting))?.value;
  return typeof value === "string" ? (JSON.parse(value) as Removal) : null;
}
