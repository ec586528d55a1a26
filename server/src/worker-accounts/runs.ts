import type { Context } from "../context/context.ts";
import { cancelTask } from "../tasks/cancel.ts";
import type { Prepare } from "../tasks/read.ts";

/** Tasks that run on a workspace now, or will be picked up there again. */
export async function runningOn(prepare: Prepare, workspace: string): Promise<string[]> {
  return (
    await prepare("SELECT id FROM tasks WHERE status = 'processing' AND executor = ? ORDER BY sequence").all(workspace)
  ).map(({ id }) => String(id));
}

/** How many of them there are of each type. */
export async function countRunningOn(prepare: Prepare, workspace: string): Promise<{ image: number; video: number }> {
  const counts = { image: 0, video: 0 };
  const sql = "SELECT type, count(*) AS count FROM tasks WHERE status = 'processing' AND executor = ? GROUP BY type";
  for (const row of await prepare(sql).all(workspace)) counts[row.type as keyof typeof counts] = Number(row.count);
  return counts;
}

/** Tells every run of a workspace to stop. One that has ended meanwhile is left as it is. */
export async function cancelRunsOf(context: Context, workspace: string): Promise<void> {
  for (const id of await runningOn(context.database.prepareRead, workspace)) await cancelTask(context, id);
}
