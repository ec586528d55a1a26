import { spawn } from "node:child_process";
import { once } from "node:events";
import { chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StartupError } from "../errors.ts";
import { readServerNote, takeDataDirectory } from "./data-directory.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-data-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function problemOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error("it started"),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toBeInstanceOf(StartupError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

/** A process of its own that holds the lock until it is killed. */
async function holdElsewhere(path: string) {
  const source = `
    import { takeDataDirectory } from ${JSON.stringify(import.meta.resolve("./data-directory.ts"))};
    const directory = await takeDataDirectory(${JSON.stringify(path)});
    await directory.announce({ url: "http://127.0.0.1:4711", pid: process.pid });
    console.log("held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

describe("the data directory", () => {
  test("is made when missing, for its owner only", async () => {
    const path = join(folder, "new", "data");
    const directory = await takeDataDirectory(path);
    expect((await stat(path)).mode & 0o077).toBe(0);
    await directory.release();
  });

  test("holds nothing of root's after root has used another user's", async () => {
    const isRoot = process.getuid?.() === 0;
    // Anybody else can use none but their own, and nothing changes hands.
    const { uid: self, gid: group } = await stat(folder);
    const [owner, ownerGroup, third] = isRoot ? [12_345, 12_346, 23_456] : [self, group, self];
    await writeFile(join(folder, "kept"), "");
    if (isRoot) {
      await chown(join(folder, "kept"), third, third);
      await chown(folder, owner, ownerGroup);
    }
    const directory = await takeDataDirectory(folder);
    await mkdir(join(folder, "secrets/next"), { recursive: true, mode: 0o700 });
    await writeFile(join(folder, "secrets/next/admin-key.1"), "x", { mode: 0o600 });
    await directory.release();
    for (const name of ["lock.sqlite", "secrets", "secrets/next", "secrets/next/admin-key.1"]) {
      const { uid, gid } = await stat(join(folder, name));
      expect([name, uid, gid]).toEqual([name, owner, ownerGroup]);
    }
    expect((await stat(join(folder, "kept"))).uid).toBe(third);
  });

  test("says where the server is, in a file for its owner, until it is released", async () => {
    const directory = await takeDataDirectory(folder);
    expect(await readServerNote(folder)).toBeNull();
    await directory.announce({ url: "http://127.0.0.1:8600", pid: 1 });
    expect((await stat(join(folder, "server.json"))).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(join(folder, "server.json"), "utf8"))).toEqual({
      url: "http://127.0.0.1:8600",
      pid: 1,
    });
    await directory.release();
    await directory.release();
    expect(await readServerNote(folder)).toBeNull();
  });

  test("a second server in the same process is refused, and let in after the first", async () => {
    const first = await takeDataDirectory(folder);
    expect(await problemOf(takeDataDirectory(folder))).toMatch(/^DATA_DIR: .* in use by another server/);
    await first.release();
    await (await takeDataDirectory(folder)).release();
  });

  test("a second process is refused in one line with address and pid; after kill -9 the way is free at once", async () => {
    const child = await holdElsewhere(folder);
    const problem = await problemOf(takeDataDirectory(folder));
    expect(problem).toContain("http://127.0.0.1:4711");
    expect(problem).toContain(`pid ${child.pid}`);
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    const directory = await takeDataDirectory(folder);
    // What the killed one said of itself is no longer true.
    expect(await readServerNote(folder)).toBeNull();
    await directory.release();
  });

  test("a refused second server leaves the first one's note alone", async () => {
    const first = await takeDataDirectory(folder);
    await first.announce({ url: "http://127.0.0.1:1", pid: 2 });
    await problemOf(takeDataDirectory(folder));
    expect(await readServerNote(folder)).toMatchObject({ url: "http://127.0.0.1:1", pid: 2 });
    await first.release();
  });

  test("a path that is a file, or below one, is one line", async () => {
    await writeFile(join(folder, "file"), "");
    expect(await problemOf(takeDataDirectory(join(folder, "file")))).toMatch(/^DATA_DIR: .*EEXIST/);
    expect(await problemOf(takeDataDirectory(join(folder, "file", "data")))).toMatch(/^DATA_DIR: .*ENOTDIR/);
  });

  test("a lock file that is none is one line", async () => {
    await writeFile(
      join(folder, "lock.sqlite"),
      "this is not a database, but it is long enough to be looked at".repeat(50),
    );
    expect(await problemOf(takeDataDirectory(folder))).toMatch(/lock\.sqlite is not a lock file/);
  });

  test("a note that is not ours to read is no note", async () => {
    for (const text of ["", "{", "[]", "null", '{"url": 1, "pid": "x"}']) {
      await writeFile(join(folder, "server.json"), text);
      expect(await readServerNote(folder)).toBeNull();
    }
  });
});
