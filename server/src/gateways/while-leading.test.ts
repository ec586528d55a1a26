import { expect, test } from "vitest";
import { silentLog } from "../log.ts";
import { whileLeading } from "./while-leading.ts";

/** Who leads, in the test's hands. */
function setUp({ atOnce = false } = {}) {
  let hear: (leads: boolean) => void = () => undefined;
  const steps: string[] = [];
  const lead = (told: (leads: boolean) => void) => {
    hear = told;
    if (atOnce) told(true);
    return async () => void steps.push("given up");
  };
  const parts = { database: { lead }, log: silentLog() } as unknown as Parameters<typeof whileLeading>[0];
  return { parts, steps, tell: (leads: boolean) => hear(leads) };
}

test("where nobody else is there it begins in the same turn, and its error is told", async () => {
  const { parts, steps } = setUp({ atOnce: true });
  const stop = whileLeading(parts, () => {
    steps.push("begun");
    return () => void steps.push("ended");
  });
  expect(steps).toEqual(["begun"]);
  await Promise.all([stop(), stop()]);
  expect(steps).toEqual(["begun", "ended", "given up"]);
  const fail = () =>
    whileLeading(parts, () => {
      throw new Error("no");
    });
  expect(fail).toThrow("no");
});

test("what is ending has ended before it begins again, and before another gateway may lead", async () => {
  const { parts, steps, tell } = setUp();
  let ended = Promise.withResolvers<void>();
  const stop = whileLeading(parts, () => {
    steps.push("begun");
    return async () => {
      steps.push("ending");
      await ended.promise;
      steps.push("ended");
    };
  });
  expect(steps).toEqual([]);
  tell(true);
  tell(false);
  tell(true);
  expect(steps).toEqual(["begun", "ending"]);
  ended.resolve();
  await expect.poll(() => steps).toEqual(["begun", "ending", "ended", "begun"]);
  ended = Promise.withResolvers<void>();
  const stopped = stop();
  tell(true);
  expect(steps.slice(4)).toEqual(["ending"]);
  ended.resolve();
  await stopped;
  expect(steps.slice(4)).toEqual(["ending", "ended", "given up"]);
});

test("an end that fails lets it begin again", async () => {
  const { parts, steps, tell } = setUp();
  whileLeading(parts, () => {
    steps.push("begun");
    return () => Promise.reject(new Error("no"));
  });
  tell(true);
  tell(false);
  tell(true);
  await expect.poll(() => steps).toEqual(["begun", "begun"]);
});
