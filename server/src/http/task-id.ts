import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { refuseWithRecord } from "./refusals.ts";

const taskId = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * The task id of a path. What does not look like one cannot name a task, so nothing is looked up for it.
 * Errors: `task_not_found`, `not_found` where there is no id; `proxy_target_invalid` for `workspace::id`, as no workspace is registered here.
 */
export async function parseTaskId(context: Context, text: string): Promise<string> {
  if (taskId.test(text)) return text;
  // The router takes an empty id for one; an address that ends in a slash is none of ours.
  if (text === "") throw new SafelightError("not_found", "There is nothing at this address.");
  if (!text.includes("::")) throw new SafelightError("task_not_found", "There is no such task.");
  return refuseWithRecord(
    context,
    { action: "proxy_target_invalid", route: "task" },
    new SafelightError("proxy_target_invalid", "There is no such workspace."),
  );
}
