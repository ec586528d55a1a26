import type { Context } from "../context/context.ts";
import { failTask } from "../tasks/fail.ts";
import { isStale } from "../tasks/runtime.ts";
import { failIfStale } from "../tasks/stale.ts";
import { toTaskRecord } from "../tasks/task-record.ts";
import { type TimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { fits, fittingFor, type Lane } from "./lanes.ts";

/** Ends every running task that is past its limit (FR-013). Returns how many. */
export async function reapStale(context: Context, limits: TimeLimits = timeLimits): Promise<number> {
  const running = (await context.database.prepareRead("SELECT * FROM tasks WHERE status = 'processing'").all()).map(
    toTaskRecord,
  );
  let ended = 0;
  for (const task of running.filter((one) => isStale(context, one, limits))) {
    const after = await failIfStale(context, task.id, limits);
    if (after?.errorCode === "timed_out") ended += 1;
  }
  return ended;
}

const NO_ABLE_EXECUTOR =
  "Nothing that can run this model and mode was available for too long. Ask the operator to add a workspace that offers it.";

/** What waits for an executor: pending tasks, and those that lost theirs or never found one that starts them. */
const WAITS = "(status = 'pending' OR (status = 'processing' AND lease_owner IS NULL AND run_handle IS NULL))";

/**
 * Adds `elapsedMs` to the wait of every waiting task that no lane can run, busy or not, and fails those that have waited
 * longer than the limit (FR-011). As soon as a lane can, the wait counts from zero again. Returns how many failed.
 */
export async function reapUnable(
  context: Context,
  lanes: readonly Lane[],
  elapsedMs: number,
  limits: TimeLimits = timeLimits,
): Promise<number> {
  const { open, pinned } = fittingFor(lanes, () => true);
  const concerned = await context.database
    .prepareRead(
      `SELECT 1 FROM tasks WHERE ${WAITS} AND (unable_ms > 0 OR NOT ${fits(context.database.prepareRead)}) LIMIT 1`,
    )
    .get(open, pinned);
  if (concerned === undefined) return 0;
  return context.database.write(async (tx) => {
    await tx
      .prepare(`UPDATE tasks SET unable_ms = 0 WHERE ${WAITS} AND unable_ms > 0 AND ${fits(tx.prepare)}`)
      .run(open, pinned);
    await tx
      .prepare(`UPDATE tasks SET unable_ms = unable_ms + ? WHERE ${WAITS} AND NOT ${fits(tx.prepare)}`)
      .run(Math.max(0, Math.round(elapsedMs)), open, pinned);
    const hopeless = await tx.prepare(`SELECT * FROM tasks WHERE ${WAITS} AND unable_ms > ?`).all(limits.unable);
    for (const row of hopeless) await failTask(context, tx, toTaskRecord(row), "no_workers", NO_ABLE_EXECUTOR);
    return hopeless.length;
  });
}
