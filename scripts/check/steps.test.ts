import { expect, it } from "vitest";
import { commandStep, runSteps, type StepOutcome } from "./steps.ts";

const pass = { name: "pass", run: async () => [] };

async function outcomesOf(...steps: Parameters<typeof runSteps>[0]): Promise<Map<string, StepOutcome>> {
  const reported: StepOutcome[] = [];
  const outcomes = await runSteps(steps, (outcome) => reported.push(outcome));
  expect(reported).toEqual(outcomes);
  return new Map(outcomes.map((outcome) => [outcome.name, outcome]));
}

it("runs every step although an early one fails, and keeps what each found", async () => {
  const outcomes = await outcomesOf(
    { name: "found", run: async () => ["one", "two"] },
    {
      name: "thrown",
      run: async () => {
        throw new Error("broken step");
      },
    },
    pass,
  );
  expect(outcomes.get("found")?.problems).toEqual(["one", "two"]);
  expect(outcomes.get("thrown")?.problems).toEqual([expect.stringContaining("broken step")]);
  expect(outcomes.get("pass")?.problems).toEqual([]);
});

it("runs two at once and no more", async () => {
  let running = 0;
  let most = 0;
  const step = (name: string) => ({
    name,
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return [];
    },
  });
  await outcomesOf(step("a"), step("b"), step("c"), step("d"));
  expect(most).toBe(2);
});

it("takes a program's output as the problem when it fails, and only then", async () => {
  const outcomes = await outcomesOf(
    commandStep("good", process.execPath, ["-e", 'console.log("fine")']),
    commandStep("bad", process.execPath, ["-e", 'console.log("out"); console.error("err"); process.exitCode = 3']),
    commandStep("silent", process.execPath, ["-e", "process.exitCode = 4"]),
    commandStep("absent", "no-such-program", []),
  );
  expect(outcomes.get("good")?.problems).toEqual([]);
  expect(outcomes.get("bad")?.problems).toEqual([expect.stringMatching(/out\nerr|err\nout/)]);
  expect(outcomes.get("silent")?.problems).toEqual([expect.stringContaining("ended with 4")]);
  expect(outcomes.get("absent")?.problems).toEqual([expect.stringContaining("ENOENT")]);
});
