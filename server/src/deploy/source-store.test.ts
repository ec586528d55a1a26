import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { folderShelf } from "./source-shelves.ts";
import { SourceStore } from "./source-store.ts";

let folder: string;
let source: string;
let store: SourceStore;
const parts = ["app.py", "worker"];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-sources-"));
  source = join(folder, "source");
  await mkdir(join(source, "worker", "__pycache__"), { recursive: true });
  await writeFile(join(source, "app.py"), "import worker\n");
  await writeFile(join(source, "worker", "data.json"), Buffer.from([0, 255, 10, 13, 128]));
  await writeFile(join(source, "worker", "__pycache__", "x.pyc"), "compiled");
  await writeFile(join(source, "worker", "worker-key"), "a key");
  await writeFile(join(source, "worker", ".env.json"), "SECRET=1");
  await writeFile(join(source, "beside.py"), "no part of it");
  store = new SourceStore(folderShelf(join(folder, "kept")));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const kept = () => readdir(join(folder, "kept"));

test("gives back exactly the bytes, without what is hidden, compiled or no program text", async () => {
  const name = await store.keep(source, parts);
  await rm(source, { recursive: true });
  const target = join(folder, "target");
  expect(await store.unpack(name, target)).toBe(true);
  const files = (await readdir(target, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(files.map((entry) => entry.name).sort()).toEqual(["app.py", "data.json"]);
  expect(await readFile(join(target, "worker", "data.json"))).toEqual(Buffer.from([0, 255, 10, 13, 128]));
});

test("the same content is one file, another content another", async () => {
  const [first, second] = await Promise.all([store.keep(source, parts), store.keep(source, parts)]);
  expect(second).toBe(first);
  expect(await kept()).toEqual([first]);
  await writeFile(join(source, "app.py"), "import worker \n");
  expect(await store.keep(source, parts)).not.toBe(first);
  expect(await kept()).toHaveLength(2);
});

test("what is damaged is not given out, and kept anew when it comes again", async () => {
  const name = await store.keep(source, parts);
  await truncate(join(folder, "kept", name), 10);
  expect(await store.unpack(name, join(folder, "target"))).toBe(false);
  expect(await store.keep(source, parts)).toBe(name);
  expect(await store.unpack(name, join(folder, "target"))).toBe(true);
  expect(await store.unpack("f".repeat(64), join(folder, "target"))).toBe(false);
});

test("links are not followed out of the folder", async () => {
  await writeFile(join(folder, "outside.txt"), "not ours");
  await symlink(join(folder, "outside.txt"), join(source, "worker", "linked.txt"));
  await symlink(folder, join(source, "worker", "linked-folder"));
  const name = await store.keep(source, parts);
  expect(await readFile(join(folder, "kept", name), "utf8")).not.toContain("linked");
});

test.each([[["nowhere.py"]], [["app.py", "nowhere"]], [["empty"]], [["linked.py"]]])(
  "a source that lacks a part is refused: %s",
  async (some) => {
    await mkdir(join(source, "empty"));
    await symlink(join(folder, "outside.txt"), join(source, "linked.py"));
    await expect(store.keep(source, some)).rejects.toThrow("of the source of the worker is");
  },
);

test("sweeps what was half written and what nobody names", async () => {
  const name = await store.keep(source, parts);
  await writeFile(join(folder, "kept", `${name}.partial-1`), "half");
  await writeFile(join(source, "app.py"), "another");
  await store.keep(source, parts);
  expect(await store.sweep(new Set([name]))).toBe(2);
  expect(await kept()).toEqual([name]);
});

test("what one shelf has kept another keeps too, but for what is damaged", async () => {
  const name = await store.keep(source, parts);
  const damaged = "0".repeat(64);
  await writeFile(join(folder, "kept", damaged), "{}");
  const other = new SourceStore(folderShelf(join(folder, "other")));
  await other.copyFrom(folderShelf(join(folder, "kept")));
  expect(await readdir(join(folder, "other"))).toEqual([name]);
  expect((await kept()).toSorted()).toEqual([damaged, name].toSorted());
  expect(await other.unpack(name, join(folder, "target"))).toBe(true);
});
