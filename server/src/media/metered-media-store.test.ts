import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DiskMediaStore } from "./disk-media-store.ts";
import { MeteredMediaStore } from "./metered-media-store.ts";

let folder: string;
let store: MeteredMediaStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-metered-"));
  store = new MeteredMediaStore(await DiskMediaStore.open(folder));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const put = (name: string, bytes: number) => store.put(`results/${name}`, Buffer.alloc(bytes));

test("adds up what is stored, replaced and removed", async () => {
  await put("a-1.png", 100);
  await put("b-1.png", 50);
  await put("a-1.png", 70);
  await store.remove("results/b-1.png");
  await store.remove("results/b-1.png");
  await store.remove("results/never-1.png");
  expect(store.usage()).toEqual({ bytes: 70, files: 1 });
});

test("a walk finds what was there before, and what changed behind its back", async () => {
  for (let nth = 0; nth < 120; nth += 1) await writeFile(join(folder, "results", `old${nth}-1.png`), Buffer.alloc(10));
  expect(store.usage()).toEqual({ bytes: 0, files: 0 });
  await store.count();
  expect(store.usage()).toEqual({ bytes: 1200, files: 120 });
  await writeFile(join(folder, "results", "old0-1.png"), Buffer.alloc(500));
  await rm(join(folder, "results", "old1-1.png"));
  await store.count();
  expect(store.usage()).toEqual({ bytes: 1680, files: 119 });
});

test.each([0, 1, 3, 8, 20])(
  "what changes during a walk is counted once, whenever the walk comes by (%i ms in)",
  async (pause) => {
    for (let nth = 0; nth < 200; nth += 1)
      await writeFile(join(folder, "results", `old${nth}-1.png`), Buffer.alloc(10));
    const walk = store.count();
    await new Promise((resolve) => setTimeout(resolve, pause));
    const changes = [];
    for (let nth = 0; nth < 60; nth += 1) {
      changes.push(put(`new${nth}-1.png`, 7), store.remove(`results/old${nth * 3}-1.png`));
    }
    // A second walk at the same time is none.
    await Promise.all([walk, store.count(), ...changes]);
    const usage = store.usage();
    expect(usage).toEqual({ bytes: 140 * 10 + 60 * 7, files: 200 });
    await store.count();
    expect(store.usage()).toEqual(usage);
  },
);

test("a walk that is stopped leaves what was known", async () => {
  await put("a-1.png", 100);
  await store.count(AbortSignal.abort());
  expect(store.usage()).toEqual({ bytes: 100, files: 1 });
});

test("a file that could not be stored is not counted", async () => {
  await rm(join(folder, "partial"), { recursive: true });
  await expect(put("a-1.png", 100)).rejects.toMatchObject({ code: "storage_unavailable" });
  expect(store.usage()).toEqual({ bytes: 0, files: 0 });
});
