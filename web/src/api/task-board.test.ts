// What the page knows about tasks, in every order in which lists and news can arrive.
import type { ServerEvent, Status } from "@safelight/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createItem as item, createStatus as status, time } from "../testing/sample-tasks.ts";
import { boardOf, mergeTask, type News, withEvents } from "./task-board.ts";

const noNews: News = new Map();

const updated = (data: Status): ServerEvent => ({ id: null, type: "task.updated", data });

describe("news of tasks", () => {
  it("FR-006: an ended task never goes back, even when the server's clock did", () => {
    const done = status("a", { status: "done", progress: 100, updated_at: time(5) });
    const late = status("a", { status: "processing", progress: 40, updated_at: time(9) });
    const news = withEvents(noNews, [updated(done), updated(late)]);
    expect(news.get("a")).toBe(done);
    expect(mergeTask(item("a", { status: "done", updated_at: time(5) }), late).status).toBe("done");
  });

  it("an older answer does not overwrite newer news, and news do not overwrite a newer list", () => {
    const newer = status("a", { status: "processing", progress: 50, updated_at: time(6) });
    const older = status("a", { status: "processing", progress: 10, updated_at: time(3) });
    const news = withEvents(noNews, [updated(newer), updated(older)]);
    expect(news.get("a")?.progress).toBe(50);
    const read = item("a", { status: "processing", progress: 70, updated_at: time(8) });
    expect(mergeTask(read, news.get("a")).progress).toBe(70);
  });

  it("answers the same news and the same task objects while nothing is new, so that rows can rest", () => {
    const news = withEvents(noNews, [updated(status("a", { updated_at: time(2) }))]);
    expect(withEvents(news, [updated(status("a", { updated_at: time(1) }))])).toBe(news);
    const listed = item("a");
    expect(mergeTask(listed, news.get("a"))).toBe(mergeTask(listed, news.get("a")));
  });

  it("a preview changes the picture of a known task only", () => {
    const preview = (task_id: string): ServerEvent => ({
      id: 1,
      type: "task.preview",
      data: { task_id, version: 2, preview_url: "/preview/a?v=2" },
    });
    const news = withEvents(noNews, [updated(status("a", { status: "processing" })), preview("a"), preview("b")]);
    expect(news.get("a")?.preview_url).toBe("/preview/a?v=2");
    expect(news.has("b")).toBe(false);
  });

  it("a deleted task is forgotten, a reset forgets everything before it", () => {
    const both = [updated(status("a")), updated(status("b"))];
    expect([...withEvents(noNews, [...both, { id: 3, type: "task.deleted", data: { task_id: "a" } }]).keys()]).toEqual([
      "b",
    ]);
    const reset: ServerEvent = { id: 4, type: "stream.reset", data: {} };
    expect([...withEvents(noNews, [...both, reset, updated(status("c"))]).keys()]).toEqual(["c"]);
  });

  it("remembers a bounded number of ended tasks and every active one, however long the page stays open", () => {
    let news = withEvents(
      noNews,
      Array.from({ length: 1000 }, (_, index) => updated(status(`waiting-${index}`))),
    );
    for (let day = 0; day < 50; day += 1) {
      const ended = Array.from({ length: 100 }, (_, index) =>
        updated(status(`ended-${day}-${index}`, { status: "done", updated_at: time(day * 100 + index) })),
      );
      news = withEvents(news, ended);
    }
    const kept = [...news.values()].filter((known) => known.status === "done");
    expect(kept.length).toBeLessThanOrEqual(300);
    expect(kept.some((known) => known.task_id === "ended-49-99")).toBe(true);
    expect([...news.values()].filter((known) => known.status === "pending")).toHaveLength(1000);
  });

  it("batching changes nothing: one batch and one event at a time come to the same", () => {
    const statuses = fc.constantFrom("pending", "processing", "done", "failed");
    const event = fc.oneof(
      fc
        .record({ id: fc.constantFrom("a", "b", "c"), status: statuses, second: fc.integer({ min: 0, max: 9 }) })
        .map((drawn) => updated(status(drawn.id, { status: drawn.status, updated_at: time(drawn.second) }))),
      fc
        .constantFrom("a", "b", "c")
        .map((task_id): ServerEvent => ({ id: 1, type: "task.deleted", data: { task_id } })),
      fc.constant<ServerEvent>({ id: 1, type: "stream.reset", data: {} }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const oneByOne = events.reduce((news, next) => withEvents(news, [next]), noNews);
        expect([...withEvents(noNews, events)]).toEqual([...oneByOne]);
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});

describe("the board", () => {
  it("counts places among everything that waits, listed or not", () => {
    const statuses = ["c", "a", "b"].map((id, index) => updated(status(id, { created_at: time(10 - index) })));
    const news = withEvents(noNews, statuses);
    const { tasks } = boardOf([item("c", { created_at: time(10) })], news);
    expect(tasks[0]?.queue_position).toBe(3);
    const left = withEvents(news, [updated(status("b", { status: "processing", updated_at: time(20) }))]);
    expect(boardOf([item("c", { created_at: time(10) })], left).tasks[0]?.queue_position).toBe(2);
  });

  it("counts what runs and waits in all, each task once", () => {
    const news = withEvents(noNews, [
      updated(status("a", { status: "processing", updated_at: time(3) })),
      updated(status("b")),
      updated(status("gone", { status: "failed" })),
    ]);
    expect(boardOf([item("a"), item("d")], news).active).toEqual({ running: 1, waiting: 2 });
  });

  it("with a thousand waiting tasks, news of one leaves the rows of all others as they are", () => {
    const events = Array.from({ length: 1000 }, (_, index) =>
      updated(status(`task-${index}`, { created_at: time(index) })),
    );
    const list = Array.from({ length: 70 }, (_, index) => item(`task-${index}`, { created_at: time(index) }));
    const running = (second: number) => updated(status("task-0", { status: "processing", updated_at: time(second) }));
    const before = withEvents(noNews, [...events, running(1)]);
    const rows = boardOf(list, before).tasks;
    const after = boardOf(list, withEvents(before, [running(2)])).tasks;
    expect(after.filter((task, index) => task !== rows[index]).map((task) => task.id)).toEqual(["task-0"]);
  });
});
