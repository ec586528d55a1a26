import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { restoreMark, takeDataDirectory } from "../database/data-directory.ts";
import { exchangeContent, finishExchange } from "./exchange-content.ts";

let folder: string;
afterEach(() => rm(folder, { recursive: true, force: true }));

const old = [
  "safelight.sqlite",
  "safelight.sqlite-wal",
  "media/results/old.png",
  "secrets/api-key",
  "server.json",
  "work/x",
];
const next = ["safelight.sqlite", "media/results/new.png", "secrets/api-key", "deployments/sources/a"];

async function write(place: string, names: readonly string[], content: string): Promise<void> {
  for (const name of names) {
    await mkdir(join(place, name, ".."), { recursive: true });
    await writeFile(join(place, name), content);
  }
}

async function filesOf(place: string): Promise<string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.name.startsWith("lock.sqlite"));
  return files.map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1)).sort();
}

test("cut off before any of its renames: all is old, or no server starts and going on makes all new; nothing is lost", async () => {
  let ended = false;
  let interrupted = 0;
  for (let cut = 1; !ended; cut += 1) {
    folder = await mkdtemp(join(tmpdir(), "safelight-exchange-"));
    await write(folder, [...old, "worker/of-another-program"], "old");
    await write(join(folder, ".restore-x"), next, "new");
    let count = 0;
    const move = async (from: string, to: string): Promise<void> => {
      count += 1;
      if (count === cut) throw new Error("cut off");
      await rename(from, to);
    };
    ended = await exchangeContent(folder, ".restore-x", "before", move).then(
      () => true,
      () => false,
    );
    const isMarked = (await readdir(folder)).includes(restoreMark);
    if (ended || isMarked) {
      if (isMarked) {
        interrupted += 1;
        await expect(takeDataDirectory(folder)).rejects.toThrow(/interrupted/);
        expect(await finishExchange(folder)).toEqual({ aside: "before" });
      }
      const all = [...next, ...old.map((name) => `before/${name}`), "worker/of-another-program"];
      expect([cut, await filesOf(folder)]).toEqual([cut, all.sort()]);
      expect(await readFile(join(folder, "secrets/api-key"), "utf8")).toBe("new");
      expect(await readFile(join(folder, "before/secrets/api-key"), "utf8")).toBe("old");
    } else {
      for (const name of old) expect(await readFile(join(folder, name), "utf8")).toBe("old");
    }
    expect(await finishExchange(folder)).toBeUndefined();
    await (await takeDataDirectory(folder)).release();
    await rm(folder, { recursive: true });
  }
  // Two marks, six old entries and four new ones.
  expect(interrupted).toBeGreaterThanOrEqual(10);
});
