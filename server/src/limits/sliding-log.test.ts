import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlidingLog } from "./sliding-log.ts";

const rule = { most: 4, window: 1000 };

describe("FR-015: a sliding log of requests", () => {
  it("lets through what a naive model lets through, and names the wait exactly", () => {
    const step = fc.record({ key: fc.constantFrom("a", "b", "c"), after: fc.nat({ max: 400 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const log = new SlidingLog(rule, 10);
        const passed: { key: string; at: number }[] = [];
        let now = 5000;
        for (const { key, after } of steps) {
          now += after;
          const recent = passed.filter((hit) => hit.key === key && now - hit.at < rule.window);
          const wait = log.take(key, now);
          if (recent.length < rule.most) {
            expect(wait).toBe(0);
            passed.push({ key, at: now });
          } else {
            expect(wait).toBe((recent[0]?.at ?? 0) + rule.window - now);
          }
        }
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("goes on after a restart as if there had been none", () => {
    const step = fc.record({ key: fc.constantFrom("a", "b", "c"), after: fc.nat({ max: 300 }), restart: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const whole = new SlidingLog(rule, 10);
        let broken = new SlidingLog(rule, 10);
        const stored = new Map<number, ReturnType<SlidingLog["takeChanges"]>[number]>();
        let now = 5000;
        for (const { key, after, restart } of steps) {
          now += after;
          expect(broken.take(key, now)).toBe(whole.take(key, now));
          if (!restart) continue;
          for (const row of broken.takeChanges()) stored.set(row.slot, row);
          broken = new SlidingLog(rule, 10);
          broken.restore([...stored.values()], now);
        }
      }),
      { seed: 11, numRuns: 300 },
    );
  });

  it("a refused request is not counted: who asks on is let in with who waited", () => {
    const log = new SlidingLog(rule, 10);
    for (let hit = 0; hit < rule.most; hit += 1) log.take("a", 0);
    for (let now = 1; now < 1000; now += 1) expect(log.take("a", now)).toBe(1000 - now);
    expect(log.take("a", 1000)).toBe(0);
  });

  it("a million callers: memory stays bounded, a newcomer is let through, one who asks too often is still refused", () => {
    const log = new SlidingLog({ most: 10, window: 60_000 }, 10_000);
    let refused = 0;
    for (let caller = 0; caller < 1_000_000; caller += 1) {
      if (log.take(`caller ${caller}`, caller / 100) > 0) refused += 1;
      if (caller % 1000 === 0) log.takeChanges();
    }
    expect(refused).toBe(0);
    expect(log.size).toBe(10_000);
    const slots = log.takeChanges().map(({ slot }) => slot);
    expect(Math.max(...slots)).toBeLessThan(10_000);
    const answers = Array.from({ length: 11 }, () => log.take("honest", 10_001));
    expect(answers.filter((wait) => wait > 0)).toHaveLength(1);
  });

  it("forgets callers whose requests are over", () => {
    const log = new SlidingLog(rule, 10);
    for (let caller = 0; caller < 10; caller += 1) log.take(`caller ${caller}`, 0);
    log.take("later", 1000);
    expect(log.size).toBe(1);
  });

  it("times that lie ahead count as now, and a place beyond the log is not taken over", () => {
    const log = new SlidingLog(rule, 10);
    const hits = [9e9, 9e9, 9e9, 9e9];
    log.restore(
      [
        { slot: 3, key: "a", hits },
        { slot: 10, key: "b", hits },
      ],
      5000,
    );
    expect(log.take("a", 5000)).toBe(1000);
    expect(log.take("b", 5000)).toBe(0);
    expect(log.take("a", 6000)).toBe(0);
  });
});
