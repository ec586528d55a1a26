// The bundled model's files: their size, and what the model card says of them.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { bundledModel, loadVocabulary } from "./vocabulary/vocabulary.ts";

const card = readFileSync(path.join(bundledModel, "MODEL_CARD.md"), "utf8");
const files = readdirSync(bundledModel).filter((name) => name !== "MODEL_CARD.md");

test("the graphs take at most 14 MB together", () => {
  const graphs = files.filter((name) => name.endsWith(".onnx"));
  expect(graphs.toSorted()).toEqual(["decoder.onnx", "dit.onnx", "encoder.onnx", "text.onnx"]);
  const bytes = graphs.reduce((sum, name) => sum + readFileSync(path.join(bundledModel, name)).length, 0);
  expect(bytes).toBeLessThanOrEqual(14_000_000);
});

test("the model card names every file with its checksum", () => {
  for (const name of files) {
    const sum = createHash("sha256")
      .update(readFileSync(path.join(bundledModel, name)))
      .digest("hex");
    const row = card.split("\n").find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row, name).toContain(`\`${sum}\``);
  }
});

test("the model card names everything that can be drawn", () => {
  const { phrases } = loadVocabulary(bundledModel);
  for (const group of ["subjects", "backdrops", "times", "weathers", "moods", "colours", "sizes", "positions"]) {
    for (const name of Object.keys(phrases[group] ?? {})) expect(card, name).toMatch(new RegExp(`\\b${name}\\b`));
  }
});

test("the model card leaves nothing to be filled in", () => {
  expect(card).not.toMatch(/\$\{|\{\{|TODO|…%/);
});
