import { Client } from "pg";
import { StartupError } from "../../errors.ts";
import type { Row, SqlValue } from "../database.ts";
import { portionSql } from "../portion.ts";
import { type PostgresAddress, parsePostgresUrl } from "./address.ts";
import { advisoryLocks } from "./advisory-locks.ts";
import { clientConfig, Sockets, usualTimes } from "./connect.ts";
import { checksumOf, migratePostgres, unfinishedCopy } from "./migrate.ts";
import { postgresMigrations } from "./migrations/all.ts";
import { numberPlaceholders } from "./placeholders.ts";
import { toStartupError } from "./postgres-database.ts";
import { bound } from "./values.ts";

/** Which installation is copied, and in what state; both are the caller's words. */
export interface CopySource {
  readonly id: string;
  readonly state: string;
}

/** What is set at the end, beside the rows. */
export interface CopyEnd {
  /** The places in the rotation, as they stood. */
  readonly turns: readonly Row[];
  readonly clockFall: number;
  /** The last number given out, by table and column. */
  readonly numbers: readonly { readonly table: string; readonly column: string; readonly last: number }[];
}

/**
 * A database that is being filled with a copy of another one. Until the end nothing can use it: its schema says so in a way that every
 * release understands. Each portion and the note of how far it went are one transaction, so that the copy may be broken off at any moment.
 */
export class CopyTarget {
  readonly described: string;
  readonly #client: Client;
  readonly #address: PostgresAddress;

  private constructor(client: Client, address: PostgresAddress) {
    this.#client = client;
    this.#address = address;
    this.described = address.described;
  }

