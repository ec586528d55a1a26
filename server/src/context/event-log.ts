import type { Prepare } from "../database/database.ts";

/** The setting that says how far the log of events was cut. */
export const FLOOR = "events_floor";

/** The newest id given so far and the newest id thrown away for age; a listener past the one and up to the other has missed nothing. */
export async function eventLogEnds(prepare: Prepare): Promise<{ head: number; floor: number }> {
  // One statement, so that both are of one state. Where all events were thrown away the last of them was the newest.
  const row = await prepare(
    `SELECT (SELECT coalesce(max(id), 0) FROM events) AS head, (SELECT value FROM settings WHERE key = ?) AS floor`,
  ).get(FLOOR);
  const floor = Number(row?.floor ?? 0);
  return { head: Math.max(Number(row?.head ?? 0), floor), floor };
}
