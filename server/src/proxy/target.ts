/**
 * What `workspace::id` names, and whether that workspace may be asked. The registry is read here, before a connection is opened, a name
 * is looked up or a key is decrypted: a workspace that is not registered never hears of the request.
 */
import { workspacePattern } from "@safelight/catalog";
import { taskIdPattern } from "@safelight/contract/worker";
import type { Prepare } from "../tasks/read.ts";
import { type AccountRecord, readAccount } from "../worker-accounts/account-record.ts";

const workspaceName = new RegExp(workspacePattern);
const taskId = new RegExp(taskIdPattern);

/** Why a workspace is not asked. */
export type TargetFault = "bad_format" | "unregistered" | "disabled";

/** Both halves of an address as they were written; neither is checked yet. */
export interface WrittenAddress {
  readonly workspace: string;
  readonly id: string;
}

/** The halves of `workspace::id`, or null for a text without `::`. What follows the first `::` is the id, further ones included. */
export function splitAddress(text: string): WrittenAddress | null {
  const at = text.indexOf("::");
  return at === -1 ? null : { workspace: text.slice(0, at), id: text.slice(at + 2) };
}

/** The account of a workspace that may be asked, in whatever health; otherwise why not. */
export async function findTarget(prepare: Prepare, workspace: string): Promise<AccountRecord | TargetFault> {
  if (!isWorkspaceName(workspace)) return "bad_format";
  const account = await readAccount(prepare, workspace);
  if (account === undefined) return "unregistered";
  return account.status === "disabled" ? "disabled" : account;
}

export function isWorkspaceName(text: string): boolean {
  return workspaceName.test(text);
}

/** Whether a text can be the id of a task, here or in a workspace. */
export function isTaskId(text: string): boolean {
  return taskId.test(text);
}
