// What of the GPU worker's tests takes minutes.
import { expect, test } from "vitest";
import { runPytest } from "./testing/pytest.ts";

test("the long tests of pytest pass in worker/", async () => {
  const { code, printed } = await runPytest("worker", "-m", "long");
  expect(code, printed).toBe(0);
}, 1_800_000);
