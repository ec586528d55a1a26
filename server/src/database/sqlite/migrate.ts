import { createHash } from "node:crypto";
import { StartupError } from "../../errors.ts";
import type { Migration } from "./migrations/migration.ts";
import type { SqliteConnection } from "./sqlite-connection.ts";

/**
 * Brings the schema up to date, all steps in one transaction: it is wholly there or not at all. Steps of a newer
 * release that follow ours do no harm, since they only add; a database whose steps differ from ours is refused.
 */
export function migrate(connection: SqliteConnection, migrations: readonly Migration[], now: number): void {
  connection.begin();
  try {
    connection.exec(`CREATE TABLE IF NOT EXISTS migrations (
      number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`);
    const applied = connection.prepare("SELECT number, checksum FROM migrations ORDER BY number").all();
    refuseStrangers(applied, migrations);
    for (const migration of migrations.slice(applied.length)) {
      connection.exec(migration.sql);
      connection
        .prepare("INSERT INTO migrations (number, name, checksum, applied_at) VALUES (?, ?, ?, ?)")
        .run(migration.number, migration.name, checksumOf(migration), now);
    }
    connection.commit();
  } catch (error) {
    connection.rollback();
    throw error;
  }
}

/** Throws unless every step was made here; a newer release may have added some. */
export function assertMigrated(connection: SqliteConnection, migrations: readonly Migration[]): void {
  const applied = connection.prepare("SELECT number, checksum FROM migrations ORDER BY number").all();
  refuseStrangers(applied, migrations);
  if (applied.length < migrations.length) throw new StartupError("The database is older than this server.");
}

function refuseStrangers(applied: readonly Record<string, unknown>[], migrations: readonly Migration[]): void {
  for (const [index, row] of applied.slice(0, migrations.length).entries()) {
    const own = migrations[index];
    if (own === undefined || row.number !== own.number || row.checksum !== checksumOf(own)) {
      throw new StartupError(
        `The database was made by another build (schema step ${index + 1} differs). Start that build again, or set another DATA_DIR; nothing was changed.`,
      );
    }
  }
}

function checksumOf(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}
