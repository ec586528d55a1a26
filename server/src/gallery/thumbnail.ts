import { buffer } from "node:stream/consumers";
import type { Context } from "../context/context.ts";
import { createTurnstile } from "../media/turnstile.ts";
import { readTask } from "../tasks/read.ts";
import type { TaskRecord } from "../tasks/task-record.ts";

const LONGEST_SIDE = 512;
// A grid asks for dozens at once; decoding is for a few at a time.
const making = createTurnstile(2);
const underWay = new WeakMap<object, Map<string, Promise<string | null>>>();

/** Where the media store keeps the thumbnail of a task. */
export function thumbnailName(task: Pick<TaskRecord, "id">): string {
  return `thumbnails/${task.id}.webp`;
}

/**
 * The stored thumbnail of a done task, made when it is first asked for: a still WebP, longest side at most 512 pixels. Who asks
 * while it is being made waits for the same one. Null when there is nothing to make it from. Errors: `storage_unavailable`.
 */
export async function findThumbnail(context: Context, task: TaskRecord): Promise<string | null> {
  const name = thumbnailName(task);
  if ((await context.media.stat(name)) !== null) return name;
  const all = underWay.get(context.media) ?? new Map<string, Promise<string | null>>();
  underWay.set(context.media, all);
  const before = all.get(name);
  if (before !== undefined) return before;
  const made = making.pass(() => makeThumbnail(context, task, name)).finally(() => all.delete(name));
  all.set(name, made);
  return made;
}

async function makeThumbnail(context: Context, task: TaskRecord, name: string): Promise<string | null> {
  // A clip shows the first frame of its preview; so does a picture whose file has gone.
  const sources = task.type === "image" ? [task.resultPath, task.previewPath] : [task.previewPath];
  for (const source of sources) {
    if (source === null || (await context.media.stat(source)) === null) continue;
    const small = await shrink(await buffer(await context.media.open(source))).catch(() => null);
    if (small === null) continue;
    await context.media.put(name, small);
    // Deleted meanwhile: then this file has come too late for its removal.
    if ((await readTask(context.database.prepareRead, task.id)) !== undefined) return name;
    await context.media.remove(name);
    return null;
  }
  return null;
}

async function shrink(bytes: Buffer): Promise<Buffer> {
  // Loaded on first use: a server that only waits does not carry it.
  const { default: sharp } = await import("sharp");
  const size = { width: LONGEST_SIDE, height: LONGEST_SIDE, fit: "inside", withoutEnlargement: true } as const;
  return sharp(bytes, { pages: 1, limitInputPixels: 4096 * 4096 })
    .rotate()
    .resize(size)
    .webp({ quality: 80 })
    .toBuffer();
}
