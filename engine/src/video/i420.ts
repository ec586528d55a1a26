// Colour for video: BT.709, limited range, chroma at half the resolution. Done here rather than left to an encoder,
// since encoders guess the matrix and tag it wrongly.

import type { Layout, Run } from "../picture/frame.ts";
import type { Palette, PixelPicture } from "../picture/palette.ts";

const RED = 0.2126;
const GREEN = 0.7152;
const BLUE = 0.0722;

/** Luma 16 to 235 and the two chroma values 16 to 240, not yet rounded. */
export function toYuv(red: number, green: number, blue: number): [number, number, number] {
  const luma = RED * red + GREEN * green + BLUE * blue;
  const cb = (blue - luma) / (2 * (1 - BLUE));
  const cr = (red - luma) / (2 * (1 - RED));
  return [16 + (219 * luma) / 255, 128 + (224 * cb) / 255, 128 + (224 * cr) / 255];
}

/** One frame of planar I420 from an enlarged pixel picture; the layout's sides must be even. */
export function pictureToI420(picture: PixelPicture, layout: Layout, palette: Palette): Uint8Array {
  const { width, height } = layout;
  const [y, u, v] = paletteYuv(palette);
  const columns = sourceOf(layout.columns);
  const rows = sourceOf(layout.rows).map((row) => row * picture.width);
  const frame = new Uint8Array((width * height * 3) / 2);
  fillPlane(frame, 0, width, height, rows, (row) => {
    const line = new Uint8Array(width);
    for (let x = 0; x < width; x++) line[x] = y[picture.pixels[row + (columns[x] ?? 0)] ?? 0] ?? 0;
    return line;
  });
  const half = width / 2;
  const pairs = Array.from(
    { length: height / 2 },
    (_, pair) => [rows[pair * 2] ?? 0, rows[pair * 2 + 1] ?? 0] as const,
  );
  let offset = width * height;
  for (const plane of [u, v]) {
    let known: { pair: readonly [number, number]; line: Uint8Array } | undefined;
    for (const pair of pairs) {
      if (known?.pair[0] !== pair[0] || known.pair[1] !== pair[1]) {
        known = { pair, line: chromaLine(picture, plane, columns, pair, half) };
      }
      frame.set(known.line, offset);
      offset += half;
    }
  }
  return frame;
}

/** One frame of planar I420 from full-size RGB bytes; both sides must be even. */
export function rgbToI420(rgb: Uint8Array, width: number, height: number): Uint8Array {
  const frame = new Uint8Array((width * height * 3) / 2);
  const chroma = (width * height) / 4;
  const sums = new Float32Array(chroma * 2);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const [y, u, v] = toYuv(rgb[pixel * 3] ?? 0, rgb[pixel * 3 + 1] ?? 0, rgb[pixel * 3 + 2] ?? 0);
    frame[pixel] = Math.round(y);
    const place = (Math.floor(pixel / width) >> 1) * (width / 2) + ((pixel % width) >> 1);
    sums[place] = (sums[place] ?? 0) + u / 4;
    sums[chroma + place] = (sums[chroma + place] ?? 0) + v / 4;
  }
  sums.forEach((value, place) => (frame[width * height + place] = Math.round(value)));
  return frame;
}

function paletteYuv(palette: Palette): [Uint8Array, Float32Array, Float32Array] {
  const planes: [Uint8Array, Float32Array, Float32Array] = [
    new Uint8Array(palette.size),
    new Float32Array(palette.size),
    new Float32Array(palette.size),
  ];
  for (let colour = 0; colour < palette.size; colour++) {
    const [red = 0, green = 0, blue = 0] = palette.rgb.subarray(colour * 3, colour * 3 + 3);
    const [y, u, v] = toYuv(red, green, blue);
    planes[0][colour] = Math.round(y);
    planes[1][colour] = u;
    planes[2][colour] = v;
  }
  return planes;
}

/** Source pixel of each output pixel along one side. */
function sourceOf(runs: readonly Run[]): number[] {
  return runs.flatMap(({ source, length }) => Array.from({ length }, () => source));
}

function fillPlane(
  frame: Uint8Array,
  offset: number,
  width: number,
  height: number,
  rows: readonly number[],
  line: (row: number) => Uint8Array,
): void {
  for (let y = 0; y < height; y++) {
    const at = offset + y * width;
    if (y > 0 && rows[y] === rows[y - 1]) frame.copyWithin(at, at - width, at);
    else frame.set(line(rows[y] ?? 0), at);
  }
}

/** Mean of the four output pixels under each chroma sample. */
function chromaLine(
  picture: PixelPicture,
  plane: Float32Array,
  columns: readonly number[],
  [upper, lower]: readonly [number, number],
  half: number,
): Uint8Array {
  const line = new Uint8Array(half);
  const value = (row: number, column: number) => plane[picture.pixels[row + column] ?? 0] ?? 0;
  for (let x = 0; x < half; x++) {
    const left = columns[x * 2] ?? 0;
    const right = columns[x * 2 + 1] ?? 0;
    const sum = value(upper, left) + value(upper, right) + value(lower, left) + value(lower, right);
    line[x] = Math.round(sum / 4);
  }
  return line;
}
