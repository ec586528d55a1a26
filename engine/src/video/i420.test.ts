import { expect, test } from "vitest";
import { enlargeToRgb } from "../picture/enlarge.ts";
import { chooseFrame, layoutOf } from "../picture/frame.ts";
import { loadPalette } from "../picture/palette.ts";
import { bundledModel } from "../vocabulary/vocabulary.ts";
import { pictureToI420, rgbToI420, toYuv } from "./i420.ts";

const palette = loadPalette(bundledModel);

/** BT.709, limited range, the way a player does it. */
function toRgb(y: number, u: number, v: number): number[] {
  const luma = (y - 16) * (255 / 219);
  const red = luma + 1.5748 * (v - 128) * (255 / 224);
  const blue = luma + 1.8556 * (u - 128) * (255 / 224);
  return [red, (luma - 0.2126 * red - 0.0722 * blue) / 0.7152, blue].map(Math.round);
}

test.each([
  ["black", [0, 0, 0], [16, 128, 128]],
  ["white", [255, 255, 255], [235, 128, 128]],
  ["red", [255, 0, 0], [63, 102, 240]],
  ["green", [0, 255, 0], [173, 42, 26]],
  ["blue", [0, 0, 255], [32, 240, 118]],
] as const)("%s has the numbers of BT.709 in limited range", (_name, [red, green, blue], expected) => {
  expect(toYuv(red, green, blue).map(Math.round)).toEqual(expected);
});

test("every colour of the palette comes back within 2 of 255", () => {
  for (let colour = 0; colour < palette.size; colour++) {
    const [red = 0, green = 0, blue = 0] = palette.rgb.subarray(colour * 3, colour * 3 + 3);
    const [y, u, v] = toYuv(red, green, blue).map(Math.round);
    const back = toRgb(y ?? 0, u ?? 0, v ?? 0);
    [red, green, blue].forEach((value, channel) => {
      expect(Math.abs(value - (back[channel] ?? 0)), `colour ${colour}`).toBeLessThanOrEqual(2);
    });
  }
});

test.each([
  [1024, 1024],
  [1040, 640],
  [1152, 720],
])("pixels of %i×%i become the same planes by both ways", (width, height) => {
  const frame = chooseFrame(width, height);
  const layout = layoutOf(frame);
  const pixels = Uint8Array.from({ length: frame.grid.width * frame.grid.height }, (_, index) => (index * 31) % 96);
  const picture = { ...frame.grid, pixels };
  const direct = pictureToI420(picture, layout, palette);
  const full = rgbToI420(enlargeToRgb(picture, layout, palette), width, height);
  expect(direct.length).toBe((width * height * 3) / 2);
  let largest = 0;
  direct.forEach((value, index) => {
    largest = Math.max(largest, Math.abs(value - (full[index] ?? 0)));
  });
  // Sums in another order may round the other way.
  expect(largest).toBeLessThanOrEqual(1);
});
