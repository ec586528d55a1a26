import { expect, test } from "vitest";
import { bundledModel, loadVocabulary } from "../vocabulary/vocabulary.ts";
import { chooseFrame, layoutOf, visibleGrid } from "./frame.ts";

const sizes = Array.from({ length: 49 }, (_, index) => 512 + index * 16);

test("every size from 512 to 1280 is filled exactly by whole blocks of one size", () => {
  for (const width of sizes) {
    for (const height of sizes) {
      const frame = chooseFrame(width, height);
      const layout = layoutOf(frame);
      const name = `${width}×${height}`;
      expect(Number.isInteger(frame.scale) && frame.scale >= 8, name).toBe(true);
      expect([layout.width, layout.height], name).toEqual([width, height]);
      for (const [runs, length, most] of [
        [layout.columns, width, frame.grid.width],
        [layout.rows, height, frame.grid.height],
      ] as const) {
        expect(
          runs.reduce((sum, run) => sum + run.length, 0),
          name,
        ).toBe(length);
        expect(
          runs.slice(0, -1).every((run) => run.length === frame.scale),
          name,
        ).toBe(true);
        expect(runs.at(-1)?.source, name).toBeLessThan(most);
        expect(runs[0]?.source, name).toBeGreaterThanOrEqual(0);
      }
    }
  }
});

test("no size loses more than a sixth of a side or a fifth of the picture", () => {
  for (const width of sizes) {
    for (const height of sizes) {
      const { grid, scale } = chooseFrame(width, height);
      const across = width / scale / grid.width;
      const down = height / scale / grid.height;
      expect(Math.min(across, down), `${width}×${height}`).toBeGreaterThan(5 / 6);
      expect(across * down, `${width}×${height}`).toBeGreaterThan(0.79);
    }
  }
});

test.each([
  [1024, 1024, 64, 64, 16],
  [512, 512, 64, 64, 8],
  [896, 896, 64, 64, 14],
  [720, 1280, 48, 80, 16],
  [1280, 720, 80, 48, 16],
  [896, 1120, 64, 80, 14],
  [1152, 720, 80, 48, 15],
  [512, 1280, 32, 80, 16],
  [1280, 512, 120, 48, 11],
])("%i×%i is drawn on %i×%i in blocks of %i", (width, height, columns, rows, scale) => {
  expect(chooseFrame(width, height)).toMatchObject({ grid: { width: columns, height: rows }, scale });
});

test("previews show the same part of the picture", () => {
  const frame = chooseFrame(720, 1280);
  const small = layoutOf(frame, 4);
  expect([small.width, small.height]).toEqual([180, 320]);
  expect(small.columns.map((run) => run.source)).toEqual(layoutOf(frame).columns.map((run) => run.source));
  expect(visibleGrid(frame)).toEqual({ width: 45, height: 80 });
});

test("square, 9:16 and 16:9 pictures are drawn in the shapes that the model was trained on", () => {
  const trained = loadVocabulary(bundledModel).shapes;
  const chosen = [
    [1024, 1024],
    [720, 1280],
    [1280, 720],
  ].map(([width = 0, height = 0]) => chooseFrame(width, height).grid);
  expect(chosen.map(({ width, height }) => [width, height])).toEqual(trained);
});
