// @vitest-environment jsdom
// What one task of the queue says of itself.
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, describe, expect, it } from "vitest";
import { mergeTask, type Task } from "../../../api/task-board.ts";
import { createItem } from "../../../testing/sample-tasks.ts";
import { setLanguage } from "../../../ui/language.ts";
import { type QueueActions, QueueItem } from "./queue-item.tsx";

const noActions: QueueActions = {
  choose: () => undefined,
  cancel: () => undefined,
  retry: () => undefined,
  edit: () => undefined,
  dismiss: () => undefined,
};

afterEach(() => {
  cleanup();
  setLanguage("en");
});

function show(fields: Partial<Task>, stranded = false): void {
  const task: Task = { ...mergeTask(createItem("a"), undefined), queue_position: 3, ...fields };
  render(<QueueItem task={task} model="FLUX" stranded={stranded} current={false} actions={noActions} />);
}

const reason = (code: string) => ({ waiting_reason: { code, detail: "English of the server." } });

describe("a task that waits", () => {
  it("says why, beside its place, in the language of the page", () => {
    show(reason("queue_paused"));
    expect(screen.getByText("3")).toBeTruthy();
    expect(screen.getByText("Waiting: the operator has paused the queue.")).toBeTruthy();
    cleanup();
    setLanguage("ru");
    show(reason("queue_paused"));
    expect(screen.getByText("Ждёт: оператор остановил очередь.")).toBeTruthy();
  });

  it("says nothing more than its place where only others go first", () => {
    show(reason("behind_others"));
    expect(screen.queryByText(/Waiting|Others|English/)).toBeNull();
  });

  it("names the reason rather than that nothing can run it; without one it says that", () => {
    show(reason("draining"), true);
    expect(screen.getByText(/finishes its work/)).toBeTruthy();
    expect(screen.queryByText(/Nothing here can run/)).toBeNull();
    cleanup();
    show({}, true);
    expect(screen.getByText(/Nothing here can run/)).toBeTruthy();
  });

  it("says no reason any more once it runs or is being cancelled", () => {
    show({ ...reason("busy"), status: "processing", attempt: 1, stage: "denoise" });
    show({ ...reason("busy"), stage: "cancelling" });
    expect(screen.queryByText(/Waiting:/)).toBeNull();
  });
});
