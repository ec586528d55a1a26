import type { Context } from "../context/context.ts";
import type { SqlValue, Transaction } from "../database/database.ts";
import { CipherError, type Keyring } from "../keys/keyring.ts";
import { credentialColumns, placeOf } from "./account-credentials.ts";

/** Accounts that one transaction takes. */
const portion = 20;

/**
 * Encrypts with the key in force what an older one has encrypted, a few accounts at a time. Cut off, it goes on at the next call. What no
 * known key opens stays as it is. Answers how many credentials were encrypted anew. `onPortion` is told after each commit.
 */
export async function reencryptCredentials(
  context: Context,
  keyring: Keyring,
  onPortion?: () => Promise<void> | void,
): Promise<number> {
  const ids = (await context.database.prepareRead("SELECT id FROM worker_accounts ORDER BY id").all()).map(({ id }) =>
    String(id),
  );
  let changed = 0;
  for (let at = 0; at < ids.length; at += portion) {
    const some = ids.slice(at, at + portion);
    let isDue = false;
    for (const id of some) {
      isDue ||= dueColumns(keyring, await readRow(context.database.prepareRead, id)).length > 0;
    }
    if (!isDue) continue;
    changed += await context.database.write(async (tx) => {
      let count = 0;
      for (const id of some) {
        const anew = await reencryptRow(context, keyring, tx, id);
        count += anew;
      }
      return count;
    });
    await onPortion?.();
  }
  if (changed > 0)
    context.log.info("credentials were encrypted anew", { count: changed, key_id: keyring.currentKeyId });
  return changed;
}

type Sealed = Readonly<Record<string, SqlValue>>;

async function readRow(prepare: Transaction["prepare"], id: string): Promise<Sealed> {
  return (await prepare(`SELECT ${credentialColumns.join(", ")} FROM worker_accounts WHERE id = ?`).get(id)) ?? {};
}

function dueColumns(keyring: Keyring, row: Sealed): (typeof credentialColumns)[number][] {
  return credentialColumns.filter(
    (column) => typeof row[column] === "string" && !keyring.isCurrent(String(row[column])),
  );
}

async function reencryptRow(context: Context, keyring: Keyring, tx: Transaction, id: string): Promise<number> {
  const row = await readRow(tx.prepare, id);
  let changed = 0;
  for (const column of dueColumns(keyring, row)) {
    try {
      const value = keyring.decrypt(String(row[column]), placeOf(id, column));
      await tx
        .prepare(`UPDATE worker_accounts SET ${column} = ? WHERE id = ?`)
        .run(keyring.encrypt(value, placeOf(id, column)), id);
      changed += 1;
    } catch (error) {
      if (!(error instanceof CipherError)) throw error;
      context.log.warn("a credential opens with no known key", { account: id, column, reason: error.reason });
    }
  }
  return changed;
}

/**
 * Gives up what no known key opens, so that accounts ask for new credentials instead of failing for ever. Answers the workspaces, in the
 * caller's transaction.
 */
export async function dropUnreadable(tx: Transaction, keyring: Keyring): Promise<string[]> {
  const dropped = new Set<string>();
  for (const row of await tx.prepare("SELECT * FROM worker_accounts ORDER BY workspace").all()) {
    for (const column of credentialColumns) {
      if (typeof row[column] !== "string" || opens(keyring, String(row.id), column, row[column])) continue;
      await tx
        .prepare(`UPDATE worker_accounts SET ${column} = NULL, revision = revision + 1 WHERE id = ?`)
        .run(String(row.id));
      dropped.add(String(row.workspace));
    }
  }
  return [...dropped];
}

function opens(keyring: Keyring, id: string, column: (typeof credentialColumns)[number], sealed: string): boolean {
  try {
    keyring.decrypt(sealed, placeOf(id, column));
    return true;
  } catch (error) {
    if (error instanceof CipherError) return false;
    throw error;
  }
}
