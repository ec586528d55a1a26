import { expect, it } from "vitest";
import { findCycles } from "./cycles.ts";
import type { SourceFile } from "./sources.ts";

function tree(imports: Record<string, string[]>): SourceFile[] {
  return Object.entries(imports).map(([path, list]) => ({ path, imports: list, isTest: path.includes(".test.") }));
}

it("accepts a tree without circles", () => {
  const sources = tree({
    "p/src/a.ts": ["./b.ts", "./c/d.ts", "node:fs"],
    "p/src/b.ts": ["./c/d.ts"],
    "p/src/c/d.ts": ["./e.ts"],
    "p/src/c/e.ts": [],
  });
  expect(findCycles(sources)).toEqual([]);
});

it("finds two files that import each other", () => {
  expect(findCycles(tree({ "p/a.ts": ["./b.ts"], "p/b.ts": ["./a.ts"] }))).toEqual([
    "files in a circle: p/a.ts → p/b.ts → p/a.ts",
  ]);
});

it("finds a file that imports itself", () => {
  expect(findCycles(tree({ "p/a.ts": ["./a.ts"] }))).toEqual(["files in a circle: p/a.ts → p/a.ts"]);
});

it("finds a long circle of files, and every separate one", () => {
  const found = findCycles(
    tree({
      "p/a.ts": ["./b.ts"],
      "p/b.ts": ["./c.ts"],
      "p/c.ts": ["./a.ts"],
      "q/a.ts": ["./b.ts"],
      "q/b.ts": ["./a.ts"],
      "p/aside.ts": ["./a.ts"],
    }),
  );
  expect(found).toEqual([
    "files in a circle: p/a.ts → p/b.ts → p/c.ts → p/a.ts",
    "files in a circle: q/a.ts → q/b.ts → q/a.ts",
  ]);
});

it("finds folders in a circle although no file is", () => {
  const found = findCycles(
    tree({
      "p/src/tasks/submit.ts": ["../queue/claim.ts"],
      "p/src/queue/claim.ts": [],
      "p/src/queue/order.ts": ["../tasks/record.ts"],
      "p/src/tasks/record.ts": [],
    }),
  );
  expect(found).toEqual(["folders in a circle inside p/src: p/src/queue → p/src/tasks → p/src/queue"]);
});

it("finds a folder and a file beside it in a circle", () => {
  const found = findCycles(tree({ "p/index.ts": ["./deep/a.ts"], "p/deep/a.ts": [], "p/deep/b.ts": ["../index.ts"] }));
  expect(found).toEqual(["folders in a circle inside p: p/deep → p/index.ts → p/deep"]);
});

it("does not count what tests import", () => {
  expect(findCycles(tree({ "p/a.test.ts": ["./b.ts"], "p/b.ts": ["./a.test.ts"] }))).toEqual([]);
});
