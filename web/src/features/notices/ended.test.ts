import type { ServerEvent, Status } from "@safelight/contract";
import { describe, expect, it } from "vitest";
import { createStatus } from "../../testing/sample-tasks.ts";
import { endWatcher } from "./ended.ts";

const updated = (id: string, fields: Partial<Status>): ServerEvent => ({
  id: null,
  type: "task.updated",
  data: createStatus(id, fields),
});
const cancelled = { code: "cancelled" as const, detail: "", user_action: "" };

describe("ends worth a notice", () => {
  it("are told once, and only of tasks that were seen under way", () => {
    const watch = endWatcher();
    expect(watch([updated("old", { status: "done" })])).toEqual([]);
    expect(watch([updated("a", { status: "processing" })])).toEqual([]);
    expect(watch([updated("a", { status: "done" })]).map((status) => status.task_id)).toEqual(["a"]);
    expect(watch([updated("a", { status: "done" })])).toEqual([]);
  });

  it("leave out what the person cancelled and what was deleted", () => {
    const watch = endWatcher();
    watch([updated("a", {}), updated("b", {})]);
    const events: ServerEvent[] = [
      updated("a", { status: "failed", error: cancelled }),
      { id: 1, type: "task.deleted", data: { task_id: "b" } },
      updated("b", { status: "done" }),
    ];
    expect(watch(events)).toEqual([]);
  });
});
