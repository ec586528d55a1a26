/**
 * One server for one data directory. The proof is a lock that the operating system holds for the process, on a small SQLite file:
 * after kill -9 it is free at once, and no stale pid file can keep a server from starting.
 */
import { access, constants, mkdir, open, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { StartupError } from "../errors.ts";
import { giveToOwner } from "./give-to-owner.ts";

/** The file in a data directory that is the database. */
export const databaseName = "safelight.sqlite";

export interface ServerNote {
  readonly url: string;
  readonly pid: number;
  /** Counts as the admin key, from this machine and while this server runs; null where a note has none. */
  readonly local_key?: string | null;
}

export interface DataDirectory {
  readonly path: string;
  /** Says in server.json where this server can be reached; readable by the owner only. */
  announce(note: ServerNote): Promise<void>;
  /** Removes server.json, leaves nothing of root's in another user's directory, and lets the next server in. */
  release(): Promise<void>;
}

/** Stands in a data directory while a restore exchanges its content; a server that started then would mix the old with the new. */
export const restoreMark = "restore-unfinished";

/**
 * Makes the directory when it is missing and takes it for this process, which may be a restore. Throws a StartupError of one line.
 */
export async function takeDataDirectory(path: string, taker: "server" | "restore" = "server"): Promise<DataDirectory> {
  await makeWritable(path);
  const lock = await takeLock(path);
  if (taker === "server" && (await isThere(join(path, restoreMark)))) {
    lock.close();
    throw new StartupError(
      `DATA_DIR: a restore into ${path} was interrupted. Run the same "safelight restore" again: it finishes it.`,
    );
  }
  const noteFile = join(path, "server.json");
  // A note that is still there was left by a server that was killed: this one holds the lock now.
  await unlink(noteFile).catch(() => undefined);
  let released = false;
  return {
    path,
    async announce(note) {
      const partial = `${noteFile}.partial`;
      const handle = await open(partial, "w", 0o600);
      try {
        await handle.writeFile(`${JSON.stringify(note)}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(partial, noteFile);
    },
    async release() {
      if (released) return;
      released = true;
      await unlink(noteFile).catch(() => undefined);
      try {
        await giveToOwner(path);
      } finally {
        lock.close();
      }
    },
  };
}

/** The server that says it runs on this directory, or null. It may have been killed since: only the lock is proof. */
export async function readServerNote(path: string): Promise<ServerNote | null> {
  try {
    const note: unknown = JSON.parse(await readFile(join(path, "server.json"), "utf8"));
    if (typeof note !== "object" || note === null) return null;
    const { url, pid, local_key: key } = note as Record<string, unknown>;
    if (typeof url !== "string" || typeof pid !== "number") return null;
    return { url, pid, local_key: typeof key === "string" ? key : null };
  } catch {
    return null;
  }
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function makeWritable(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

async function takeLock(path: string): Promise<DatabaseSync> {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(path, "lock.sqlite"), { timeout: 0 });
    lock.exec("pragma locking_mode = exclusive; begin exclusive");
    return lock;
  } catch (error) {
    lock?.close();
    const { errcode } = error as { errcode?: number };
    if (errcode === 5 || errcode === 6) throw await alreadyRunning(path);
    if (errcode === 26 || errcode === 11)
      throw new StartupError(`DATA_DIR: ${join(path, "lock.sqlite")} is not a lock file; remove it.`, error);
    throw cannotWrite(path, error);
  }
}

async function alreadyRunning(path: string): Promise<StartupError> {
  const note = await readServerNote(path);
  const who = note === null ? "another server" : `a server at ${note.url} (pid ${note.pid})`;
  return new StartupError(`DATA_DIR: ${path} is in use by ${who}. Stop it, or give this one another DATA_DIR.`);
}

function cannotWrite(path: string, error: unknown): StartupError {
  const reason = (error as NodeJS.ErrnoException).code ?? "unknown reason";
  return new StartupError(`DATA_DIR: ${path} cannot be written (${reason}).`, error);
}
