import fc from "fast-check";
import { expect, test } from "vitest";
import { loopPhases, passages } from "./timeline.ts";

// The same values in every run, so that a red build is red again.
fc.configureGlobal({ seed: 20_260_301 });

const clips = fc.record({
  frames: fc.integer({ min: 12, max: 40 }).map((steps) => 1 + steps * 4),
  fps: fc.constantFrom(8, 16, 24),
});

test("a clip has exactly its frames, starts at its still and closes its loop", () => {
  fc.assert(
    fc.property(clips, ({ frames, fps }) => {
      const phases = loopPhases(frames, fps, null);
      expect(phases).toHaveLength(frames);
      expect(phases[0]).toBe(0);
      expect(phases.at(-1)).toBe(15);
      phases.forEach((phase, frame) => {
        const step = (phase - (phases[frame - 1] ?? 0) + 16) % 16;
        expect(step).toBeLessThanOrEqual(1 + Math.ceil(16 / (2 * fps)));
      });
      expect(new Set(phases).size).toBe(16);
    }),
  );
});

test("strength makes a clip from a picture livelier", () => {
  const changes = (strength: number) => {
    const phases = loopPhases(81, 16, strength);
    return phases.filter((phase, frame) => frame > 0 && phase !== phases[frame - 1]).length;
  };
  const counts = [0.05, 0.3, 0.7, 1].map(changes);
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  expect(counts[0]).toBeLessThan(5);
  expect(counts[3]).toBeGreaterThan(counts[1] ?? 0);
});

const keyframed = clips.chain(({ frames, fps }) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: frames - 1 }), { minLength: 2, maxLength: 16 })
    .map((places) => ({ frames, fps, places: places.toSorted((a, b) => a - b) })),
);

test("every keyframe is shown at its own frame, as it is", () => {
  fc.assert(
    fc.property(keyframed, ({ frames, fps, places }) => {
      const { drawings, order } = passages(frames, fps, places);
      expect(order).toHaveLength(frames);
      places.forEach((place, keyframe) => {
        expect(drawings[order[place] ?? -1]).toEqual({ from: { keyframe, phase: 0 }, to: null, share: 0 });
      });
      for (const { from, to, share } of drawings) {
        expect(from.phase).toBeGreaterThanOrEqual(0);
        expect(from.phase).toBeLessThan(16);
        if (to) expect([to.keyframe, share > 0 && share < 1]).toEqual([from.keyframe + 1, true]);
      }
      expect(new Set(order).size).toBe(drawings.length);
    }),
  );
});

test("before the first and after the last keyframe their own loops run", () => {
  const { drawings, order } = passages(81, 16, [20, 50]);
  const early = order.slice(0, 20).map((number) => drawings[number]);
  const late = order.slice(50).map((number) => drawings[number]);
  expect(early.every((drawing) => drawing?.from.keyframe === 0 && drawing.to === null)).toBe(true);
  expect(late.every((drawing) => drawing?.from.keyframe === 1 && drawing.to === null)).toBe(true);
  expect(new Set(early.map((drawing) => drawing?.from.phase)).size).toBeGreaterThan(5);
  expect(new Set(late.map((drawing) => drawing?.from.phase)).size).toBeGreaterThan(5);
});

test("a long passage turns in a few drawings, not all the way", () => {
  const { drawings } = passages(161, 16, [0, 160]);
  expect(drawings.filter(({ to }) => to !== null).length).toBeLessThanOrEqual(8);
  expect(drawings.filter(({ to }) => to !== null).length).toBeGreaterThanOrEqual(5);
});
