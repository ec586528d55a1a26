/** The secrets of an account: encrypted before they reach the database, each bound to its own row and column. */
import type { Keyring } from "../keys/keyring.ts";
import type { AccountRecord } from "./account-record.ts";

export interface AccountCredentials {
  readonly tokenId: string | null;
  readonly tokenSecret: string | null;
  readonly workerKey: string | null;
  /** Counts once the worker has it. */
  readonly nextWorkerKey: string | null;
}

const columns = {
  tokenId: "token_id",
  tokenSecret: "token_secret",
  workerKey: "worker_key",
  nextWorkerKey: "next_worker_key",
} as const;

/** Every column that holds a ciphertext. */
export const credentialColumns = ["token_id", "token_secret", "worker_key", "next_worker_key"] as const;

/** Where a ciphertext of an account belongs. */
export function placeOf(accountId: string, column: (typeof credentialColumns)[number]) {
  return { table: "worker_accounts", row: accountId, column };
}

/** One secret as it is stored; null stays null. */
export function sealCredential(
  keyring: Keyring,
  accountId: string,
  name: keyof AccountCredentials,
  value: string | null,
): string | null {
  return value === null ? null : keyring.encrypt(value, placeOf(accountId, columns[name]));
}

/** One secret in the clear, for the call that needs it and nothing else. Errors: CipherError. */
export function openCredential(
  keyring: Keyring,
  account: Pick<AccountRecord, "id" | "sealed">,
  name: keyof AccountCredentials,
): string | null {
  const sealed = account.sealed[name];
  return sealed === null ? null : keyring.decrypt(sealed, placeOf(account.id, columns[name]));
}
