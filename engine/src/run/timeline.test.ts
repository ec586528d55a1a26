import fc from "fast-check";
import { expect, test } from "vitest";
import { drawingsThrough, loopPhases } from "./timeline.ts";

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
      const { drawings, order } = drawingsThrough(frames, fps, places);
      expect(order).toHaveLength(frames);
      places.forEach((place, keyframe) => {
        expect(drawings[order[place] ?? -1]).toEqual({ kind: "still", keyframe, phase: 0 });
      });
      for (const { kind, keyframe, phase } of drawings) {
        expect(phase).toBeGreaterThanOrEqual(kind === "onward" ? 1 : 0);
        expect(phase).toBeLessThan(16);
        expect(keyframe).toBeLessThan(places.length - (kind === "onward" ? 1 : 0));
      }
      expect(new Set(order).size).toBe(drawings.length);
    }),
  );
});

test("between two keyframes the way is gone in order, and all of it", () => {
  fc.assert(
    fc.property(keyframed, ({ frames, fps, places }) => {
      const { drawings, order } = drawingsThrough(frames, fps, places);
      places.slice(1).forEach((end, keyframe) => {
        const start = places[keyframe] ?? 0;
        const shown = order.slice(start, end).map((number) => drawings[number]);
        const kinds = shown.map((drawing) => `${drawing?.kind} ${drawing?.keyframe}`);
        const way = shown.filter((drawing) => drawing?.kind === "onward").map((drawing) => drawing?.phase ?? 0);
        expect(way).toEqual(way.toSorted((a, b) => a - b));
        if (end - start >= 16) expect(new Set(way).size).toBe(15);
        // One piece: loops of the one before it, loops of the other after it.
        expect(kinds.lastIndexOf(`onward ${keyframe}`) - kinds.indexOf(`onward ${keyframe}`) + 1).toBe(
          Math.max(1, way.length),
        );
        expect(kinds.slice(0, kinds.indexOf(`onward ${keyframe}`)).join()).not.toContain(`${keyframe + 1}`);
      });
    }),
  );
});

test("a jump between two drawings of one clip is never longer than the pace asks for", () => {
  const { drawings, order } = drawingsThrough(161, 16, [0, 160]);
  const shown = order.map((number) => drawings[number]);
  // A loop of the first, two rounds of the way, a loop of the last.
  expect(new Set(shown.map((drawing) => `${drawing?.kind} ${drawing?.keyframe}`))).toEqual(
    new Set(["still 0", "loop 0", "onward 0", "loop 1", "still 1"]),
  );
  const places = shown.map((drawing) => (drawing?.kind === "still" ? 0 : (drawing?.phase ?? 0)));
  places.forEach((place, frame) => {
    expect((place - (places[frame - 1] ?? 0) + 16) % 16, `frame ${frame}`).toBeLessThanOrEqual(1);
  });
});

test("before the first and after the last keyframe their own loops run", () => {
  const { drawings, order } = drawingsThrough(121, 16, [20, 50]);
  const early = order.slice(0, 20).map((number) => drawings[number]);
  const late = order.slice(50).map((number) => drawings[number]);
  expect(early.every((drawing) => drawing?.keyframe === 0 && drawing.kind === "loop")).toBe(true);
  expect(late.every((drawing) => drawing?.keyframe === 1 && drawing.kind !== "onward")).toBe(true);
  expect(new Set(early.map((drawing) => drawing?.phase)).size).toBeGreaterThan(5);
  // The given picture opens the loop; when it comes round, its start is drawn in the style of the others.
  expect(late[0]?.kind).toBe("still");
  expect(late.some((drawing) => drawing?.kind === "loop" && drawing.phase === 0)).toBe(true);
});
