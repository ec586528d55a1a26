import { expect, test } from "vitest";
import type { DeploymentRecord } from "./deployment-record.ts";
import { rollbackTarget } from "./rollback-target.ts";

/** A history in words, oldest first: `done`, `failed`, `unstarted`, `done<1` and `failed<1` for rollbacks to version 1. */
function history(...words: string[]): DeploymentRecord[] {
  return words.map((word, index) => {
    const [status = "", to] = word.split("<");
    return {
      number: index + 1,
      id: `version-${index + 1}`,
      version: index + 1,
      kind: to === undefined ? "deploy" : "rollback",
      rollbackOf: to === undefined ? null : `version-${to}`,
      status: status === "done" ? "done" : "failed",
      startedAt: status === "unstarted" ? null : 1,
      finishedAt: 2,
    } as DeploymentRecord;
  });
}

test.each<[string[], number | null]>([
  [[], null],
  [["done"], null],
  [["failed"], null],
  [["done", "done"], 1],
  [["done", "done", "done"], 2],
  // What failed is left behind for what still runs.
  [["done", "failed"], 1],
  [["done", "done", "failed", "failed"], 2],
  [["failed", "done"], null],
  [["done", "failed", "done"], 1],
  // What never started has changed nothing.
  [["done", "done", "unstarted"], 1],
  [["unstarted"], null],
  // One step further back each time, and no further than there is.
  [["done", "done", "done", "done<2"], 1],
  [["done", "done", "done", "done<2", "done<1"], null],
  [["done", "done", "done<1"], null],
  // A failed rollback is tried again.
  [["done", "done", "failed<1"], 1],
  // A new deploy after a rollback goes back to what the rollback had brought; so does a failed one.
  [["done", "done", "done<1", "failed"], 1],
])("after %j comes version %j", (words, version) => {
  expect(rollbackTarget(history(...words))?.version ?? null).toBe(version);
  expect(rollbackTarget(history(...words).toReversed())?.version ?? null).toBe(version);
});

test("a deploy after a rollback goes back to the version before it that was deployed", () => {
  expect(rollbackTarget(history("done", "done", "done<1", "done"))?.version).toBe(2);
});
