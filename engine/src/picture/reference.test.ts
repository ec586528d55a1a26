import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundledModel } from "../vocabulary/vocabulary.ts";
import { enlargeToRgb } from "./enlarge.ts";
import { chooseFrame, type Frame, layoutOf } from "./frame.ts";
import { loadPalette, type PixelPicture, toPixelPictures } from "./palette.ts";
import { coverOutput, frameReference, readReference } from "./reference.ts";

const palette = loadPalette(bundledModel);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "safelight-reference-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A scene with bands, a block and some single pixels, like those the model draws. */
function scene({ grid }: Frame): PixelPicture {
  const { width, height } = grid;
  const pixels = Uint8Array.from({ length: width * height }, (_, pixel) => {
    const x = pixel % width;
    const y = Math.floor(pixel / width);
    if ((x * 7 + y * 13) % 29 === 0) return (x + y) % 96;
    if (x > width / 3 && x < width / 2 && y > height / 3 && y < (height * 2) / 3) return 13;
    return Math.floor(y / 6) + 20;
  });
  return { width, height, pixels };
}

async function stored(drawn: PixelPicture, frame: Frame, format: "png" | "jpeg" | "webp", name: string) {
  const layout = layoutOf(frame);
  const raw = { raw: { width: layout.width, height: layout.height, channels: 3 as const } };
  const picture = sharp(enlargeToRgb(drawn, layout, palette), raw);
  const options = { quality: 95, chromaSubsampling: "4:4:4" };
  const file = path.join(folder, `${name}.${format}`);
  await (format === "jpeg"
    ? picture.jpeg(options)
    : format === "webp"
      ? picture.webp({ quality: 90 })
      : picture.png()
  ).toFile(file);
  return file;
}

/** Pixels that differ within the part of the grid that the frame shows. */
function differing(actual: PixelPicture | undefined, expected: PixelPicture, frame: Frame): number {
  const layout = layoutOf(frame);
  let count = 0;
  for (const row of layout.rows) {
    for (const column of layout.columns) {
      const at = row.source * expected.width + column.source;
      if (actual?.pixels[at] !== expected.pixels[at]) count++;
    }
  }
  return count;
}

const sizes = [
  [1024, 1024],
  [720, 1280],
  [1280, 720],
  [512, 1280],
  [1040, 640],
  [896, 1120],
  [1280, 512],
  [592, 528],
] as const;

test.each(sizes)("a result of %i×%i fed back comes to the very pixels it was drawn in", async (width, height) => {
  const frame = chooseFrame(width, height);
  const drawn = scene(frame);
  for (const format of ["png", "jpeg", "webp"] as const) {
    const file = await stored(drawn, frame, format, `${width}x${height}`);
    const { rgb, cropped } = await frameReference(await readReference(file), frame, palette);
    const [back] = toPixelPictures(rgb, frame.grid, palette);
    expect(cropped).toBe(0);
    // Lossy files may turn a lone pixel at a cut-off edge.
    expect(differing(back, drawn, frame), format).toBeLessThanOrEqual(format === "png" ? 0 : 12);
  }
});

test("pixel art of another size keeps its pixels: edges continue, whole cells are cropped", async () => {
  const square = chooseFrame(1024, 1024);
  const drawn = scene(square);
  const file = await stored(drawn, square, "png", "square-for-tall");
  const tall = chooseFrame(720, 1280);
  const { rgb, cropped } = await frameReference(await readReference(file), tall, palette);
  const [back] = toPixelPictures(rgb, tall.grid, palette);
  expect(cropped).toBeCloseTo(0.25);
  for (let y = 8; y < 72; y++) {
    for (let x = 0; x < 48; x++) {
      expect(back?.pixels[y * 48 + x]).toBe(drawn.pixels[(y - 8) * 64 + x + 8]);
    }
  }
  expect(back?.pixels[10]).toBe(drawn.pixels[18]);
});

test("a small picture is taken pixel by pixel", async () => {
  const frame = chooseFrame(1024, 1024);
  const drawn = scene(frame);
  const file = path.join(folder, "small.png");
  const small = enlargeToRgb(drawn, layoutOf(frame, 1), palette);
  await sharp(small, { raw: { width: 64, height: 64, channels: 3 } })
    .png()
    .toFile(file);
  const { rgb } = await frameReference(await readReference(file), frame, palette);
  expect(Buffer.compare(rgb, small)).toBe(0);
});

test("anything else is cropped from its middle and averaged", async () => {
  const file = path.join(folder, "gradient.png");
  const gradient = Uint8Array.from({ length: 900 * 600 * 3 }, (_, at) => (Math.floor(at / 3) % 900) / 3.6);
  await sharp(gradient, { raw: { width: 900, height: 600, channels: 3 } })
    .png()
    .toFile(file);
  const frame = chooseFrame(1024, 1024);
  const { rgb, cropped } = await frameReference(await readReference(file), frame, palette);
  expect(cropped).toBeCloseTo(1 / 3, 2);
  const row = Array.from({ length: 64 }, (_, x) => rgb[(32 * 64 + x) * 3] ?? 0);
  expect(row).toEqual(row.toSorted((a, b) => a - b));
  expect(row[0]).toBeGreaterThan(38);
  expect(row[63]).toBeLessThan(212);
});

test("orientation, transparency, grey and 16-bit pictures are read as they look", async () => {
  const file = path.join(folder, "turned.jpg");
  const halves = Uint8Array.from({ length: 64 * 32 }, (_, at) => (at % 64 < 32 ? 0 : 255));
  const grey = sharp(halves, { raw: { width: 64, height: 32, channels: 1 } });
  await grey.clone().withMetadata({ orientation: 6 }).jpeg().toFile(file);
  const turned = await readReference(file);
  expect([turned.width, turned.height]).toEqual([32, 64]);
  expect(turned.rgb[0]).toBeLessThan(20);
  expect(turned.rgb.at(-1)).toBeGreaterThan(235);

  const clear = path.join(folder, "clear.png");
  await sharp({ create: { width: 40, height: 40, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toFile(clear);
  const seen = await readReference(clear);
  expect([...seen.rgb.subarray(0, 3)]).toEqual([128, 128, 128]);

  const deep = path.join(folder, "deep.png");
  await grey.clone().toColourspace("grey16").png().toFile(deep);
  expect((await readReference(deep)).rgb.length).toBe(64 * 32 * 3);
});

test("a reference at output size is handed back unchanged", async () => {
  const frame = chooseFrame(720, 1280);
  const picture = await readReference(await stored(scene(frame), frame, "png", "same-size"));
  const { rgb, cropped } = await coverOutput(picture, 720, 1280);
  expect([cropped, Buffer.compare(rgb, picture.rgb)]).toEqual([0, 0]);
  expect((await coverOutput(picture, 512, 512)).rgb.length).toBe(512 * 512 * 3);
});

test("missing, broken and foreign files are invalid references", async () => {
  const broken = path.join(folder, "broken.png");
  const cut = path.join(folder, "cut.png");
  const frame = chooseFrame(1024, 1024);
  const whole = await sharp(await stored(scene(frame), frame, "png", "whole"))
    .png()
    .toBuffer();
  await writeFile(broken, "not a picture");
  await writeFile(cut, whole.subarray(0, whole.length / 2));
  for (const file of [broken, cut, path.join(folder, "missing.png"), folder]) {
    await expect(readReference(file)).rejects.toMatchObject({
      name: "EngineError",
      code: "invalid_reference",
      message: expect.not.stringContaining(folder),
    });
  }
});
