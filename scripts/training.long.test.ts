// Every stage of the bundled model's training in miniature, and the renderer it learns from.
import { expect, test } from "vitest";
import { runPytest } from "./testing/pytest.ts";

test("pytest passes in training/", async () => {
  const { code, printed } = await runPytest("training");
  expect(code, printed).toBe(0);
}, 1_800_000);
