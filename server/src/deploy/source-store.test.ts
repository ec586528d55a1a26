import { mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SourceStore } from "./source-store.ts";

let folder: string;
let source: string;
let store: SourceStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-sources-"));
  source = join(folder, "source");
  await mkdir(join(source, "worker", "__pycache__"), { recursive: true });
  await writeFile(join(source, "app.py"), "import worker\n");
  await writeFile(join(source, "worker", "data.bin"), Buffer.from([0, 255, 10, 13, 128]));
  await writeFile(join(source, "worker", "__pycache__", "x.pyc"), "compiled");
  await writeFile(join(source, ".env"), "SECRET=1");
  store = new SourceStore(join(folder, "kept"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const kept = () => readdir(join(folder, "kept"));

test("gives back exactly the bytes, without hidden and compiled files", async () => {
  const name = await store.keep(source);
  await rm(source, { recursive: true });
  const target = join(folder, "target");
  expect(await store.unpack(name, target)).toBe(true);
  const files = (await readdir(target, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(files.map((entry) => entry.name).sort()).toEqual(["app.py", "data.bin"]);
  expect(await readFile(join(target, "worker", "data.bin"))).toEqual(Buffer.from([0, 255, 10, 13, 128]));
});

test("the same content is one file, another content another", async () => {
  const [first, second] = await Promise.all([store.keep(source), store.keep(source)]);
  expect(second).toBe(first);
  expect(await kept()).toEqual([first]);
  await writeFile(join(source, "app.py"), "import worker \n");
  expect(await store.keep(source)).not.toBe(first);
  expect(await kept()).toHaveLength(2);
});

test("what is damaged is not given out, and kept anew when it comes again", async () => {
  const name = await store.keep(source);
  await truncate(join(folder, "kept", name), 10);
  expect(await store.unpack(name, join(folder, "target"))).toBe(false);
  expect(await store.keep(source)).toBe(name);
  expect(await store.unpack(name, join(folder, "target"))).toBe(true);
  expect(await store.unpack("f".repeat(64), join(folder, "target"))).toBe(false);
});

test("links are not followed out of the folder", async () => {
  await writeFile(join(folder, "outside.txt"), "not ours");
  await symlink(join(folder, "outside.txt"), join(source, "linked.txt"));
  await symlink(folder, join(source, "linked-folder"));
  const name = await store.keep(source);
  expect(await readFile(join(folder, "kept", name), "utf8")).not.toContain("linked");
});

test("a folder without source is refused", async () => {
  await mkdir(join(folder, "empty"));
  await expect(store.keep(join(folder, "empty"))).rejects.toThrow("missing");
  await expect(store.keep(join(folder, "nowhere"))).rejects.toThrow();
});

test("sweeps what was half written and what nobody names", async () => {
  const name = await store.keep(source);
  await writeFile(join(folder, "kept", `${name}.partial-1`), "half");
  await writeFile(join(source, "app.py"), "another");
  await store.keep(source);
  expect(await store.sweep(new Set([name]))).toBe(2);
  expect(await kept()).toEqual([name]);
});
