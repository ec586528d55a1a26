/** What every media store promises, asked of each of them. */
import { createHash, randomBytes } from "node:crypto";
import { access, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { MediaStore } from "../context/media-store.ts";
import { type S3Server, startS3Server } from "../testing/s3-server.ts";
import { openS3Store } from "../testing/s3-store.ts";
import { DiskMediaStore } from "./disk-media-store.ts";
import { MediaNotFound } from "./media-names.ts";
import { MeteredMediaStore } from "./metered-media-store.ts";
import { S3MediaStore } from "./s3-media-store.ts";

let folder = "";
let server: S3Server;
let prefixes = 0;
let close = (): void => undefined;

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-media-"));
});
afterEach(async () => {
  close();
  close = () => undefined;
  await rm(folder, { recursive: true, force: true });
});

async function openS3(): Promise<S3MediaStore> {
  prefixes += 1;
  const store = await openS3Store(server, join(folder, "spool"), { prefix: `installation-${prefixes}/media` });
  close = () => store.close();
  return store;
}

const kinds: readonly (readonly [string, () => Promise<MediaStore>, partial: () => string])[] = [
  ["disk", () => DiskMediaStore.open(folder), () => join(folder, "partial")],
  ["S3", openS3, () => join(folder, "spool")],
  ["S3, metered", async () => new MeteredMediaStore(await openS3()), () => join(folder, "spool")],
];

async function namesIn(store: MediaStore, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const name of store.list(prefix)) names.push(name);
  return names.sort();
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

// Larger than two parts of the S3 store as the tests open it.
const large = randomBytes(700_001);
const sha256 = sha256Of(large);
const inPieces = () => Readable.from([large.subarray(0, 10), large.subarray(10, 500_000), large.subarray(500_000)]);

const notNames = [
  "../secrets/api-key",
  "results/../../secrets/api-key",
  "results/..",
  "results/a/../b",
  "results/",
  "results",
  "/etc/passwd",
  "results//etc/passwd",
  "results/.hidden",
  "results/a\0.png",
  "results/a b",
  "results\\a",
  "partial/a",
  "uploads/a/b",
  "",
];

