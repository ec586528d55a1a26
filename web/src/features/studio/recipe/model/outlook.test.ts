import { describe, expect, test } from "vitest";
import type { Task } from "../../../../api/tasks.ts";
import { studioModels } from "../../../../testing/offered-models.ts";
import { createItem, time } from "../../../../testing/sample-tasks.ts";
import { secondsExpected } from "./outlook.ts";

const [model] = studioModels.filter(({ type }) => type === "image");
if (model === undefined) throw new Error("The catalog holds no model of pictures.");
const mode = model.modes[0]?.id ?? "";
const numbers = { width: 1024, height: 1024, steps: 20 };

function run(seconds: number, change: Partial<Task> = {}): Task {
  const shown = { model: model?.id ?? "", mode, engine: model?.engine ?? null, parameters: numbers };
  const item = { ...shown, status: "done" as const, started_at: time(0), finished_at: time(seconds), ...change };
  return createItem(`${seconds}`, item) as Task;
}

describe("what is promised under the button comes from runs like this one", () => {
  test("the middle of the latest five", () => {
    expect(
      secondsExpected(
        model,
        mode,
        numbers,
        [3, 9, 4, 5, 1, 100, 100].map((seconds) => run(seconds)),
      ),
    ).toBe(4);
  });

  test("nothing without any, nor from failures, other modes, other engines and other amounts of work", () => {
    const others = [
      run(3, { status: "failed" }),
      run(3, { mode: "another" }),
      run(3, { model: "another" }),
      run(3, { engine: "a GPU" }),
      run(3, { parameters: { ...numbers, steps: 40 } }),
      run(3, { parameters: { ...numbers, width: 512 } }),
      run(3, { finished_at: null }),
    ];
    expect(secondsExpected(model, mode, numbers, [])).toBeNull();
    expect(secondsExpected(model, mode, numbers, others)).toBeNull();
    expect(secondsExpected(model, mode, numbers, [...others, run(7)])).toBe(7);
  });
});
