import type { Context } from "../context/context.ts";
import { FLOOR } from "../context/event-log.ts";
import type { Transaction } from "../database/database.ts";

/** One kept event. */
export interface LoggedEvent {
  id: number;
  taskId: string;
  type: string;
  data: string;
}

/** How long the log reaches back; whichever is reached first. */
export const EVENT_LOG_MS = 24 * 60 * 60 * 1000;
export const EVENT_LOG_LENGTH = 100_000;

// Old events go in small portions, since everybody's writes wait meanwhile.
const PRUNED_AT_ONCE = 2000;

/** Up to `limit` events with `after < id <= upTo`, oldest first; of one task when named. */
export async function readEvents(
  context: Context,
  range: { after: number; upTo: number; taskId?: string; limit: number },
): Promise<LoggedEvent[]> {
  const columns = "SELECT id, task_id, type, data FROM events WHERE";
  const rows =
    range.taskId === undefined
      ? await context.database
          .prepareRead(`${columns} id > ? AND id <= ? ORDER BY id LIMIT ?`)
          .all(range.after, range.upTo, range.limit)
      : await context.database
          .prepareRead(`${columns} task_id = ? AND id > ? AND id <= ? ORDER BY id LIMIT ?`)
          .all(range.taskId, range.after, range.upTo, range.limit);
  return rows.map((row) => ({
    id: Number(row.id),
    taskId: String(row.task_id),
    type: String(row.type),
    data: String(row.data),
  }));
}

/** Throws away a portion of what is too old or too much. Returns how many went; call again while it is not 0. */
export async function pruneEvents(
  tx: Transaction,
  now: number,
  bounds: { length: number; ms: number } = { length: EVENT_LOG_LENGTH, ms: EVENT_LOG_MS },
): Promise<number> {
  const newest = Number((await tx.prepare("SELECT max(id) AS id FROM events").get())?.id ?? 0);
  const firstYoung = await tx
    .prepare("SELECT id FROM events WHERE created_at >= ? ORDER BY id LIMIT 1")
    .get(now - bounds.ms);
  const oldest = Number((await tx.prepare("SELECT min(id) AS id FROM events").get())?.id ?? 0);
  const tooOld = firstYoung === undefined ? newest : Number(firstYoung.id) - 1;
  const target = Math.min(Math.max(tooOld, newest - bounds.length), oldest + PRUNED_AT_ONCE - 1);
  if (newest === 0 || target < oldest) return 0;
  const { changes } = await tx.prepare("DELETE FROM events WHERE id <= ?").run(target);
  await tx
    .prepare("INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
    .run(FLOOR, String(target));
  return Number(changes);
}
