// The tests of the GPU worker are one among the others.
import { expect, test } from "vitest";
import { runPytest } from "./testing/pytest.ts";

test("pytest passes in worker/", async () => {
  const { code, printed } = await runPytest("worker");
  expect(code, printed).toBe(0);
}, 600_000);
