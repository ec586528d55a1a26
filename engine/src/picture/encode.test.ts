import sharp from "sharp";
import { expect, test } from "vitest";
import { seededRandom } from "../noise/noise.ts";
import { bundledModel } from "../vocabulary/vocabulary.ts";
import { enlargeToRgb } from "./enlarge.ts";
import { chooseFrame, type Frame, layoutOf } from "./frame.ts";
import { encodeAnimatedWebp, encodeWebp } from "./lossless-webp.ts";
import { loadPalette, makePalette, type PixelPicture, toPixelPictures } from "./palette.ts";
import { encodePalettePng } from "./palette-png.ts";

const palette = loadPalette(bundledModel);

/** Noise with some flat parts: runs, copies and single pixels all occur. */
function picture({ grid }: Frame, seed: number): PixelPicture {
  const random = seededRandom(seed);
  let colour = 0;
  const pixels = Uint8Array.from({ length: grid.width * grid.height }, (_, pixel) => {
    if (random() < (pixel > 600 ? 0.1 : 0.9)) colour = Math.floor(random() * palette.size);
    return colour;
  });
  return { ...grid, pixels };
}

async function decoded(bytes: Uint8Array): Promise<{ rgb: Uint8Array; width: number; height: number }> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { rgb: data, width: info.width, height: info.height };
}

const sizes = [
  [1024, 1024],
  [720, 1280],
  [1040, 640],
  [512, 1280],
  [1280, 512],
  [560, 944],
] as const;

test.each(sizes)("WebP and PNG of %i×%i decode to exactly the enlarged pixels", async (width, height) => {
  const frame = chooseFrame(width, height);
  const layout = layoutOf(frame);
  for (const seed of [1, 2]) {
    const drawn = picture(frame, seed);
    const rgb = enlargeToRgb(drawn, layout, palette);
    for (const bytes of [encodeWebp(drawn, layout, palette), encodePalettePng(drawn, layout, palette)]) {
      const back = await decoded(bytes);
      expect([back.width, back.height, Buffer.compare(back.rgb, rgb)]).toEqual([width, height, 0]);
    }
  }
});

test.each([17, 40, 41, 96, 104, 105, 128, 232])(
  "WebP with %i colours decodes to exactly the enlarged pixels",
  async (count) => {
    const frame = chooseFrame(512, 512);
    const layout = layoutOf(frame);
    const colours = makePalette(Array.from({ length: count }, (_, index) => [index, 255 - index, (index * 37) % 256]));
    const pixels = picture(frame, 5).pixels.map((value, pixel) => (value + pixel) % count);
    const drawn = { ...frame.grid, pixels };
    const { rgb } = await decoded(encodeWebp(drawn, layout, colours));
    expect(Buffer.compare(rgb, enlargeToRgb(drawn, layout, colours))).toBe(0);
  },
);

test("WebP has no code for fewer than 17 colours or more than 232", () => {
  const frame = chooseFrame(512, 512);
  const drawn = { ...frame.grid, pixels: new Uint8Array(frame.grid.width * frame.grid.height) };
  for (const count of [16, 233]) {
    const colours = makePalette(Array.from({ length: count }, (_, index) => [index, 0, 0]));
    expect(() => encodeWebp(drawn, layoutOf(frame), colours)).toThrow("no WebP code");
  }
});

test("a picture of one colour and one of every colour survive", async () => {
  const frame = chooseFrame(512, 512);
  const layout = layoutOf(frame);
  const area = frame.grid.width * frame.grid.height;
  for (const pixels of [
    new Uint8Array(area).fill(palette.size - 1),
    Uint8Array.from({ length: area }, (_, index) => index % palette.size),
  ]) {
    const drawn = { ...frame.grid, pixels };
    const { rgb } = await decoded(encodeWebp(drawn, layout, palette));
    expect(Buffer.compare(rgb, enlargeToRgb(drawn, layout, palette))).toBe(0);
  }
});

test("an animation has every picture, its time and its size", async () => {
  const frame = chooseFrame(720, 1280);
  const layout = layoutOf(frame, 4);
  const drawn = [1, 2, 3].map((seed) => picture(frame, seed));
  const animation = drawn.map((shown, index) => ({ picture: shown, milliseconds: 100 + index }));
  const bytes = encodeAnimatedWebp(animation, layout, palette);
  expect(await sharp(bytes, { animated: true }).metadata()).toMatchObject({
    pages: 3,
    delay: [100, 101, 102],
    width: 180,
    pageHeight: 320,
    loop: 0,
  });
  for (const [page, shown] of drawn.entries()) {
    const { data } = await sharp(bytes, { page }).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(Buffer.compare(data, enlargeToRgb(shown, layout, palette))).toBe(0);
  }
});

test("pictures come back from the decoder's colours", () => {
  const grid = { width: 8, height: 8 };
  const pixels = Uint8Array.from({ length: 64 }, (_, index) => (index * 7) % 96);
  const rgb = enlargeToRgb({ ...grid, pixels }, { width: 8, height: 8, ...oneToOne(8) }, palette);
  expect(toPixelPictures(rgb, grid, palette)).toEqual([{ ...grid, pixels }]);
  expect(palette.nearest(-40, 300, 128)).toBeGreaterThanOrEqual(0);
});

function oneToOne(length: number) {
  const runs = Array.from({ length }, (_, source) => ({ source, length: 1 }));
  return { columns: runs, rows: runs };
}
