import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitZoom, limitZoom, scrollFor, steppedZoom, toggledZoom, wheelFactor, type Zoom, zoomLimits } from "./zoom.ts";

const seed = 4;
const fits = fc.double({ min: 0.02, max: 20, noNaN: true });
const zooms = fc.oneof(fc.constant<Zoom>("fit"), fc.double({ min: 0.01, max: 40, noNaN: true }));

describe("the fitting zoom", () => {
  it("counts screen pixels, not those of CSS", () => {
    const box = { width: 500, height: 500 };
    expect(fitZoom(box, { width: 1000, height: 500 }, 1)).toBe(0.5);
    expect(fitZoom(box, { width: 1000, height: 500 }, 2)).toBe(1);
  });

  it("is never zero, whatever the size of the window", () => {
    expect(fitZoom({ width: 0, height: 0 }, { width: 1000, height: 500 }, 1)).toBeGreaterThan(0);
    expect(fitZoom({ width: 10, height: 10 }, { width: 0, height: 0 }, 1)).toBe(1);
  });
});

describe("limits", () => {
  it("holds every way of zooming within them", () => {
    fc.assert(
      fc.property(fits, zooms, fc.constantFrom(1 as const, -1 as const), (fit, zoom, direction) => {
        const limits = zoomLimits(fit);
        const reached = [
          steppedZoom(zoom, direction, fit),
          toggledZoom(zoom, fit),
          limitZoom(zoom === "fit" ? fit : zoom, fit),
        ];
        for (const next of reached) {
          const value = next === "fit" ? fit : next;
          expect(value).toBeGreaterThanOrEqual(limits.farthest * 0.999);
          expect(value).toBeLessThanOrEqual(limits.closest * 1.001);
        }
      }),
      { seed },
    );
  });

  it("always reaches actual pixels", () => {
    fc.assert(
      fc.property(fits, (fit) => {
        const actual = limitZoom(1, fit);
        expect(actual === "fit" ? fit : actual).toBeCloseTo(1, 2);
      }),
      { seed },
    );
  });
});

describe("steps", () => {
  it("stop at the fitting size and at actual pixels on their way, in both directions", () => {
    expect(steppedZoom(0.8, 1, 0.4)).toBe(1);
    expect(steppedZoom(1.2, -1, 0.4)).toBe(1);
    expect(steppedZoom(0.5, -1, 0.4)).toBe("fit");
    expect(steppedZoom(1, 1, 0.4)).toBeCloseTo(Math.SQRT2);
  });

  it("come back to where they began", () => {
    expect(steppedZoom(steppedZoom("fit", 1, 0.2), -1, 0.2)).toBe("fit");
  });

  it("end: no press goes on for ever", () => {
    let zoom: Zoom = "fit";
    for (let press = 0; press < 60; press += 1) zoom = steppedZoom(zoom, 1, 0.5);
    expect(zoom).toBe(zoomLimits(0.5).closest);
  });
});

describe("a double click", () => {
  it("goes to actual pixels and back", () => {
    expect(toggledZoom("fit", 0.4)).toBe(1);
    expect(toggledZoom(1, 0.4)).toBe("fit");
    expect(toggledZoom(5, 0.4)).toBe("fit");
  });

  it("still does something where actual pixels just fit", () => {
    expect(toggledZoom("fit", 1)).toBe(2);
  });
});

describe("the wheel", () => {
  it("goes back by the way it came, and no jolt is larger than one factor of e", () => {
    expect(wheelFactor(30) * wheelFactor(-30)).toBeCloseTo(1);
    expect(wheelFactor(-5000)).toBeCloseTo(Math.E);
    expect(wheelFactor(-10)).toBeGreaterThan(1);
  });
});

describe("scrolling to a place", () => {
  it("keeps the pixel under the pointer under the pointer", () => {
    const axis = { box: 400, size: 2000, padding: 16 };
    const scroll = scrollFor({ ...axis, fraction: 0.5, at: 100 });
    expect(axis.padding + 0.5 * axis.size - scroll).toBe(100);
  });

  it("does not move what is smaller than the window", () => {
    expect(scrollFor({ box: 400, size: 100, padding: 0, fraction: 0.5, at: 200 })).toBe(0);
  });
});
