import type { Context } from "../context/context.ts";
import { cancelTask } from "../tasks/cancel.ts";
import type { Prepare } from "../tasks/read.ts";

/** Tasks that run on a workspace now, or will be picked up there again. */
export function runningOn(prepare: Prepare, workspace: string): string[] {
  return prepare("SELECT id FROM tasks WHERE status = 'processing' AND executor = ? ORDER BY sequence")
    .all(workspace)
    .map(({ id }) => String(id));
}

/** Tells every run of a workspace to stop. One that has ended meanwhile is left as it is. */
export async function cancelRunsOf(context: Context, workspace: string): Promise<void> {
  for (const id of runningOn(context.database.prepareRead, workspace)) await cancelTask(context, id);
}
