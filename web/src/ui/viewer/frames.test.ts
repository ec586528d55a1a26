import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { frameAt, lengthOf, rateOf, timeOfFrame, timeStepped } from "./frames.ts";

const seed = 4;
const rates = fc.record({ fps: fc.constantFrom(8, 16, 24, 25, 30), frames: fc.integer({ min: 1, max: 400 }) });
const example = { fps: 16, frames: 81 };

describe("frames", () => {
  it("are told by the time that shows them, through every rounding a browser does", () => {
    fc.assert(
      fc.property(rates, fc.nat(399), (rate, wanted) => {
        const frame = Math.min(wanted, rate.frames - 1);
        const time = timeOfFrame(frame, rate);
        expect(frameAt(time, rate)).toBe(frame);
        expect(frameAt(Math.round(time * 1e6) / 1e6, rate)).toBe(frame);
        // Where a frame begins, it is this frame that is shown, a microsecond early or not.
        expect(frameAt(Math.floor((frame / rate.fps) * 1e6) / 1e6, rate)).toBe(frame);
      }),
      { seed },
    );
  });

  it("step by exactly one, and back to the same", () => {
    fc.assert(
      fc.property(rates, fc.double({ min: 0, max: 30, noNaN: true }), (rate, seconds) => {
        const frame = frameAt(seconds, rate);
        const next = timeStepped(seconds, 1, rate);
        expect(frameAt(next, rate)).toBe(Math.min(rate.frames - 1, frame + 1));
        if (frame < rate.frames - 1) expect(frameAt(timeStepped(next, -1, rate), rate)).toBe(frame);
      }),
      { seed },
    );
  });

  it("end at both ends of the clip", () => {
    expect(frameAt(timeStepped(0, -1, example), example)).toBe(0);
    expect(frameAt(timeStepped(99, 1, example), example)).toBe(80);
    expect(frameAt(2.4, example)).toBe(38);
  });

  it("last as long as they say", () => {
    expect(lengthOf(example)).toBeCloseTo(5.0625);
  });

  it("have no rate when a figure is missing", () => {
    expect(rateOf(16, 81)).toEqual(example);
    expect(rateOf(null, 81)).toBeNull();
    expect(rateOf(16, undefined)).toBeNull();
    expect(rateOf(0, 81)).toBeNull();
  });
});
