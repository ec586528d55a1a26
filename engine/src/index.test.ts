import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect, test } from "vitest";
import { ENGINE_NAME, ENGINE_VERSION } from "./index.ts";
import { bundledModel } from "./vocabulary/vocabulary.ts";

test("the engine's version is its package's", async () => {
  const manifest = JSON.parse(await readFile(path.join(bundledModel, "../package.json"), "utf8"));
  expect([ENGINE_NAME, ENGINE_VERSION]).toEqual(["sketch", manifest.version]);
});

test("the model card gives the checksum of every part", async () => {
  const card = await readFile(path.join(bundledModel, "MODEL_CARD.md"), "utf8");
  const parts = (await readdir(bundledModel)).filter((name) => !name.endsWith(".md"));
  expect(parts).toHaveLength(7);
  for (const name of parts) {
    const sum = createHash("sha256")
      .update(await readFile(path.join(bundledModel, name)))
      .digest("hex");
    const line = card.split("\n").find((text) => text.includes(`| \`${name}\` |`));
    expect(line, name).toContain(sum);
  }
});
