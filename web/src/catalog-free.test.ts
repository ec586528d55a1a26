import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { catalog } from "@safelight/catalog";
import { expect, test } from "vitest";

/** Source files of the page; tests and what they share aside. */
const sources = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
  .filter((file) => /\.tsx?$/.test(file) && !file.includes(".test.") && !/(^|\/)testing\//.test(file))
  .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, file), "utf8") }));

/** Numbers this common mean other things too: milliseconds in a second, percent. */
const everyday = new Set([100, 1000]);

test("no model, mode or limit of the catalog is written in the page's code", () => {
  const names = catalog.models.flatMap((model) => [
    model.id,
    model.name,
    ...model.aliases,
    ...model.modes.map((mode) => mode.id),
  ]);
  const limits = catalog.models
    .flatMap((model) => model.parameters)
    .flatMap(({ min, max, max_length, default: value }) => [min, max, max_length, value])
    .filter((value): value is number => typeof value === "number" && Math.abs(value) >= 100 && !everyday.has(value));
  expect(sources.length).toBeGreaterThan(30);
  // Written as 1_000 or as 1000, whole or not at all: "flux" is a name, "fluxed" is not.
  const words = [...new Set([...names, ...limits.map(String)])].map((word) => ({
    word,
    pattern: new RegExp(`(?<![\\w-])${word.replaceAll(/[^\w]/g, "\\$&")}(?![\\w-])`),
  }));
  const found = sources.flatMap(({ file, text }) =>
    words
      .filter(({ pattern }) => pattern.test(text) || pattern.test(text.replaceAll(/(?<=\d)_(?=\d)/g, "")))
      .map(({ word }) => `${file}: ${word}`),
  );
  expect(found).toEqual([]);
});
