import { closeSync, openSync, statSync } from "node:fs";
import { stat } from "node:fs/promises";
import { StartupError } from "../../errors.ts";
import { type Log, silentLog } from "../../log.ts";
import type { Database } from "../database.ts";
import { WriteQueue } from "../write-queue.ts";
import { sqliteDialect } from "./dialect.ts";
import { FaultGuard } from "./fault-guard.ts";
import { assertMigrated, migrate } from "./migrate.ts";
import { migrations } from "./migrations/all.ts";
import type { Migration } from "./migrations/migration.ts";
import { Snapshots } from "./snapshots.ts";
import { type ConnectionOptions, type Interrupt, SqliteConnection } from "./sqlite-connection.ts";
import { preparing } from "./statement.ts";
import { SqliteWriter } from "./writer.ts";

export interface SqliteOptions {
  /** Path of the database file; made, readable by the owner only, when it is not there. */
  file: string;
  log?: Log;
  clock?: { now(): number };
  /** For fault tests: throws in place of the disk. */
  interrupt?: Interrupt;
  /** For migration tests. */
  migrations?: readonly Migration[];
}

// Another program may hold the file for a moment (a backup, a shell); longer means that it is not ours to use.
const BUSY_MS = 1000;
// Reading every page of a large file would make the start slow; damage there is found by the statement that meets it.
const CHECKED_BYTES = 64 * 1024 * 1024;

/**
 * Opens or creates the database and brings its schema up to date. Throws a StartupError with one clear line when the
 * file is locked, damaged, not writable, no database, or made by a newer release.
 */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  const steps = options.migrations ?? migrations;
  let guard: FaultGuard | undefined;
  const writer = openWriter(options, {
    interrupt: (operation) => {
      if (operation === "begin") guard?.assertWritable();
      options.interrupt?.(operation);
    },
    onFailure: (error) => guard?.failed(error),
  });
  try {
    migrate(writer, steps, (options.clock ?? Date).now());
    const onFailure = (error: unknown) => guard?.failed(error);
    const reader = openReader(options.file, onFailure);
    const snapshots = openReader(options.file, onFailure);
    guard = createGuard(options, writer, [reader, snapshots]);
    return createDatabase({ writer, reader, snapshots }, guard, options);
  } catch (error) {
    writer.close();
    throw explain(error, options.file);
  }
}

function createGuard(options: SqliteOptions, writer: SqliteConnection, readers: SqliteConnection[]): FaultGuard {
  const { file, log = silentLog() } = options;
  const steps = options.migrations ?? migrations;
  return new FaultGuard({
    file,
    log,
    writer,
    readers,
    prepareWriter: (connection) => {
      prepareWriter(connection, file);
      examine(connection, file, steps);
    },
    prepareReader,
    examine: (connection) => examine(connection, file, steps),
    lookAtDisk: (look) => {
      const onDisk = new SqliteConnection(file, { readOnly: true, timeout: BUSY_MS });
      try {
        look(onDisk);
      } finally {
        onDisk.close();
      }
    },
  });
}

interface Connections {
  readonly writer: SqliteConnection;
  /** Sees what is committed, statement by statement. */
  readonly reader: SqliteConnection;
  /** Sees one state per reading. */
  readonly snapshots: SqliteConnection;
}

function createDatabase(
  { writer, reader, ...connections }: Connections,
  guard: FaultGuard,
  { file, log = silentLog() }: SqliteOptions,
): Database {
  const queue = new WriteQueue(new SqliteWriter(writer, log, () => guard.committed()), log);
  const snapshots = new Snapshots(connections.snapshots, log);
  return {
    kind: "sqlite",
    dialect: sqliteDialect,
    prepareRead: preparing(reader),
    read: (work) => snapshots.read(work),
    write: (work) => queue.write(work),
    isUsable: () => guard.isUsable(),
    shared: false,
    clock: null,
    listen: () => () => undefined,
    lead: (hear) => {
      hear(true);
      return async () => undefined;
    },
    size: () => bytesOf(file),
    get commits() {
      return queue.commits + guard.recoveries;
    },
    close: async () => {
      await queue.close();
      await snapshots.settled();
      guard.close();
      reader.close();
      connections.snapshots.close();
      writer.close();
    },
  };
}

