// FR-023 at its root: a database that cannot be relied on says so before anybody is told anything, and is found well again by itself.

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  open as openFile,
  readFile,
  rename,
  rm,
  unlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Database } from "../database.ts";
import { openDatabase } from "../open.ts";
import type { Interrupt } from "./sqlite-connection.ts";

const patience = { timeout: 20_000 };
let home: string;
let folder: string;
let file: string;
let database: Database;
let errcode = 0;
let beforeCommit: (() => void) | undefined;
const interrupt: Interrupt = (operation) => {
  if (operation === "commit") beforeCommit?.();
  if (errcode !== 0 && operation === "commit")
    throw Object.assign(new Error("a fault"), { code: "ERR_SQLITE_ERROR", errcode });
};

beforeEach(async () => {
  errcode = 0;
  beforeCommit = undefined;
  home = await mkdtemp(join(tmpdir(), "safelight-guard-"));
  folder = join(home, "data");
  await mkdir(folder);
  file = join(folder, "safelight.sqlite");
  database = await openDatabase({ file, interrupt });
  await put("before");
});
afterEach(async () => {
  await database.close();
  await rm(home, { recursive: true, force: true });
});

const put = (key: string) =>
  database.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES (?, 'x')").run(key));
const keys = async () =>
  (await database.prepareRead("SELECT key FROM settings ORDER BY key").all()).map(({ key }) => String(key));
const becomes = (usable: boolean) => expect.poll(() => database.isUsable(), patience).toBe(usable);

async function overwrite(path: string, bytes: Buffer, at = 0): Promise<void> {
  const handle = await openFile(path, "r+");
  await handle.write(bytes, 0, bytes.length, at);
  await handle.close();
}

/** Moves everything from the log to the file, as it is after a while. */
function settle(): void {
  const other = new DatabaseSync(file);
  other.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  other.close();
}

interface Fault {
  readonly what: string;
  readonly make: () => Promise<unknown>;
  readonly mend: () => Promise<unknown>;
}

let kept: Buffer;
const faults: Fault[] = [
  {
    what: "its file moved away",
    make: () => rename(file, `${file}.away`),
    mend: () => rename(`${file}.away`, file),
  },
  {
    what: "its folder moved away",
    make: () => rename(folder, `${folder}.away`),
    mend: () => rename(`${folder}.away`, folder),
  },
  {
    what: "a folder in the place of its file",
    make: async () => {
      await rename(file, `${file}.away`);
      await mkdir(file);
    },
    mend: async () => {
      await rm(file, { recursive: true });
      await rename(`${file}.away`, file);
    },
  },
  {
    what: "its bytes overwritten",
    make: async () => {
      kept = await readFile(file);
      await overwrite(file, Buffer.alloc(kept.length, 0xa5));
    },
    mend: () => overwrite(file, kept),
  },
  {
    what: "a few pages overwritten",
    make: async () => {
      kept = await readFile(file);
      await overwrite(file, Buffer.alloc(16_384, 0xff), 4096);
    },
    mend: () => overwrite(file, kept),
  },
  {
    what: "another file in its place",
    make: async () => {
      kept = await readFile(file);
      await writeFile(`${file}.new`, "not a database".repeat(400));
      await rename(`${file}.new`, file);
    },
    mend: async () => {
      await writeFile(`${file}.new`, kept);
      await rename(`${file}.new`, file);
    },
  },
  {
    what: "an empty file in its place",
    make: async () => {
      await rename(file, `${file}.away`);
      await writeFile(file, "");
    },
    mend: () => rename(`${file}.away`, file),
  },
  {
    what: "a disk that became read-only",
    make: async () => {
      errcode = 8;
      await put("refused").catch(() => undefined);
    },
    mend: async () => {
      errcode = 0;
    },
  },
  {
    what: "a disk that fails",
    make: async () => {
      errcode = 522;
      await put("refused").catch(() => undefined);
    },
    mend: async () => {
      errcode = 0;
    },
  },
];

describe("FR-023: a database with", () => {
  test.each(faults)("$what is not relied on, takes nothing, and is well again by itself", async ({ make, mend }) => {
    settle();
    await put("logged");
    settle();
    expect(database.isUsable()).toBe(true);
    const commits = database.commits;
    await make();
    await expect(put("lost")).rejects.toMatchObject({ code: "storage_unavailable" });
    await becomes(false);
    await expect(put("lost")).rejects.toMatchObject({ code: "storage_unavailable" });
    await mend();
    await becomes(true);
    await put("after");
    expect(await keys()).toEqual(["after", "before", "logged"]);
    expect(database.commits).toBeGreaterThan(commits);
    await database.close();
    database = await openDatabase({ file });
    expect(await keys()).toEqual(["after", "before", "logged"]);
  });
});

