/** Which tasks may be removed by themselves: those that have ended and are nobody's favourite. */
import type { Context } from "../context/context.ts";
import type { Database, Row } from "../database/database.ts";

export interface Removable {
  readonly id: string;
  readonly finishedAt: number;
  readonly bytes: number;
}

const wanted = ({ dialect }: Database): string =>
  `SELECT id, finished_at, coalesce(result_bytes, 0) AS bytes FROM tasks${dialect.through("tasks_removable")}
  WHERE favourite = 0 AND finished_at IS NOT NULL AND`;

/** The oldest that ended before a time, results and failures alike, at most `limit`. */
export async function endedBefore({ database }: Context, time: number, limit: number): Promise<Removable[]> {
  // One after the other: the index has each in order.
  const ended: Row[] = [];
  for (const status of ["done", "failed"]) {
    const sql = `${wanted(database)} status = '${status}' AND finished_at < ? ORDER BY finished_at, sequence LIMIT ?`;
    const some = await database.prepareRead(sql).all(time, limit);
    ended.push(...some);
  }
  return ended
    .map(toRemovable)
    .sort((one, other) => one.finishedAt - other.finishedAt)
    .slice(0, limit);
}

/** The oldest results, at most `limit`; failures take no room. */
export async function oldestResults({ database }: Context, limit: number): Promise<Removable[]> {
  return (
    await database.prepareRead(`${wanted(database)} status = 'done' ORDER BY finished_at, sequence LIMIT ?`).all(limit)
  ).map(toRemovable);
}

/** The result that goes first when room is wanted. */
export async function nextByQuota(context: Context): Promise<Removable | null> {
  return (await oldestResults(context, 1))[0] ?? null;
}

/** What goes first by its age. */
export async function nextByAge(context: Context): Promise<Removable | null> {
  return (await endedBefore(context, Number.MAX_SAFE_INTEGER, 1))[0] ?? null;
}

function toRemovable(row: Readonly<Record<string, unknown>>): Removable {
  return { id: String(row.id), finishedAt: Number(row.finished_at), bytes: Number(row.bytes) };
}
