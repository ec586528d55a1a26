import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readAuditPublicKeys, readAuditState } from "../backup/audit-state.ts";
import type { Config } from "../config.ts";
import { type DataDirectory, databaseName, takeDataDirectory } from "../database/data-directory.ts";
import type { Row, SqlValue } from "../database/database.ts";
import { portionSql } from "../database/portion.ts";
import type { CopyEnd, CopySource } from "../database/postgres/copy-target.ts";
import { assertMigrated } from "../database/sqlite/migrate.ts";
import { migrations } from "../database/sqlite/migrations/all.ts";
import { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { StartupError } from "../errors.ts";
import { copiedTables, otherTables } from "./tables.ts";

/** An installation on SQLite that nobody uses, held for as long as it is copied. Nothing is written into its database. */
export class MoveSource {
  /** The public halves of the keys that its audit log was signed with. */
  readonly publicKeys: readonly string[];
  readonly #database: SqliteConnection;
  readonly #directory: DataDirectory;

  private constructor(directory: DataDirectory, database: SqliteConnection, publicKeys: readonly string[]) {
    this.publicKeys = publicKeys;
    this.#directory = directory;
    this.#database = database;
  }

  /** Throws a StartupError of one line beside a running server, for another schema, and where the audit log does not hold. */
  static async open(config: Pick<Config, "dataDirectory" | "auditKey">): Promise<MoveSource> {
    const file = join(config.dataDirectory, databaseName);
    if (!existsSync(file))
      throw new StartupError(`DATA_DIR: ${config.dataDirectory} holds no ${databaseName} to copy.`);
    const directory = await takeDataDirectory(config.dataDirectory);
    let database: SqliteConnection | undefined;
    try {
      database = new SqliteConnection(file, { readOnly: true, timeout: 5000 });
      mustBeOfThisRelease(database);
      mustBeKnown(database);
      const publicKeys = await readAuditPublicKeys(config);
      await mustHoldItsAudit(database, publicKeys);
      return new MoveSource(directory, database, publicKeys);
    } catch (error) {
      database?.close();
      await directory.release();
      throw error;
    }
  }

  /** Every start of a server signs the audit log, so that its end tells whether one has used the installation in between. */
  identity(): CopySource {
    const salt = this.#one("SELECT value FROM installation WHERE name = 'secret_salt'")?.value;
    if (typeof salt !== "string") throw startOnce("has no name of its own yet");
    const end = this.#one("SELECT id, hash, rows, checkpoint FROM audit_head");
    const events = this.#one("SELECT seq FROM sqlite_sequence WHERE name = 'events'")?.seq ?? 0;
    return {
      id: createHash("sha256").update(`copy of ${salt}`).digest("hex"),
      state: createHash("sha256")
        .update(JSON.stringify([end, events]))
        .digest("hex"),
    };
  }

  columnsOf(table: string): string[] {
    return this.#database
      .prepare(`SELECT name FROM pragma_table_info('${table}')`)
      .all()
      .map(({ name }) => String(name));
  }

  /** Rows after these values of the key columns, in their order; from the first one without. */
  portion(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    after: readonly SqlValue[] | null,
    count: number,
  ): Row[] {
    const sql = portionSql(table, columns, key, { isFirst: after === null, count });
    return this.#database.prepare(sql).all(...(after ?? []));
  }

  count(table: string): number {
    return Number(this.#one(`SELECT count(*) AS rows FROM ${table}`)?.rows);
  }

  /** Where the chain stood before its first row that is there. */
  chainBegin(): { id: number; hash: string; rows: number } {
    const head = this.#one("SELECT id, hash, rows FROM audit_head");
    const first = this.#one("SELECT id, previous_hash FROM audit_events ORDER BY id LIMIT 1");
    if (first === undefined) return { id: Number(head?.id), hash: String(head?.hash), rows: Number(head?.rows) };
    const rows = Number(head?.rows) - this.count("audit_events");
    return { id: rows === 0 ? 0 : Number(first.id) - 1, hash: String(first.previous_hash), rows };
  }

  end(): CopyEnd {
    const numbers = copiedTables.flatMap(({ name: table, numbered: column }) => {
      if (column === undefined) return [];
      const given = this.#one("SELECT seq FROM sqlite_sequence WHERE name = ?", table)?.seq ?? 0;
      const last = this.#one(`SELECT max(${column}) AS last FROM ${table}`)?.last ?? 0;
      return [{ table, column, last: Math.max(Number(given), Number(last)) }];
    });
    return {
      turns: this.#database.prepare("SELECT credential, place, waiting FROM queue_turns").all(),
      clockFall: Number(this.#one("SELECT most FROM clock_falls")?.most ?? 0),
      numbers,
    };
  }

  /** How many wait, as the queue counts them. */
  waiting(): number {
    return Number(this.#one("SELECT waiting FROM queue_size")?.waiting);
  }

  /** Files that records name, with their size and hash where they are noted. */
  *namedFiles(): Generator<{ name: string; bytes: number | null; sha256: string | null }> {
    const results = this.#database.prepare(
      "SELECT result_path, result_bytes, result_sha256 FROM tasks WHERE result_path IS NOT NULL",
    );
    for (const { result_path, result_bytes, result_sha256 } of results.all()) {
      const sha256 = typeof result_sha256 === "string" ? result_sha256 : null;
      yield { name: String(result_path), bytes: Number(result_bytes), sha256 };
    }
    for (const { name } of this.#database
      .prepare("SELECT preview_path AS name FROM tasks WHERE preview_path IS NOT NULL")
      .all()) {
      yield { name: String(name), bytes: null, sha256: null };
    }
  }

  async close(): Promise<void> {
    this.#database.close();
    await this.#directory.release();
  }

  #one(sql: string, ...values: SqlValue[]): Row | undefined {
    return this.#database.prepare(sql).get(...values);
  }
}

function mustBeOfThisRelease(database: SqliteConnection): void {
  try {
    assertMigrated(database, migrations);
  } catch (error) {
    if (error instanceof StartupError && !error.message.includes("older")) throw error;
    throw startOnce("is of an older release", error);
  }
  const steps = Number(database.prepare("SELECT count(*) AS steps FROM migrations").get()?.steps);
  if (steps > migrations.length) {
    throw new StartupError(
      "DATA_DIR: a newer release has used this installation. Run the safelight migrate of that release.",
    );
  }
  const loose = database.prepare("SELECT 1 AS one FROM audit_events WHERE hash IS NULL LIMIT 1").get();
  if (loose !== undefined) throw startOnce("has audit rows that are not chained yet");
}

/** A table that nobody has decided about would be left behind in silence. */
function mustBeKnown(database: SqliteConnection): void {
  const known = new Set([...copiedTables.map(({ name }) => name), ...otherTables]);
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const strange = names.map(({ name }) => String(name)).find((name) => !known.has(name) && !isInternal(name));
  if (strange === undefined) return;
  throw new StartupError(`DATA_DIR: the database holds a table that is none of ours: ${strange}.`);
}

const isInternal = (name: string): boolean => /^(?:sqlite_|(?:task|gallery)_search_)/.test(name);

async function mustHoldItsAudit(database: SqliteConnection, publicKeys: readonly string[]): Promise<void> {
  if (publicKeys.length === 0) {
    throw new StartupError(
      "AUDIT_KEY: the key that signs the audit log is not here; set it, or put secrets/audit-key back into DATA_DIR.",
    );
  }
  const { intact, detail } = await readAuditState(database, publicKeys);
  if (intact) return;
  throw new StartupError(
    `The audit log of the installation does not hold: ${detail ?? "it is broken"} A copy would hide that; see docs/operations/audit.md.`,
  );
}

function startOnce(why: string, cause?: unknown): StartupError {
  return new StartupError(
    `DATA_DIR: the installation ${why}. Start this release on it once (safelight serve), stop it, and run this again.`,
    cause,
  );
}