  /** Throws a StartupError of one line where it cannot be reached, is being filled by somebody else, or has another schema. */
  static async open(url: string, now: number): Promise<CopyTarget> {
    const address = parsePostgresUrl(url);
    const parts = { address, times: { ...usualTimes, statement: 3_600_000 }, sockets: new Sockets() };
    const settings = { idle_in_transaction_session_timeout: 0 };
    const client = new Client(
      clientConfig({ ...parts, applicationName: `safelight migrate ${process.pid}` }, settings),
    );
    // Said by the query that runs just then.
    client.on("error", () => undefined);
    try {
      await client.connect();
      const target = new CopyTarget(client, address);
      await target.#takeLock();
      if (await target.#isUnfinished()) await target.#mustHaveOurSchema();
      else await migratePostgres(client, postgresMigrations, address.described, now);
      return target;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw toStartupError(error, address);
    }
  }

  /** Marks the database as being filled from there; answers whether a copy goes on that was begun before. */
  async begin(source: CopySource, tables: readonly string[]): Promise<boolean> {
    return this.#write(async () => {
      if (await this.#isUnfinished()) {
        await this.#mustBeOf(source);
        return true;
      }
      for (const table of tables) {
        const [row] = await this.query(`SELECT EXISTS (SELECT 1 FROM ${table}) AS used`);
        if (row?.used !== 1) continue;
        throw new StartupError(
          `${this.described}, holds an installation already (rows in ${table}). Make an empty database for the copy: CREATE DATABASE.`,
        );
      }
      await this.query(
        `CREATE TABLE ${unfinishedCopy} (name TEXT COLLATE "C" PRIMARY KEY, value TEXT COLLATE "C" NOT NULL)`,
      );
      for (const [name, value] of Object.entries(source)) await this.#note(name, String(value));
      await this.query(
        "INSERT INTO migrations (number, name, checksum, breaking, applied_at) VALUES (2000000000, $1, '', 1, 0)",
        [unfinishedCopy],
      );
      return false;
    });
  }

  /** The note of a table, as the last portion left it; null before the first. */
  async noteOf(table: string): Promise<string | null> {
    const [row] = await this.query(`SELECT value FROM ${unfinishedCopy} WHERE name = $1`, [`table ${table}`]);
    return row === undefined ? null : String(row.value);
  }

  async columnsOf(table: string): Promise<ReadonlySet<string>> {
    const rows = await this.query(
      "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1",
      [table],
    );
    return new Set(rows.map(({ name }) => String(name)));
  }

  /** Adds rows with these columns, and the note with them. `oneByOne` where each row has to find what the one before it left. */
  async add(
    table: string,
    columns: readonly string[],
    rows: readonly Row[],
    note: string,
    oneByOne = false,
  ): Promise<void> {
    const groups = oneByOne ? rows.map((row) => [row]) : [rows];
    await this.#write(async () => {
      for (const group of groups) await this.#insert(table, columns, group);
      await this.#note(`table ${table}`, note);
    });
  }

  /** Rows after these values of the key columns, in their order; from the first one without. */
  portion(
    table: string,
    columns: readonly string[],
    key: readonly string[],
    after: readonly SqlValue[] | null,
    count: number,
  ): Promise<Row[]> {
    const sql = portionSql(table, columns, key, { isFirst: after === null, count });
    return this.query(numberPlaceholders(sql), after ?? []);
  }

  /**
   * A chain whose first rows were removed begins behind them. Only the owner of the tables may say so, and only while no row is there:
   * from then on the chain keeps itself.
   */
  async beginChain(end: { id: number; hash: string; rows: number }): Promise<void> {
    await this.#write(async () => {
      const [row] = await this.query("SELECT id, rows FROM audit_head");
      if (row?.id !== 0 || row.rows !== 0) throw new Error("the audit chain has begun already");
      await this.query("ALTER TABLE audit_head DISABLE TRIGGER audit_head_updating");
      await this.query("UPDATE audit_head SET id = $1, hash = $2, rows = $3", [end.id, end.hash, end.rows]);
      await this.query("ALTER TABLE audit_head ENABLE TRIGGER audit_head_updating");
      await this.#note("table audit_events", "[]");
    });
  }

  /** Sets what is no row of a table that was copied. It may be done again. */
  async settle({ turns, clockFall, numbers }: CopyEnd): Promise<void> {
    await this.#write(async () => {
      await this.query("DELETE FROM queue_turns");
      await this.#insert("queue_turns", ["credential", "place", "waiting"], turns);
      await this.query("UPDATE clock_falls SET most = $1", [clockFall]);
      for (const { table, column, last } of numbers) {
        if (last > 0) await this.query("SELECT setval(pg_get_serial_sequence($1, $2), $3)", [table, column, last]);
      }
    });
  }

  /** From now on it is an installation like any other. */
  async finish(): Promise<void> {
    await this.#write(async () => {
      await this.query("DELETE FROM migrations WHERE name = $1", [unfinishedCopy]);
      await this.query(`DROP TABLE ${unfinishedCopy}`);
    });
    // So that the first searches do not go by tables that look empty.
    await this.query("ANALYZE");
  }

  async query(sql: string, values: readonly SqlValue[] = []): Promise<Row[]> {
    try {
      return (await this.#client.query<Row>(sql, values.map(bound))).rows;
    } catch (error) {
      throw toStartupError(error, this.#address);
    }
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
  }

  async #insert(table: string, columns: readonly string[], rows: readonly Row[]): Promise<void> {
    // A statement takes 65,535 values at most.
    const most = Math.floor(60_000 / columns.length);
    for (let start = 0; start < rows.length; start += most) {
      const part = rows.slice(start, start + most);
      const values = part.flatMap((row) => columns.map((column) => row[column] ?? null));
      const places = part.map(
        (_, row) => `(${columns.map((_, at) => `$${row * columns.length + at + 1}`).join(", ")})`,
      );
      await this.query(`INSERT INTO ${table} (${columns.join(", ")}) VALUES ${places.join(", ")}`, values);
    }
  }

  async #note(name: string, value: string): Promise<void> {
    await this.query(
      `INSERT INTO ${unfinishedCopy} (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
      [name, value],
    );
  }

  async #write<T>(work: () => Promise<T>): Promise<T> {
    await this.query("BEGIN");
    try {
      const result = await work();
      await this.query("COMMIT");
      return result;
    } catch (error) {
      await this.#client.query("ROLLBACK").catch(() => undefined);
      throw error;
    }
  }

  async #takeLock(): Promise<void> {
    const [row] = await this.query("SELECT pg_try_advisory_lock($1) AS got", [advisoryLocks.copy]);
    if (row?.got !== 1) throw new StartupError(`${this.described}, is being filled by another safelight migrate.`);
  }

  async #isUnfinished(): Promise<boolean> {
    const [row] = await this.query("SELECT to_regclass($1) IS NOT NULL AS there", [unfinishedCopy]);
    return row?.there === 1;
  }

  async #mustHaveOurSchema(): Promise<void> {
    const rows = await this.query("SELECT checksum FROM migrations WHERE name <> $1 ORDER BY number", [unfinishedCopy]);
    const steps = rows.map(({ checksum }) => String(checksum)).join();
    if (steps === postgresMigrations.map(checksumOf).join()) return;
    throw new StartupError(
      `${this.described}, holds a copy that another release has begun. Go on with that release, or begin again with an empty database.`,
    );
  }

  async #mustBeOf(source: CopySource): Promise<void> {
    const rows = await this.query(`SELECT name, value FROM ${unfinishedCopy} WHERE name IN ('id', 'state')`);
    const noted = new Map(rows.map(({ name, value }) => [name, value]));
    if (noted.get("id") !== source.id) {
      throw new StartupError(
        `${this.described}, holds an unfinished copy of another installation. Make an empty database.`,
      );
    }
    if (noted.get("state") !== source.state) {
      throw new StartupError(
        `${this.described}, holds an unfinished copy, and the installation has been used since. Begin again with an empty database: dropdb, createdb.`,
      );
    }
  }
}
