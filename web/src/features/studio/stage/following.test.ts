import { describe, expect, it } from "vitest";
import { mergeTask } from "../../../api/task-board.ts";
import { createItem } from "../../../testing/sample-tasks.ts";
import { followed, nextInSight } from "./following.ts";

const task = (id: string, status: "pending" | "processing" | "done" | "failed" = "pending") =>
  mergeTask(createItem(id, { status }), undefined);

describe("following what was submitted here", () => {
  it("stays with the task that runs", () => {
    const shown = task("a", "processing");
    expect(followed([task("b", "processing"), shown], ["a", "b"], shown)).toBeNull();
  });

  it("goes on to the next of them when one has ended", () => {
    const shown = task("a", "done");
    expect(followed([task("c"), task("b", "processing"), shown], ["a", "b", "c"], shown)).toBe("b");
  });

  it("of several that run takes the one that was first in the queue", () => {
    const shown = task("a", "failed");
    expect(followed([task("c", "processing"), task("b", "processing"), shown], ["b", "c"], shown)).toBe("b");
  });

  it("never turns to a task of somebody else, nor to one that only waits", () => {
    const shown = task("a", "done");
    expect(followed([task("other", "processing"), task("b"), shown], ["a", "b"], shown)).toBeNull();
  });
});

describe("after a deletion", () => {
  const tasks = [task("c"), task("b"), task("a")];

  it("shows the next older one, at the end the next newer", () => {
    expect(nextInSight(tasks, "b", new Set(["b"]))?.id).toBe("a");
    expect(nextInSight(tasks, "a", new Set(["a"]))?.id).toBe("b");
    expect(nextInSight(tasks, "b", new Set(["a", "b"]))?.id).toBe("c");
  });

  it("shows nothing when nothing is left", () => {
    expect(nextInSight(tasks, "a", new Set(["a", "b", "c"]))).toBeUndefined();
  });
});
