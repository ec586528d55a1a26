import { describe, expect, test } from "vitest";
import { studioModels } from "../../../../testing/offered-models.ts";
import { drawSeed, neighbouringSeeds } from "./seeds.ts";
import { apartPlaces, rulerSeconds } from "./track.ts";

describe("the track", () => {
  test("draws what stands apart where it stands", () => {
    expect(apartPlaces([0, 0.5, 1], 300)).toEqual([0, 0.5, 1]);
  });

  test("keeps neighbours four pixels apart and all of them on the track, in their order", () => {
    const width = 300;
    for (const places of [[1, 0.999, 0.998], [0, 0, 0, 0], [0.5, 0.501, 0.4995], Array.from({ length: 16 }, () => 1)]) {
      const drawn = apartPlaces(places, width);
      const sorted = drawn.toSorted((a, b) => a - b);
      expect(sorted[0]).toBeGreaterThanOrEqual(-1e-9);
      expect(sorted.at(-1)).toBeLessThanOrEqual(1 + 1e-9);
      for (let index = 1; index < sorted.length; index += 1)
        expect(((sorted[index] ?? 0) - (sorted[index - 1] ?? 0)) * width).toBeGreaterThanOrEqual(4 - 1e-6);
      const order = (list: readonly number[]) =>
        list.map((_, i) => i).toSorted((a, b) => (list[a] ?? 0) - (list[b] ?? 0));
      expect(order(drawn)).toEqual(order(places));
    }
  });

  test("counts in whole seconds, never more of them than can be read", () => {
    expect(rulerSeconds(5)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(rulerSeconds(3.4)).toEqual([0, 1, 2, 3]);
    expect(rulerSeconds(20)).toEqual([0, 5, 10, 15, 20]);
    for (let length = 0.5; length < 100; length += 0.5) expect(rulerSeconds(length).length).toBeLessThan(9);
  });
});

describe("neighbouring seeds", () => {
  const seed = studioModels[0]?.parameters.find(({ control }) => control === "seed");
  if (seed === undefined) throw new Error("no seed");
  const highest = seed.max ?? 0;

  test("go on behind the highest with the lowest", () => {
    expect(neighbouringSeeds(seed, 7, 3)).toEqual([7, 8, 9]);
    expect(neighbouringSeeds(seed, highest, 3)).toEqual([highest, 0, 1]);
  });

  test("of a drawn seed all exist", () => {
    for (let run = 0; run < 200; run += 1) {
      const [first = -1, ...rest] = neighbouringSeeds(seed, seed.random_value ?? -1, 8);
      expect(rest).toEqual(rest.map((_, index) => first + index + 1));
      expect(first).toBeGreaterThanOrEqual(0);
      expect(drawSeed(seed)).toBeLessThanOrEqual(highest);
    }
  });
});
