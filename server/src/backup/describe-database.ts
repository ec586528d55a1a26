import type { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { hasTable } from "./audit-state.ts";
import type { BackupManifest } from "./backup-format.ts";

export interface DatabaseFacts {
  readonly schema: BackupManifest["schema"];
  readonly tasks: BackupManifest["tasks"];
  /** Ids of the keys that ciphertexts in it were made with. */
  readonly encryptionKeys: readonly string[];
}

/** What a database of any release says of itself. */
export function describeDatabase(database: SqliteConnection): DatabaseFacts {
  const last = database.prepare("SELECT number, name FROM migrations ORDER BY number DESC LIMIT 1").get();
  const counts = database
    .prepare(
      `SELECT count(*) AS total, coalesce(sum(status = 'done'), 0) AS done,
         coalesce(sum(status IN ('pending', 'processing')), 0) AS unfinished FROM tasks`,
    )
    .get();
  return {
    schema: { number: Number(last?.number ?? 0), name: String(last?.name ?? "") },
    tasks: { total: Number(counts?.total), done: Number(counts?.done), unfinished: Number(counts?.unfinished) },
    encryptionKeys: encryptionKeysOf(database),
  };
}

const sealedColumns = ["token_id", "token_secret", "worker_key"];

// A ciphertext begins with its version and the id of its key; see keys/keyring.ts.
function encryptionKeysOf(database: SqliteConnection): string[] {
  if (!hasTable(database, "worker_accounts")) return [];
  const parts = sealedColumns.map(
    (column) => `SELECT substr(${column}, 5, 12) AS id FROM worker_accounts WHERE ${column} LIKE 'sl1.%'`,
  );
  return database
    .prepare(`SELECT DISTINCT id FROM (${parts.join(" UNION ")}) ORDER BY id`)
    .all()
    .map(({ id }) => String(id));
}