/** Of the file and its log. */
async function bytesOf(file: string): Promise<number> {
  const ends = ["", "-wal", "-shm"];
  const sizes = await Promise.all(ends.map(async (end) => (await stat(file + end).catch(() => null))?.size ?? 0));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function openReader(file: string, onFailure: (error: unknown) => void): SqliteConnection {
  const reader = new SqliteConnection(file, { readOnly: true, timeout: BUSY_MS, onFailure });
  prepareReader(reader);
  return reader;
}

function openWriter(
  options: SqliteOptions,
  told: Pick<ConnectionOptions, "interrupt" | "onFailure">,
): SqliteConnection {
  let writer: SqliteConnection | undefined;
  try {
    // SQLite would make the file readable by everyone the umask lets; the files beside it take over its mode.
    closeSync(openSync(options.file, "a", 0o600));
    writer = new SqliteConnection(options.file, { timeout: BUSY_MS, ...told });
    prepareWriter(writer, options.file);
    checkPages(writer, options.file);
    return writer;
  } catch (error) {
    writer?.close();
    throw explain(error, options.file);
  }
}

function prepareWriter(writer: SqliteConnection, file: string): void {
  const mode = writer.prepare("PRAGMA journal_mode = WAL").get()?.journal_mode;
  if (mode !== "wal")
    throw new StartupError(`The database ${file} cannot use a write-ahead log here (${String(mode)}).`);
  writer.exec("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA journal_size_limit = 67108864");
  // Pages. Busy pages are written many times to the log and once from there to the file: the rarer, the less there is to write.
  writer.exec("PRAGMA wal_autocheckpoint = 4000");
}

function prepareReader(reader: SqliteConnection): void {
  reader.exec("PRAGMA temp_store = MEMORY");
}

/** What a running server asks of a database before it relies on it again: whole, and with the schema it knows. */
function examine(connection: SqliteConnection, file: string, steps: readonly Migration[]): void {
  checkPages(connection, file);
  assertMigrated(connection, steps);
  // The tables that decide who comes in, where the whole file is too large to be read.
  for (const table of ["sessions", "admin_sessions", "settings"]) {
    connection.prepare(`SELECT count(*) FROM (SELECT * FROM ${table} LIMIT 10000)`).get();
  }
}

function checkPages(writer: SqliteConnection, file: string): void {
  if (statSync(file).size > CHECKED_BYTES) return;
  const verdict = writer.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  if (verdict !== "ok") throw new StartupError(damaged(file));
}

function damaged(file: string): string {
  return `The database ${file} is damaged or is no database. Put a backup in its place, or move it away to start empty.`;
}

// Primary SQLite result codes that a person can do something about.
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

function explain(error: unknown, file: string): unknown {
  if (error instanceof StartupError || !(error instanceof Error)) return error;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code === "ENOENT") return new StartupError(`The folder of the database ${file} does not exist.`, error);
  if (code === "ENOSPC") return new StartupError(`The disk that holds ${file} is full.`, error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "EISDIR") {
    return new StartupError(`The database ${file} cannot be written: give this user the right to write there.`, error);
  }
  if (typeof errcode !== "number") return error;
  switch (errcode & 0xff) {
    case BUSY:
    case LOCKED:
      return new StartupError(
        `The database ${file} is locked by another program. Close that program and start again.`,
        error,
      );
    case READONLY:
    case CANTOPEN:
      return new StartupError(
        `The database ${file} cannot be written: give this user the right to write there.`,
        error,
      );
    case FULL:
      return new StartupError(`The disk that holds ${file} is full.`, error);
    case CORRUPT:
    case NOTADB:
      return new StartupError(damaged(file), error);
    default:
      return new StartupError(`The database ${file} cannot be opened (${error.message}).`, error);
  }
}
