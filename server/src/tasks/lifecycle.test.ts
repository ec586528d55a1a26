import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isEnded, mayFailWith, mergeProgress, nextStatus, type TaskStatus, type TaskTransition } from "./lifecycle.ts";

// The same values in every run, so that a red build is red again.
fc.configureGlobal({ seed: 20_260_301 });

const statuses: TaskStatus[] = ["pending", "processing", "done", "failed"];
const transitions: TaskTransition[] = ["claim", "finish", "fail"];

describe("the life of a task", () => {
  test("is exactly this table", () => {
    const allowed = statuses.flatMap((from) =>
      transitions.flatMap((transition) => {
        const to = nextStatus(from, transition);
        return to === null ? [] : [`${from} ${transition} ${to}`];
      }),
    );
    expect(allowed).toEqual([
      "pending claim processing",
      "pending fail failed",
      "processing finish done",
      "processing fail failed",
    ]);
  });

  test("whatever happens in whatever order, a status never goes back and an end is final", () => {
    const rank: Record<TaskStatus, number> = { pending: 0, processing: 1, done: 2, failed: 2 };
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...transitions), { maxLength: 20 }), (happenings) => {
        let status: TaskStatus = "pending";
        for (const transition of happenings) {
          const next = nextStatus(status, transition);
          if (next === null) continue;
          expect(isEnded(status)).toBe(false);
          expect(rank[next]).toBeGreaterThan(rank[status]);
          status = next;
        }
      }),
    );
  });

  test("a task that never started fails only as cancelled or for want of workers", () => {
    expect(mayFailWith("pending", "cancelled")).toBe(true);
    expect(mayFailWith("pending", "no_workers")).toBe(true);
    expect(mayFailWith("pending", "engine_failed")).toBe(false);
    expect(mayFailWith("processing", "engine_failed")).toBe(true);
    expect(mayFailWith("done", "cancelled")).toBe(false);
    expect(mayFailWith("failed", "cancelled")).toBe(false);
  });

  test("progress is a whole number below 100 that never falls, whatever is reported", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.double(), fc.integer(), fc.constant(Number.NaN))), (reports) => {
        let progress = 0;
        for (const report of reports) {
          const next = mergeProgress(progress, report);
          expect(Number.isInteger(next)).toBe(true);
          expect(next).toBeGreaterThanOrEqual(progress);
          expect(next).toBeLessThan(100);
          progress = next;
        }
      }),
    );
    expect(mergeProgress(10, 55.9)).toBe(55);
  });
});
