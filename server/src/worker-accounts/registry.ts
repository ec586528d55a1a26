import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import type { Keyring } from "../keys/keyring.ts";
import { type AccountRecord, readAccount } from "./account-record.ts";
import type { AccountCircuits } from "./circuits.ts";
import type { Probe } from "./probe.ts";
import type { AccountStandings } from "./standings.ts";

/** What the verbs of worker accounts share. */
export interface AccountRegistry {
  readonly keyring: Keyring;
  readonly probe: Probe;
  readonly standings: AccountStandings;
  readonly circuits: AccountCircuits;
  /** Called after a commit that makes a check due or changes what can run where. */
  readonly changed: () => void | Promise<void>;
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

/** Has everyone look again once the change is on disk: standings and planned checks. Waiting tasks follow with the dispatcher's next look. */
export function announceChange(registry: AccountRegistry, tx: Transaction): void {
  tx.afterCommit(async () => {
    await registry.standings.refresh();
    await registry.changed();
  });
}
