import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SafelightError } from "../errors.ts";
import { failingFileSystem } from "../testing/failing-file-system.ts";
import { DiskMediaStore } from "./disk-media-store.ts";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "safelight-media-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function readAll(content: Readable): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of content as AsyncIterable<Buffer>) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function namesIn(store: DiskMediaStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of store.list(prefix)) names.push(name);
  return names.sort();
}

describe("DiskMediaStore", () => {
  test("nobody else on this machine can read a file", async () => {
    const store = await DiskMediaStore.open(root);
    await store.put("results/a-1.png", randomBytes(100));
    expect((await stat(store.path("results/a-1.png"))).mode & 0o077).toBe(0);
  });

  test("clears at the next start what an interrupted write left", async () => {
    const store = await DiskMediaStore.open(root);
    await store.put("results/a.png", Buffer.from("kept"));
    await writeFile(join(root, "partial", "left-behind"), "half a file");
    const next = await DiskMediaStore.open(root);
    expect(await readdir(join(root, "partial"))).toEqual([]);
    expect(await namesIn(next, "")).toEqual(["results/a.png"]);
  });

  test("writes on where the disk took only a part", async () => {
    const files = failingFileSystem({ shortWrites: true });
    const store = await DiskMediaStore.open(root, files);
    const bytes = randomBytes(10_000);
    await store.put("results/a.png", bytes);
    expect((await readFile(store.path("results/a.png"))).equals(bytes)).toBe(true);
    const part = await readAll(await store.open("results/a.png", { start: 5, end: 204 }));
    expect(part.equals(bytes.subarray(5, 205))).toBe(true);
    // A file that is shorter than was thought gives what it has.
    expect(await readAll(await store.open("results/a.png", { start: 9_990, end: 10_100 }))).toHaveLength(10);
  });
});

describe.each(["ENOSPC", "EIO"])("every call to the disk failing in turn with %s", (code) => {
  test("a put is whole or not there, says storage_unavailable, and works again afterwards", async () => {
    const old = Buffer.from("the old picture");
    const fresh = randomBytes(200_000);
    let failures = 0;
    for (let nth = 1; ; nth += 1) {
      const folder = join(root, String(nth));
      const files = failingFileSystem();
      const store = await DiskMediaStore.open(folder, files);
      await store.put("results/a.png", old);
      files.failAt(nth, code);
      const pieces = Readable.from([fresh.subarray(0, 100_000), fresh.subarray(100_000)]);
      const outcome = await store.put("results/a.png", pieces).catch((error: unknown) => error);
      files.failAt(null, code);
      const found = await readAll(await store.open("results/a.png"));
      expect(found.equals(old) || found.equals(fresh)).toBe(true);
      expect(await namesIn(store, "")).toEqual(["results/a.png"]);
      await store.put("results/b.png", fresh);
      expect((await readAll(await store.open("results/b.png"))).equals(fresh)).toBe(true);
      if (!(outcome instanceof Error)) {
        expect(found.equals(fresh)).toBe(true);
        break;
      }
      failures += 1;
      expect(outcome).toBeInstanceOf(SafelightError);
      expect((outcome as SafelightError).code).toBe("storage_unavailable");
      expect((outcome as SafelightError).detail).not.toContain(root);
    }
    // open, two writes, sync, close, rename, folder open, folder sync, folder close
    expect(failures).toBe(9);
  });

  test("start-up, reading, looking and removing say storage_unavailable", async () => {
    const files = failingFileSystem();
    const store = await DiskMediaStore.open(root, files);
    await store.put("results/a.png", Buffer.from("x"));
    const works: (() => Promise<unknown>)[] = [
      () => store.open("results/a.png"),
      () => store.stat("results/a.png"),
      () => store.remove("results/a.png"),
      () => namesIn(store, "results/"),
      () => DiskMediaStore.open(join(root, "other"), files),
    ];
    for (const work of works) {
      files.failAt(1, code);
      await expect(work()).rejects.toMatchObject({ code: "storage_unavailable" });
      files.failAt(null, code);
    }
    expect(await store.stat("results/a.png")).not.toBeNull();
  });
});