test("a log that is removed loses nothing: what it held goes into the file before anything else is written", async () => {
  await put("only-in-the-log");
  await unlink(`${file}-wal`);
  await becomes(true);
  await put("after");
  expect(await keys()).toEqual(["after", "before", "only-in-the-log"]);
  const copy = join(home, "copy.sqlite");
  settle();
  await copyFile(file, copy);
  const other = new DatabaseSync(copy, { readOnly: true });
  expect(other.prepare("SELECT count(*) AS count FROM settings").get()?.count).toBe(3);
  other.close();
});

test("one that was closed stays closed, whoever asks", async () => {
  await database.close();
  await rename(file, `${file}.away`);
  expect(database.isUsable()).toBe(false);
  await rename(`${file}.away`, file);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(database.isUsable()).toBe(false);
  await expect(put("late")).rejects.toMatchObject({ code: "storage_unavailable" });
});

test("a disk that is full is no such fault: what was stored is still true", async () => {
  errcode = 13;
  await expect(put("more")).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(database.isUsable()).toBe(true);
  expect(await keys()).toEqual(["before"]);
});

test("a database of another schema in its place is not taken over", async () => {
  settle();
  const other = join(home, "other.sqlite");
  const made = new DatabaseSync(other);
  made.exec("CREATE TABLE sessions (x); CREATE TABLE admin_sessions (x); CREATE TABLE settings (key, value)");
  made.close();
  await rename(other, file);
  await becomes(false);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(database.isUsable()).toBe(false);
});

test("a copy of it in its place is taken over: statements that someone holds reach the new file", async () => {
  settle();
  const held = database.prepareRead("SELECT count(*) AS count FROM settings");
  await copyFile(file, `${file}.copy`);
  await put("after-the-copy");
  expect((await held.get())?.count).toBe(2);
  // The log that belongs to the former file is still there.
  await rename(`${file}.copy`, file);
  await expect.poll(async () => database.isUsable() && Number((await held.get())?.count), patience).toBe(1);
  await put("onwards");
  expect(await keys()).toEqual(["before", "onwards"]);
});

test("a folder that is closed to us is a fault like any other, tried as somebody without rights", async () => {
  // Root may read everywhere, so as root the attempt is made as nobody, once everything is loaded.
  const source = `
    import { chmodSync, mkdirSync } from "node:fs";
    import { openDatabase } from ${JSON.stringify(import.meta.resolve("../open.ts"))};
    if (process.getuid() === 0) {
      process.setgid(65534);
      process.setuid(65534);
    }
    const folder = process.argv[1] + "/own";
    mkdirSync(folder);
    const database = await openDatabase({ file: folder + "/safelight.sqlite" });
    const after = async (usable) => {
      while (database.isUsable() !== usable) await new Promise((resolve) => setTimeout(resolve, 20));
      return database.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES (?, 'x')").run(String(usable))).then(
        () => "written",
        (error) => error.code,
      );
    };
    const said = [];
    chmodSync(folder, 0o000);
    said.push(await after(false));
    chmodSync(folder, 0o700);
    said.push(await after(true));
    said.push((await database.prepareRead("SELECT count(*) AS count FROM settings").get()).count);
    await database.close();
    console.log(JSON.stringify(said));`;
  await chmod(home, 0o777);
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", source, home], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  child.stdout.on("data", (piece: Buffer) => (printed += piece.toString()));
  await once(child, "close");
  expect(JSON.parse(printed)).toEqual(["storage_unavailable", "written", 1]);
});

test("somebody's transaction is never torn apart by a look", async () => {
  settle();
  let inside: (() => void) | undefined;
  const waiting = new Promise<void>((resolve) => (inside = resolve));
  const written = database.write(async (tx) => {
    await tx.prepare("INSERT INTO settings (key, value) VALUES ('slow', 'x')").run();
    await waiting;
  });
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  await overwrite(file, Buffer.from([0]), 4000);
  database.isUsable();
  inside?.();
  await written.catch(() => undefined);
  await becomes(true);
  await put("after");
  expect(await keys()).toContain("after");
});

test("a commit of our own that changes the file is no fault, whatever is being read in that moment", async () => {
  const over = Promise.withResolvers<void>();
  const reading = database.read(async ({ prepare }) => {
    await prepare("SELECT 1 FROM settings").all();
    await over.promise;
  });
  const asked: boolean[] = [];
  // Asked by somebody whose turn comes as soon as the commit is made. It moves pages from the log to the file, as it fills the log.
  beforeCommit = () => queueMicrotask(() => asked.push(database.isUsable()));
  await database.write((tx) =>
    tx.prepare("INSERT INTO settings (key, value) VALUES ('long', hex(zeroblob(10000000)))").run(),
  );
  over.resolve();
  await reading;
  expect(asked).toEqual([true]);
});
