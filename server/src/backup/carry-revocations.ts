import { access } from "node:fs/promises";
import type { Row } from "../database/database.ts";
import { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { hasTable } from "./audit-state.ts";

/** What the database that was in use until now says can never count again. */
export interface Revocations {
  readonly secrets: readonly Row[];
  readonly apiKeys: readonly Row[];
}

/** Secrets that let somebody in. Others are bound to what the backup holds: its rows open with its encryption key alone. */
const names = "'api-key', 'admin-key', 'access-password', 'metrics-token'";

/** Reads them from the database that a restore puts aside; null where there is none that can be read, or an earlier release's. */
export async function readRevocations(file: string): Promise<Revocations | null> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere) return null;
  let former: SqliteConnection | undefined;
  try {
    former = new SqliteConnection(file, { readOnly: true, timeout: 1000 });
    if (!hasTable(former, "secret_versions")) return null;
    return {
      secrets: former.prepare(`SELECT * FROM secret_versions WHERE state = 'revoked' AND name IN (${names})`).all(),
      apiKeys: former.prepare("SELECT key_hash, revoked_at FROM api_keys WHERE revoked_at IS NOT NULL").all(),
    };
  } catch {
    // A damaged database is a usual reason for restoring.
    return null;
  } finally {
    former?.close();
  }
}

/** What was revoked stays revoked, also where the backup is older than that. Answers how many of them the backup did not know. */
export function carryRevocations(database: SqliteConnection, { secrets, apiKeys }: Revocations): number {
  if (!hasTable(database, "secret_versions")) return 0;
  const secret = database.prepare(
    `INSERT INTO secret_versions (name, fingerprint, state, source, made_at, replaced_at) VALUES (?, ?, 'revoked', ?, ?, ?)
     ON CONFLICT (name, fingerprint) DO UPDATE SET state = 'revoked', accepted_until = NULL, replaced_at = excluded.replaced_at
     WHERE state <> 'revoked'`,
  );
  const key = database.prepare("UPDATE api_keys SET revoked_at = ? WHERE key_hash = ? AND revoked_at IS NULL");
  let carried = 0;
  for (const row of secrets) {
    const values = [row.name, row.fingerprint, row.source, row.made_at, row.replaced_at].map((value) => value ?? null);
    carried += Number(secret.run(...values).changes);
  }
  for (const row of apiKeys) carried += Number(key.run(row.revoked_at ?? null, row.key_hash ?? null).changes);
  return carried;
}
