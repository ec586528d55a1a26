import { createHash } from "node:crypto";
import type { Client } from "pg";
import { StartupError } from "../../errors.ts";
import { advisoryLocks } from "./advisory-locks.ts";
import { sqlStateOf } from "./faults.ts";
import type { PostgresMigration } from "./migrations/migration.ts";

/** A table that is there, and the name of a step, while a database is being filled by `safelight migrate`. */
export const unfinishedCopy = "unfinished_copy";
const oldestServer = 140_000;

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: number;
}

/**
 * Brings the schema up to date, in one transaction; gateways that start at the same time wait for the first of them. Forward only. Throws a
 * StartupError of one line where this release and the database do not fit, and changes nothing then. `where` names the database.
 */
export async function migratePostgres(
  client: Client,
  migrations: readonly PostgresMigration[],
  where: string,
  now: number,
): Promise<void> {
  const collation = await examineServer(client, where);
  await client.query("BEGIN");
  try {
    await client.query(
      `SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '5min'; SELECT pg_advisory_xact_lock(${advisoryLocks.schema})`,
    );
    const applied = await readApplied(client, where);
    refuseStrangers(applied ?? [], migrations, where);
    const missing = migrations.slice(applied?.length ?? 0);
    if (missing.length > 0) {
      // A writer in the middle of its turn holds some tables and will want others: with what is changed here that would be a deadlock.
      await client.query(`SELECT pg_advisory_xact_lock(${advisoryLocks.turn})`);
      await apply(client, missing, { isNew: applied === null, collation, now, where });
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** The name of the collation that words are made with. */
async function examineServer(client: Client, where: string): Promise<string> {
  const { rows } = await client.query<Record<string, unknown>>(
    `SELECT CAST(current_setting('server_version_num') AS INTEGER) AS version, current_setting('server_version') AS release,
       current_setting('server_encoding') AS encoding, current_setting('transaction_read_only') AS read_only,
       (SELECT collname FROM pg_collation WHERE collname IN ('und-x-icu', 'pg_c_utf8') ORDER BY collname DESC LIMIT 1) AS collation`,
  );
  const { version, release, encoding, read_only: readOnly, collation } = rows[0] ?? {};
  if (Number(version) < oldestServer) {
    throw new StartupError(`DATABASE_URL: ${where} is PostgreSQL ${String(release)}; 14 or newer is needed.`);
  }
  if (encoding !== "UTF8") {
    throw new StartupError(`DATABASE_URL: ${where} stores text as ${String(encoding)}; make it with ENCODING 'UTF8'.`);
  }
  if (readOnly === "on") {
    throw new StartupError(`DATABASE_URL: ${where} can only be read, as a standby can; name the server that writes.`);
  }
  if (typeof collation !== "string") {
    throw new StartupError(
      `DATABASE_URL: ${where} runs on a PostgreSQL that was built without ICU and is older than 17; search needs one of them.`,
    );
  }
  return collation;
}

/** Null where there is no table of them yet. */
async function readApplied(client: Client, where: string): Promise<readonly Applied[] | null> {
  const { rows } = await client.query<{ there: number; others: number }>(
    `SELECT to_regclass('migrations') IS NOT NULL AS there, to_regclass('tasks') IS NOT NULL AS others`,
  );
  if (rows[0]?.there === 1) {
    return (await client.query<Applied & Record<string, unknown>>("SELECT * FROM migrations ORDER BY number")).rows;
  }
  if (rows[0]?.others === 1) {
    throw new StartupError(`DATABASE_URL: ${where} holds tables of something else; make a database of its own.`);
  }
  return null;
}

function refuseStrangers(applied: readonly Applied[], migrations: readonly PostgresMigration[], where: string): void {
  if (applied.some(({ name }) => name === unfinishedCopy)) {
    throw new StartupError(
      `DATABASE_URL: ${where} holds a copy that is not finished. Run the same "safelight migrate" again: it goes on.`,
    );
  }
  for (const [index, row] of applied.entries()) {
    const own = migrations[index];
    if (own === undefined) {
      if (row.breaking === 0) continue;
      throw new StartupError(
        `DATABASE_URL: ${where} was taken to schema step ${row.number} (${row.name}) by a newer release, and this one must not run beside it. Install that release and start it: safelight serve.`,
      );
    }
    if (row.number !== own.number || row.checksum !== checksumOf(own)) {
      throw new StartupError(
        `DATABASE_URL: ${where} was made by another build (schema step ${index + 1} differs). Start that build again, or name another database; nothing was changed.`,
      );
    }
  }
}

interface Ground {
  readonly isNew: boolean;
  readonly collation: string;
  readonly now: number;
  readonly where: string;
}

async function apply(client: Client, missing: readonly PostgresMigration[], ground: Ground): Promise<void> {
  const { isNew, collation, now, where } = ground;
  try {
    if (isNew) {
      await client.query(
        `CREATE TABLE migrations (number BIGINT PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, checksum TEXT COLLATE "C" NOT NULL,
           breaking BIGINT NOT NULL DEFAULT 0, applied_at BIGINT NOT NULL)`,
      );
    }
    const schema = String((await client.query<{ name: string }>("SELECT current_schema() AS name")).rows[0]?.name);
    for (const migration of missing) {
      const sql = migration.sql
        .replaceAll("{{collation}}", collation)
        .replaceAll("{{schema}}", schema.replaceAll('"', '""'));
      await client.query(sql);
      await client.query(
        "INSERT INTO migrations (number, name, checksum, breaking, applied_at) VALUES ($1, $2, $3, $4, $5)",
        [migration.number, migration.name, checksumOf(migration), migration.breaking === true ? 1 : 0, now],
      );
    }
  } catch (error) {
    if (sqlStateOf(error) !== "42501") throw error;
    const [first] = missing;
    throw new StartupError(
      `DATABASE_URL: ${where} lacks schema step ${first?.number} (${first?.name}), and this role may not make it. Start this release once as the owner of the tables: DATABASE_URL=postgres://OWNER:PASSWORD@HOST/DATABASE safelight serve.`,
      error,
    );
  }
}

/** The checksum that is kept with a step. */
export function checksumOf(migration: PostgresMigration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}
