import { createHash } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DiskMediaStore } from "../media/disk-media-store.ts";
import { ReferenceShelf } from "./reference-shelf.ts";

const DAY = 24 * 60 * 60 * 1000;
let folder: string;
let media: DiskMediaStore;
let shelf: ReferenceShelf;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-shelf-"));
  media = await DiskMediaStore.open(folder);
  shelf = await ReferenceShelf.open(media);
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(text: string): Promise<string> {
  const sha256 = createHash("sha256").update(text).digest("hex");
  await shelf.put(sha256, "image/png", Readable.from([Buffer.from(text)]));
  return `sha256-${sha256}`;
}

describe("the shelf of reference pictures", () => {
  test("knows after a restart what it held before", async () => {
    const id = await put("a");
    const again = await ReferenceShelf.open(media);
    expect(again.has(id)).toBe(true);
    expect(again.has(`sha256-${"0".repeat(64)}`)).toBe(false);
  });

  test("bytes with another hash, or an upload that breaks, leave nothing behind", async () => {
    const wrong = shelf.put("0".repeat(64), "image/png", Readable.from([Buffer.from("x")]));
    await expect(wrong).rejects.toMatchObject({ code: "media_mismatch" });
    const breaking = new Readable({
      read() {
        this.destroy(new Error("cut"));
      },
    });
    await expect(shelf.put("0".repeat(64), "image/png", breaking)).rejects.toThrow("cut");
    expect(await readdir(join(folder, "uploads"))).toEqual([]);
    expect(await readdir(join(folder, "partial"))).toEqual([]);
  });

  test("keeps for a day what nobody uses, and for longer what a run needs", async () => {
    const [idle, needed] = [await put("idle"), await put("needed")];
    await shelf.sweep(new Set(), Date.now() + DAY - 1000);
    expect([shelf.has(idle), shelf.has(needed)]).toEqual([true, true]);
    await shelf.sweep(new Set([needed]), Date.now() + DAY + 1000);
    expect([shelf.has(idle), shelf.has(needed)]).toEqual([false, true]);
    expect(await readdir(join(folder, "uploads"))).toHaveLength(1);
  });
});
