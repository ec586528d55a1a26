import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { diskFileSystem, type MediaFileSystem } from "./media-file-system.ts";
import { RecentHandles } from "./recent-handles.ts";

let folder: string;
let count: { opened: number; closed: number };
let handles: RecentHandles;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-handles-"));
  // Descriptors of the test before may close late: each test counts its own.
  const own = { opened: 0, closed: 0 };
  count = own;
  const counting: MediaFileSystem = {
    ...diskFileSystem,
    open: async (path, flags, mode) => {
      const handle = await diskFileSystem.open(path, flags, mode);
      own.opened += 1;
      const close = handle.close.bind(handle);
      handle.close = async () => {
        own.closed += 1;
        await close();
      };
      return handle;
    },
  };
  handles = new RecentHandles(counting);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

test("parts are exact, the end of the file cuts them off, and one descriptor serves them all", async () => {
  const path = await file("a", "0123456789");
  const parts = await Promise.all([handles.read(path, 0, 3), handles.read(path, 4, 4), handles.read(path, 8, 20)]);
  expect(parts.map(String)).toEqual(["0123", "4", "89"]);
  expect(await readFile(path, "utf8")).toBe("0123456789");
  expect(count.opened).toBe(1);
});

test("a descriptor at rest is closed after a while", async () => {
  await handles.read(await file("a", "x"), 0, 0);
  await expect.poll(() => count.closed).toBe(1);
});

test("a removed file is not read from its old descriptor", async () => {
  const path = await file("a", "old");
  await handles.read(path, 0, 2);
  await rm(path);
  handles.forget(path);
  await expect(handles.read(path, 0, 2)).rejects.toMatchObject({ code: "ENOENT" });
  await writeFile(path, "new");
  expect(String(await handles.read(path, 0, 2))).toBe("new");
});

test("a file forgotten while it is read is read to the end and closed once", async () => {
  const path = await file("a", "0123456789");
  const reading = handles.read(path, 0, 9);
  handles.forget(path);
  expect(String(await reading)).toBe("0123456789");
  await expect.poll(() => count.closed).toBe(1);
});

test("many files hold a bounded number of descriptors", async () => {
  for (let index = 0; index < 40; index += 1) await handles.read(await file(`f${index}`, "x"), 0, 0);
  await expect.poll(() => count.opened - count.closed).toBeLessThanOrEqual(16);
});
