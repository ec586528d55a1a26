import fc from "fast-check";
import { expect, test } from "vitest";
import { deployLimits, deriveTimeLimits, timeLimits } from "./time-limits.ts";

// The same values in every run, so that a red build is red again.
fc.configureGlobal({ seed: 20_260_301 });

test("FR-013: a picture may take ten minutes and a clip thirty", () => {
  expect(timeLimits.stale).toEqual({ image: 600_000, video: 1_800_000 });
  expect(timeLimits.unable).toBe(86_400_000);
});

test("a stop is over before those who asked for it kill the server", () => {
  expect(timeLimits.stop).toBeLessThanOrEqual(5000);
});

test("every lower limit ends before the one above it, whatever is decided", () => {
  const minutes = fc.integer({ min: 1, max: 600 });
  fc.assert(
    fc.property(minutes, minutes, (image, video) => {
      const limits = deriveTimeLimits({ image: image * 60_000, video: video * 60_000 });
      for (const type of ["image", "video"] as const) {
        expect(limits.worker[type]).toBeLessThan(limits.platform[type]);
        expect(limits.platform[type]).toBeLessThan(limits.stale[type]);
        expect(limits.lease).toBeLessThan(limits.worker[type]);
      }
      // Two renewals may fail before a lease is lost, and it is noticed within one lease.
      expect(limits.renewal * 3).toBeLessThanOrEqual(limits.lease);
      expect(limits.reaper).toBeLessThan(limits.lease);
      // A call that waits is noticed as unanswered no later than the silence is; both well before the lease ends.
      expect(limits.httpWait + limits.workerAnswer).toBeLessThanOrEqual(limits.workerSilence);
      expect(limits.workerSilence).toBeLessThan(limits.lease);
      expect(limits.transferIdle).toBeLessThan(limits.lease);
      expect(limits.transfer).toBeLessThanOrEqual(Math.min(limits.stale.image, limits.stale.video));
      expect(limits.cancel).toBeLessThan(limits.lease);
      expect(limits.stop).toBeLessThan(limits.cancel);
      expect(limits.reaper).toBeGreaterThan(0);
    }),
  );
});

test("asking for an address and ending a command take less than the whole deploy", () => {
  for (const minutes of [1, 30, 240]) {
    const { total, ask, grace, retry } = deployLimits(minutes);
    expect(total).toBe(minutes * 60_000);
    for (const part of [ask, grace, retry]) expect(part).toBeLessThan(total);
  }
});
