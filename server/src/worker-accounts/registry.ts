import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { channels } from "../gateways/channels.ts";
import type { Keyring } from "../keys/keyring.ts";
import { type AccountRecord, type AccountRow, readAccount, readAccountRows } from "./account-record.ts";
import type { AccountCircuits } from "./circuits.ts";
import type { Probe } from "./probe.ts";
import { type AccountStandings, readStandings } from "./standings.ts";

/** Said to other gateways where nothing has changed but that a check is due: whoever makes the checks looks. */
export const checkIsDue = "check";

/** What the verbs of worker accounts share. */
export interface AccountRegistry {
  readonly keyring: Keyring;
  readonly probe: Probe;
  readonly standings: AccountStandings;
  readonly circuits: AccountCircuits;
  /**
   * Called after a commit that makes a check due or changes what can run where, with the accounts as that commit left them; without them
   * where only a pause is over.
   */
  readonly changed: (accounts?: readonly AccountRow[]) => void | Promise<void>;
  /** Called after a commit that only makes a check due. */
  readonly wakeChecks: () => void;
  /** Called after a commit that leaves a message for the operator. */
  readonly webhookQueued: () => void;
}

/** The account of a workspace, as this transaction sees it. Errors: `not_found`. */
export async function requireAccount(prepare: Transaction["prepare"], workspace: string): Promise<AccountRecord> {
  const account = await readAccount(prepare, workspace);
  if (account === undefined) throw accountNotFound();
  return account;
}

export function accountNotFound(): SafelightError {
  return new SafelightError("not_found", "There is no worker account for this workspace.");
}

/**
 * Has the change count once it is on disk: standings, executors and planned checks; last in its transaction. Nothing is read after the
 * commit: until that was done, or where it failed, what was switched off or removed would be given tasks.
 */
export async function announceChange(registry: AccountRegistry, tx: Transaction): Promise<void> {
  const standings = await readStandings(tx.prepare);
  const accounts = await readAccountRows(tx.prepare);
  await tx.notify(channels.accounts);
  tx.afterCommit(() => {
    registry.standings.takeCommitted(standings);
    return registry.changed(accounts);
  });
}
