import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { findTarget, isTaskId, isWorkspaceName, splitAddress, type TargetFault } from "../proxy/target.ts";
import type { InsideTask } from "../proxy/workspace-tasks.ts";
import type { AccountRecord } from "../worker-accounts/account-record.ts";
import { refuseWithRecord } from "./refusals.ts";

/** What a path names: a task of this installation, or one inside a workspace that may be asked. */
export type TaskAddress = { readonly account: null; readonly id: string } | InsideTask;

/**
 * The address in a path, for routes that also ask workspaces. Nothing is looked up for an id that does not look like one, and nothing is
 * asked outside before the workspace was found here. Errors: `task_not_found`, `not_found` where there is no id;
 * `proxy_target_invalid` for a workspace that is badly written, not registered or disabled.
 */
export async function readTaskAddress(context: Context, text: string, route: string): Promise<TaskAddress> {
  const written = splitAddress(text);
  if (written === null) {
    if (isTaskId(text)) return { account: null, id: text };
    // The router takes an empty id for one; an address that ends in a slash is none of ours.
    if (text === "") throw new SafelightError("not_found", "There is nothing at this address.");
    throw new SafelightError("task_not_found", "There is no such task.");
  }
  const account = await requireWorkspace(context, written.workspace, route);
  if (!isTaskId(written.id)) throw new SafelightError("task_not_found", "There is no such task in this workspace.");
  return { account, id: written.id };
}

/** For routes that know the tasks of this installation only. Errors as above; `not_found` for `workspace::id`. */
export async function parseTaskId(context: Context, text: string): Promise<string> {
  const { account, id } = await readTaskAddress(context, text, "task");
  if (account === null) return id;
  throw new SafelightError(
    "not_found",
    "Of a task inside a workspace there is status, result, preview and cancel. GET /status/{id}?wait=30 follows it.",
  );
}

/** The account of a workspace that may be asked. A refusal is written down. Errors: `proxy_target_invalid`. */
export async function requireWorkspace(context: Context, workspace: string, route: string): Promise<AccountRecord> {
  const found = await findTarget(context.database.prepareRead, workspace);
  if (typeof found !== "string") return found;
  return refuseWithRecord(
    context,
    // A caller does not write into the log what it likes: only what has the form of a name.
    { action: "proxy_target_invalid", route, target: isWorkspaceName(workspace) ? workspace : null, reason: found },
    new SafelightError("proxy_target_invalid", faults[found]),
  );
}

// Whether a workspace is unknown or switched off is the operator's to know, and stands in the audit log.
const faults: Readonly<Record<TargetFault, string>> = {
  bad_format: "The name of a workspace is 3 to 64 small letters, digits and hyphens.",
  unregistered: "There is no such workspace.",
  disabled: "There is no such workspace.",
};
