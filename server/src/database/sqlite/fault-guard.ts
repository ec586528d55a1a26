import { closeSync, openSync, readSync, renameSync, statfsSync, statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { Log } from "../../log.ts";
import { FileWatch } from "./file-watch.ts";
import { closeQuietly, type SqliteConnection } from "./sqlite-connection.ts";

export interface GuardedParts {
  readonly file: string;
  readonly log: Log;
  readonly writer: SqliteConnection;
  readonly readers: readonly SqliteConnection[];
  /** Makes a connection that was just opened ready for use. */
  readonly prepareWriter: (connection: SqliteConnection) => void;
  readonly prepareReader: (connection: SqliteConnection) => void;
  /** Throws unless the database of this connection is whole and one that this server could have opened. */
  readonly examine: (connection: SqliteConnection) => void;
  /** A connection of its own to the file as it is on the disk, closed afterwards. */
  readonly lookAtDisk: (look: (connection: SqliteConnection) => void) => void;
}

/** A write that was not tried. Why was told when the fault began. */
export class UnreliableDatabase extends Error {
  // As if SQLite could not open its file: a fault of the storage like others.
  readonly code = "ERR_SQLITE_ERROR";
  readonly errcode = 14;

  constructor() {
    super("the database cannot be relied on");
    this.name = "UnreliableDatabase";
  }
}

/** How long a look at the file is believed, in milliseconds. Writes look each time. */
const believed = 25;
/** A faulty database is tried again at most this often by those who ask, and this often by itself, in milliseconds. */
const shortestPause = 100;
const pause = 1000;
/** SQLite reports some full disks as an error of input and output; below this many free bytes it is taken at its second word. */
const littleRoom = 1024 * 1024;

// Primary result codes after which the database is looked at before it is believed again: READONLY, IOERR, CORRUPT, CANTOPEN, NOTADB.
const worrying = new Set([8, 10, 11, 14, 26]);

// Connections to files that are no longer there. Closing one would remove the log of the file that has taken its place, by name.
const leftAlone: DatabaseSync[] = [];

/**
 * Knows whether the database can be relied on. It cannot when its file is gone, exchanged, damaged or read-only: then nobody is let in
 * and nothing is written, until a look at the disk finds it whole and a write arrives there. A full disk is none of its business, since
 * what was stored before is still true.
 */
export class FaultGuard {
  readonly #parts: GuardedParts;
  readonly #watch: FileWatch;
  #state: "usable" | "suspect" | "faulty" = "usable";
  #lookedAt = Number.NEGATIVE_INFINITY;
  #triedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #trying = false;
  #recoveries = 0;
  #closed = false;

  constructor(parts: GuardedParts) {
    this.#parts = parts;
    this.#watch = new FileWatch(parts.file);
  }

  /** Raised whenever what was read before may no longer be true. */
  get recoveries(): number {
    return this.#recoveries;
  }

  isUsable(): boolean {
    if (this.#closed) return false;
    const now = performance.now();
    if (this.#state === "usable") {
      if (now - this.#lookedAt < believed) return true;
      if (this.#watch.isUntouched()) {
        this.#lookedAt = now;
        return true;
      }
    }
    return this.#try(now);
  }

  /** Before a transaction opens. Throws where what is written would not last. */
  assertWritable(): void {
    if (this.#trying || (this.#state === "usable" && this.#watch.isUntouched())) return;
    if (this.#try(performance.now())) return;
    throw new UnreliableDatabase();
  }

  /** After a commit, which may have moved pages from the log to the file. */
  committed(): void {
    this.#watch.remember();
  }

  failed(error: unknown): void {
    const { errcode } = error as { errcode?: unknown };
    if (typeof errcode !== "number" || !worrying.has(errcode & 0xff) || this.#trying || this.#closed) return;
    if (this.#state === "usable") this.#state = "suspect";
    this.#tryLater();
  }

  /** The connections are about to be closed by those who made them; nothing opens them again. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #try(now: number): boolean {
    if (this.#closed || this.#trying || (this.#state === "faulty" && now - this.#triedAt < shortestPause)) return false;
    // In the middle of somebody's transaction or reading nothing can be exchanged; what may be wrong is looked at afterwards.
    if ([this.#parts.writer, ...this.#parts.readers].some(({ isInTransaction }) => isInTransaction))
      return this.#state === "suspect" && this.#watch.isUntouched();
    this.#triedAt = now;
    this.#trying = true;
    try {
      this.#verify();
      this.#watch.remember();
      this.#becomeUsable(now);
      return true;
    } catch (error) {
      this.#becomeFaulty(error);
      return false;
    } finally {
      this.#trying = false;
    }
  }

  #verify(): void {
    const { file, examine, lookAtDisk } = this.#parts;
    assertDatabaseFile(file);
    if (!this.#watch.isSameLog() && this.#watch.isSameContent()) this.#saveLog();
    else if (this.#watch.isSameLog() && !this.#watch.isSameFile()) setLogAside(file);
    lookAtDisk(examine);
    if (this.#state === "faulty" || !this.#watch.isSameFile()) this.#reconnect();
    this.#tryToWrite();
  }

  #tryToWrite(): void {
    const { file, writer } = this.#parts;
    try {
      writer.begin();
      // Says what it says already, and goes the whole way to the disk.
      writer.exec(`PRAGMA user_version = ${Number(writer.prepare("PRAGMA user_version").get()?.user_version ?? 0)}`);
      writer.commit();
    } catch (error) {
      writer.rollback();
      if (!isFull(error, file)) throw error;
    }
  }

  /** The log was removed while the file stayed: what only the log held is still open here, and goes into the file. */
  #saveLog(): void {
    const { readers, writer } = this.#parts;
    if (this.#state !== "faulty") this.#becomeFaulty(new Error("the write-ahead log is gone"));
    if (writer.isOpen) writer.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    for (const reader of readers) reader.disconnect();
    writer.disconnect();
  }

  #reconnect(): void {
    const { readers, writer, prepareReader, prepareWriter } = this.#parts;
    const leave = this.#watch.isSameFile() ? closeQuietly : (before: DatabaseSync) => void leftAlone.push(before);
    writer.reconnect(prepareWriter, leave);
    for (const reader of readers) reader.reconnect(prepareReader, leave);
    this.#recoveries += 1;
  }

  #becomeUsable(now: number): void {
    this.#lookedAt = now;
    if (this.#state === "faulty") this.#parts.log.warn("the database can be relied on again; requests are served");
    this.#state = "usable";
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #becomeFaulty(error: unknown): void {
    if (this.#state !== "faulty") {
      this.#parts.log.error("the database cannot be relied on: nobody is let in until it is well again", { error });
    }
    this.#state = "faulty";
    this.#tryLater();
  }

  #tryLater(): void {
    this.#timer ??= setInterval(() => this.isUsable(), pause).unref();
  }
}

/** Before SQLite opens it: where it finds an empty file it makes a database of it and removes the log beside it. */
function assertDatabaseFile(file: string): void {
  const handle = openSync(file, "r");
  try {
    const head = Buffer.alloc(16);
    const isDatabase = readSync(handle, head, 0, 16, 0) === 16 && head.toString("latin1") === "SQLite format 3\0";
    if (!isDatabase) throw new Error("what lies there is no database");
  } finally {
    closeSync(handle);
  }
}

/** A log that belongs to the file before: beside another one it would be read into that. It is kept under another name. */
function setLogAside(file: string): void {
  for (const name of [`${file}-wal`, `${file}-shm`]) {
    if (statSync(name, { throwIfNoEntry: false }) !== undefined) renameSync(name, `${name}.of-former-file`);
  }
}

function isFull(error: unknown, file: string): boolean {
  const code = Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff;
  if (code === 13) return true;
  if (code !== 10) return false;
  const { bavail, bsize } = statfsSync(file);
  return bavail * bsize < littleRoom;
}
