// @vitest-environment jsdom
// What the queue remembers and what it says aloud.
import { act, renderHook } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { mergeTask, type Task } from "../../../api/task-board.ts";
import { createItem, time } from "../../../testing/sample-tasks.ts";
import { announce } from "./announcement.ts";
import { dismissAllEnded, endedSince, useEndedTasks } from "./ended-tasks.ts";

const task = (id: string, fields: Partial<Task> = {}): Task => mergeTask(createItem(id, fields), undefined);
const ended = (id: string, second: number, fields: Partial<Task> = {}) =>
  task(id, { status: "done", finished_at: time(second), ...fields });

describe("ended since the person came", () => {
  it("shows what ended afterwards, latest first, without what was taken off", () => {
    const tasks = [ended("early", 1), ended("first", 5), ended("second", 9), ended("off", 7), task("waits")];
    expect(endedSince(tasks, time(3), ["off"]).map(({ id }) => id)).toEqual(["second", "first"]);
  });

  it("stays short however much has ended", () => {
    const tasks = Array.from({ length: 300 }, (_, index) => ended(`task-${index}`, index + 1));
    expect(endedSince(tasks, time(0), [])).toHaveLength(12);
  });
});

describe("clearing what ended", () => {
  it("empties the list for good: what ended earlier does not come up in its place", () => {
    const tasks = Array.from({ length: 300 }, (_, index) =>
      ended(`task-${index}`, index + 1, { updated_at: time(index + 1) }),
    );
    const { result } = renderHook(() => useEndedTasks(tasks, true));
    act(() => dismissAllEnded([]));
    expect(result.current).toHaveLength(12);
    act(() => dismissAllEnded(tasks));
    expect(result.current).toEqual([]);
  });
});

describe("announcements", () => {
  const at = (status: Task["status"], progress = 0) => new Map([["a", { status, progress }]]);

  it("tell quarters of the way and nothing in between", () => {
    const running = (progress: number) => [task("a", { status: "processing", progress })];
    expect(announce(at("processing", 20), running(24), null)).toBeNull();
    expect(announce(at("processing", 24), running(31), null)).toContain("25");
  });

  it("leave the progress of the task on the stage to the stage, not its end", () => {
    const running = [task("a", { status: "processing", progress: 60 })];
    expect(announce(at("processing", 40), running, "a")).toBeNull();
    expect(announce(at("processing", 40), [ended("a", 5)], "a")).toContain("prompt of a");
  });

  it("give the reason of a failure, and count many ends instead of reading them out", () => {
    const error = { code: "out_of_memory" as const, detail: "", user_action: "" };
    const failed = ended("a", 5, { status: "failed", error });
    expect(announce(at("processing"), [failed], null)).toBe("Out of memory: prompt of a");
    const before = new Map(["a", "b"].map((id) => [id, { status: "processing" as const, progress: 9 }]));
    expect(announce(before, [failed, ended("b", 6)], null)).toBe("Tasks done: 1, failed: 1");
  });

  it("say nothing about tasks that were not known: a page just opened is silent", () => {
    expect(announce(new Map(), [ended("a", 5), task("b", { status: "processing", progress: 80 })], null)).toBeNull();
  });
});
