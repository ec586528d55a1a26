import { expect, test } from "vitest";
import { DatabaseClock } from "./database-clock.ts";

/** A machine and a server, with a way between them that takes this long there and back. */
function setUp({ there = 1, back = 1 } = {}) {
  const world = { machine: 1000, server: 1_700_000_000_000, there, back };
  const pass = (milliseconds: number): void => {
    world.machine += milliseconds;
    world.server += milliseconds;
  };
  const client = {
    query: async () => {
      pass(world.there);
      const time = world.server;
      pass(world.back);
      return { rows: [{ time }] };
    },
  };
  const clock = new DatabaseClock(() => world.machine);
  return { world, pass, clock, measure: () => clock.measure(client as never) };
}

test("it tells the server's time, in whole milliseconds, off by no more than half a round trip", async () => {
  const { world, pass, clock, measure } = setUp({ there: 30, back: 10 });
  expect(() => clock.now()).toThrow("not asked yet");
  await measure();
  expect(Math.abs(clock.now() - world.server)).toBeLessThanOrEqual(20);
  pass(12_345.6);
  expect(Math.abs(clock.steady() - world.server)).toBeLessThanOrEqual(21);
  expect(Number.isInteger(clock.now())).toBe(true);
});

test("longer round trips do not move it; one that proves it wrong does", async () => {
  const { world, pass, clock, measure } = setUp();
  await measure();
  world.there = 400;
  await measure();
  expect(clock.now()).toBe(world.server);
  world.server += 5000;
  await measure();
  expect(Math.abs(clock.now() - world.server)).toBeLessThanOrEqual(402);
  pass(1000);
  expect(clock.age).toBeGreaterThanOrEqual(1000);
});

test("a server that is set back slows it down until both agree; it never goes back", async () => {
  const { world, pass, clock, measure } = setUp();
  await measure();
  const before = clock.now();
  world.server -= 10_000;
  await measure();
  let last = before;
  for (let second = 0; second < 19; second += 1) {
    pass(1000);
    const now = clock.now();
    expect(now).toBeGreaterThanOrEqual(last);
    expect(now - last).toBeLessThan(600);
    last = now;
    if (second === 9) await measure();
  }
  pass(5000);
  expect(Math.abs(clock.now() - world.server)).toBeLessThanOrEqual(2);
});
