import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Budgets, findBudgetOverruns } from "./budgets.ts";

const budgets: Budgets = {
  longestFile: 10,
  longestFunction: 4,
  usualFile: 5,
  architecture: 3,
  largestFile: 100,
  largeFolders: ["model/"],
};
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "safelight-budgets-"));
  mkdirSync(join(root, "model"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function overruns(files: Record<string, string>): string[] {
  for (const [path, text] of Object.entries(files)) writeFileSync(join(root, path), text);
  return findBudgetOverruns(root, Object.keys(files), budgets);
}

const short = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`short-${index}.ts`, "a\n"]));

it("allows exactly the longest length, for one file in ten above the usual one", () => {
  expect(overruns({ ...short, "long.ts": "a\n".repeat(10) })).toEqual([]);
});

it("refuses one line more", () => {
  expect(overruns({ ...short, "long.ts": "a\n".repeat(11) })).toEqual(["long.ts: 11 lines, at most 10"]);
});

it("does not count tests", () => {
  expect(overruns({ "long.test.ts": "a\n".repeat(30) })).toEqual([]);
});

it("counts Python as well, and the functions in it, but not its tests", () => {
  mkdirSync(join(root, "tests"));
  expect(
    overruns({
      ...short,
      "long.py": "a\n".repeat(11),
      "right.py": "class A:\n  def a(\n    b,\n  ):\n    c\n\nd\n",
      "wrong.py": "class A:\n  async def a(\n    b,\n  ):\n    c\n\n    d\n\n  e\n",
      "tests/test_long.py": "def a():\n b\n c\n d\n e\n".repeat(4),
    }).filter((problem) => !problem.includes("in ten")),
  ).toEqual(["long.py: 11 lines, at most 10", "wrong.py: a has 6 lines, at most 4"]);
});

it("refuses many long files", () => {
  expect(overruns({ ...short, "b.ts": "a\n".repeat(6), "c.ts": "a\n".repeat(6) })).toEqual([
    "2 of 11 source files have more than 5 lines, at most one in ten",
  ]);
});

it("refuses a large file outside its folder and a long map", () => {
  expect(
    overruns({ "a.json": "x".repeat(101), "model/b.bin": "x".repeat(101), "ARCHITECTURE.md": "a\n".repeat(4) }),
  ).toEqual(["a.json: 101 bytes, at most 100", "ARCHITECTURE.md: 4 lines, at most 3"]);
});
