import { expect, test } from "vitest";
import { gaussianNoise, seededRandom } from "./noise.ts";

test("a seed gives the same numbers for ever", () => {
  const random = seededRandom(42);
  expect([random(), random(), random()]).toEqual([0.601103752036579, 0.448290559113957, 0.8524657936068252]);
});

test("noise of a seed is the same on every machine", () => {
  expect([...gaussianNoise(2147483647, 4)]).toEqual([
    0.9073976278305054, -1.0986860990524292, 1.9722627401351929, 0.8767989873886108,
  ]);
  expect([...gaussianNoise(0, 2)]).toEqual([1.6264322996139526, 1.0509958267211914]);
});

test("noise is normal: mean 0, variance 1", () => {
  const noise = gaussianNoise(7, 100_000);
  const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
  const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length;
  expect(Math.abs(mean)).toBeLessThan(0.02);
  expect(Math.abs(variance - 1)).toBeLessThan(0.02);
});
