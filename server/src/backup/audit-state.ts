/** What a database file says of its audit log, checked from the first row to the last. */
import type { KeyObject } from "node:crypto";
import { describeKey, keyIdOf, parseAuditKeys, parsePublicKey } from "../audit/keys.ts";
import { readChainEnd, verifyAtOnce } from "../audit/verify.ts";
import type { Config } from "../config.ts";
import { readingOf } from "../database/sqlite/file-reading.ts";
import type { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { readSecret, secretFile } from "../secrets/resolve-secrets.ts";
import type { AuditState } from "./backup-format.ts";

/** Checks the chain with these public keys. A database from before the chain has nothing to check. */
export async function readAuditState(database: SqliteConnection, publicKeys: readonly string[]): Promise<AuditState> {
  if (!hasTable(database, "audit_head")) {
    return { chained: false, intact: true, detail: null, last_id: 0, hash: "", rows: 0, checkpoint: 0 };
  }
  const reading = readingOf(database);
  const keys = new Map<string, KeyObject>();
  for (const text of publicKeys) {
    const key = parsePublicKey(text);
    if (key !== null) keys.set(keyIdOf(key), key);
  }
  const result = await verifyAtOnce(reading, keys);
  const end = await readChainEnd(reading.prepareRead);
  const detail = result.first_broken?.detail ?? result.checkpoints.first_broken?.detail ?? null;
  return {
    chained: true,
    intact: result.intact,
    detail,
    last_id: end.id,
    hash: end.hash,
    rows: end.rows,
    checkpoint: end.checkpoint,
  };
}

/** The public halves of the keys that sign the audit log here; none where they cannot be read. */
export async function readAuditPublicKeys(config: Pick<Config, "dataDirectory" | "auditKey">): Promise<string[]> {
  const text =
    config.auditKey ?? (await readSecret(secretFile(config.dataDirectory, "audit-key")).catch(() => null)) ?? "";
  const keys = parseAuditKeys(text);
  return keys === null ? [] : [...keys.publicKeys.values()].map(describeKey);
}

export function hasTable(database: SqliteConnection, name: string): boolean {
  return (
    database.prepare("SELECT 1 AS one FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined
  );
}