describe.each(kinds)("media on %s", (_kind, open, partial) => {
  test("gives back what was put, from memory or from a stream, small or large, with size and hash", async () => {
    const store = await open();
    const before = Date.now();
    expect(await store.put("results/a-1.png", large)).toEqual({ bytes: large.length, sha256 });
    expect(await store.put("results/b-1.png", inPieces())).toEqual({ bytes: large.length, sha256 });
    expect(await store.put("uploads/small.png", Readable.from([Buffer.from("s")]))).toMatchObject({ bytes: 1 });
    expect(await store.put("uploads/none.png", Buffer.alloc(0))).toEqual({
      bytes: 0,
      sha256: sha256Of(Buffer.alloc(0)),
    });
    // A view into a larger buffer is only its own bytes.
    await store.put("uploads/view.png", new Uint8Array(Buffer.from("0123456789").buffer.slice(0), 0, 4));
    for (const name of ["results/a-1.png", "results/b-1.png"]) {
      expect(sha256Of(await buffer(await store.open(name)))).toBe(sha256);
      const found = await store.stat(name);
      expect(found?.bytes).toBe(large.length);
      expect(Math.abs((found?.modifiedAt ?? 0) - before)).toBeLessThan(60_000);
    }
    expect(await buffer(await store.open("uploads/small.png"))).toEqual(Buffer.from("s"));
    expect(await buffer(await store.open("uploads/none.png"))).toHaveLength(0);
    expect(await store.stat("uploads/view.png")).toMatchObject({ bytes: 4 });
    expect(await readdir(partial())).toEqual([]);
  });

  test("reads inclusive ranges, short and long, up to the end and behind it", async () => {
    const store = await open();
    await store.put("results/a.mp4", large);
    const part = async (start: number, end: number) => buffer(await store.open("results/a.mp4", { start, end }));
    const last = large.length - 1;
    for (const [start, end] of [
      [0, 0],
      [3, 6],
      [last, last],
      [1, 600_000],
      [0, last],
      [699_990, last],
    ] as const) {
      expect((await part(start, end)).equals(large.subarray(start, end + 1)), `${start}-${end}`).toBe(true);
    }
    // A file that is shorter than was thought gives what it has.
    expect((await part(700_000, 800_000)).equals(large.subarray(700_000))).toBe(true);
    expect(await part(700_001, 800_000)).toHaveLength(0);
    await expect(store.open("results/none.mp4", { start: 0, end: 9 })).rejects.toThrow(MediaNotFound);
  });

  test("lists, replaces and removes; removing what is not there is no error", async () => {
    const store = await open();
    await store.put("results/a.png", Buffer.from("first"));
    await store.put("results/a.png", Buffer.from("second"));
    await store.put("results/a-b.png", Buffer.from("!"));
    await store.put("previews/a-1.webp", Buffer.from("p"));
    expect(await namesIn(store, "")).toEqual(["previews/a-1.webp", "results/a-b.png", "results/a.png"]);
    expect(await namesIn(store, "results/")).toEqual(["results/a-b.png", "results/a.png"]);
    expect(await namesIn(store, "results/a.")).toEqual(["results/a.png"]);
    expect(await namesIn(store, "results/b")).toEqual([]);
    const sizes: Record<string, number> = {};
    for await (const { name, bytes } of store.entries("results/")) sizes[name] = bytes;
    expect(sizes).toEqual({ "results/a.png": 6, "results/a-b.png": 1 });
    expect((await buffer(await store.open("results/a.png"))).toString()).toBe("second");
    await store.remove("results/a.png");
    await store.remove("results/a.png");
    expect(await store.stat("results/a.png")).toBeNull();
    await expect(store.open("results/a.png")).rejects.toThrow(MediaNotFound);
    await expect(store.borrow("results/a.png")).rejects.toThrow(MediaNotFound);
    expect(await namesIn(store, "results/")).toEqual(["results/a-b.png"]);
  });

  test("refuses what is no name in every method", async () => {
    const store = await open();
    for (const name of notNames) {
      await expect(store.put(name, Buffer.from("x"))).rejects.toThrow(TypeError);
      await expect(store.receive(name, Readable.from([Buffer.from("x")]))).rejects.toThrow(TypeError);
      await expect(store.open(name)).rejects.toThrow(TypeError);
      await expect(store.borrow(name)).rejects.toThrow(TypeError);
      await expect(store.stat(name)).rejects.toThrow(TypeError);
      await expect(store.remove(name)).rejects.toThrow(TypeError);
      await expect(store.address(name, { type: "image/png", cacheControl: "", disposition: null })).rejects.toThrow(
        TypeError,
      );
    }
  });

  test("a source that breaks leaves nothing, and its own error", async () => {
    const store = await open();
    const broken = () =>
      Readable.from(
        (function* () {
          yield large;
          throw new Error("the sender left");
        })(),
      );
    await store.put("results/a.png", Buffer.from("before"));
    await expect(store.put("results/a.png", broken())).rejects.toThrow("the sender left");
    await expect(store.receive("results/b.png", broken())).rejects.toThrow("the sender left");
    expect(await namesIn(store, "")).toEqual(["results/a.png"]);
    expect((await buffer(await store.open("results/a.png"))).toString()).toBe("before");
    expect(await readdir(partial())).toEqual([]);
  });

  test("what was received is a file here, and stored only when it is said", async () => {
    const store = await open();
    const received = await store.receive("results/a.png", inPieces());
    expect(received).toMatchObject({ bytes: large.length, sha256 });
    expect((await readFile(received.path)).equals(large)).toBe(true);
    expect(await store.stat("results/a.png")).toBeNull();
    expect(await namesIn(store, "")).toEqual([]);
    await received.store();
    await received.discard();
    expect(sha256Of(await buffer(await store.open("results/a.png")))).toBe(sha256);
    const other = await store.receive("results/b.png", inPieces());
    await other.discard();
    await other.discard();
    expect(await namesIn(store, "")).toEqual(["results/a.png"]);
    expect(await readdir(partial())).toEqual([]);
  });

  test("lends a file, and takes it back without touching what is stored", async () => {
    const store = await open();
    await store.put("uploads/a.png", large);
    const paths = [];
    {
      await using one = await store.borrow("uploads/a.png");
      await using other = await store.borrow("uploads/a.png");
      for (const { path } of [one, other]) expect((await readFile(path)).equals(large)).toBe(true);
      paths.push(one.path, other.path);
    }
    expect(await store.stat("uploads/a.png")).toMatchObject({ bytes: large.length });
    if (store.folder === null) for (const path of paths) await expect(access(path)).rejects.toThrow("ENOENT");
    expect(await readdir(partial())).toEqual([]);
  });

  test("one name written by many at once ends as one of them, whole", async () => {
    const store = await open();
    const all = Array.from({ length: 6 }, (_none, nth) => Buffer.alloc(300_000, nth + 1));
    await Promise.all(all.map((bytes) => store.put("results/a.png", bytes)));
    const found = await buffer(await store.open("results/a.png"));
    expect(all.some((bytes) => bytes.equals(found))).toBe(true);
    expect(await namesIn(store, "")).toEqual(["results/a.png"]);
  });

  test("a reader who leaves early, or never reads, holds nothing up", async () => {
    const store = await open();
    await store.put("results/a.png", large);
    for (let nth = 0; nth < 20; nth += 1) (await store.open("results/a.png")).destroy();
    for await (const _piece of await store.open("results/a.png")) break;
    expect(sha256Of(await buffer(await store.open("results/a.png")))).toBe(sha256);
  });

  test("says that all is well, and only a store elsewhere hands out addresses", async () => {
    const store = await open();
    await store.put("results/a.png", large);
    expect(store.fault()).toBeNull();
    expect(store.refusal()).toBeNull();
    const disposition = "attachment; filename*=UTF-8''%D0%BB%D0%BE%D0%B4%D0%BA%D0%B0.png";
    const address = await store.address("results/a.png", { type: "image/png", cacheControl: "private", disposition });
    expect(address === null).toBe(store.folder !== null);
    if (address === null) return;
    const answer = await fetch(address, { headers: { range: "bytes=5-9" } });
    expect(answer.status).toBe(206);
    expect(answer.headers.get("content-type")).toBe("image/png");
    expect(answer.headers.get("cache-control")).toBe("private");
    expect(Buffer.from(await answer.arrayBuffer()).equals(large.subarray(5, 10))).toBe(true);
    expect((await fetch(address.replace("image%2Fpng", "text%2Fhtml"))).status).toBe(403);
    expect(address).not.toContain("Secret");
  });
});

test("more objects than one list has are all listed", async () => {
  const store = await openS3();
  server.meddle(null);
  await Promise.all(Array.from({ length: 25 }, (_none, nth) => store.put(`previews/a-${nth}.webp`, Buffer.from("x"))));
  const limited = await openS3Store(server, join(folder, "other"), {
    prefix: `installation-${prefixes}/media`,
    limits: { listed: 7 },
  });
  expect((await namesIn(limited, "previews/")).length).toBe(25);
  limited.close();
});
