import { deflateSync } from "node:zlib";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { animatedWebp, flatPng, manyFrames, picture, pngChunk } from "../testing/pictures.ts";
import { inspectImage, largestImageBytes, recogniseImage } from "./inspect-image.ts";

const formats = ["png", "jpeg", "webp"] as const;

async function refusal(bytes: Uint8Array, declared: string | null = null): Promise<string> {
  const error = await inspectImage(bytes, declared).then(
    () => new Error("was accepted"),
    (thrown: unknown) => thrown as Error & { code?: string },
  );
  expect(error).toMatchObject({ code: "invalid_image" });
  return error.message;
}

describe("inspectImage", () => {
  test.each(formats)("accepts a whole %s, declared rightly or not at all", async (format) => {
    const bytes = await picture(format);
    const expected = { type: `image/${format}`, width: 96, height: 64 };
    for (const declared of [
      null,
      "application/octet-stream",
      `image/${format}`,
      `IMAGE/${format.toUpperCase()}; q=1`,
    ]) {
      expect(await inspectImage(bytes, declared)).toEqual(expected);
    }
  });

  test.each(formats)("refuses a %s under another name", async (format) => {
    const bytes = await picture(format);
    for (const other of [
      ...formats.filter((name) => name !== format).map((name) => `image/${name}`),
      "image/gif",
      "text/plain",
    ]) {
      expect(await refusal(bytes, other)).toContain(`image/${format}`);
    }
  });

  test.each(formats)("refuses a %s that is cut short anywhere", async (format) => {
    const bytes = await picture(format);
    for (const share of [0.02, 0.3, 0.6, 0.9, 0.99]) await refusal(bytes.subarray(0, Math.floor(bytes.length * share)));
  });

  test("refuses damage in the pixel data of a PNG and of a JPEG's head", async () => {
    const png = await picture("png");
    png.fill(0, Math.floor(png.length / 2), Math.floor(png.length / 2) + 40);
    await refusal(png);
    const jpeg = await picture("jpeg");
    jpeg.fill(0, 2, 400);
    await refusal(jpeg);
  });

  test("refuses what is no picture: text, svg, gif, nothing, a magic number alone", async () => {
    const gif = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
      .gif()
      .toBuffer();
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><image href="file:///etc/passwd"/></svg>';
    for (const bytes of [
      Buffer.from("hello"),
      Buffer.from(svg),
      gif,
      Buffer.alloc(0),
      Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    ]) {
      await refusal(bytes);
    }
  });

  test("refuses moving pictures", async () => {
    expect(await refusal(await animatedWebp())).toMatch(/animated/i);
    expect(await refusal(flatPng(8, 8, [pngChunk("acTL", Buffer.alloc(8))]))).toMatch(/animated/i);
  });

  test("64 megapixels pass, one row more does not, and a bomb is refused without being decoded", async () => {
    expect(await inspectImage(flatPng(8000, 8000), "image/png")).toMatchObject({ width: 8000, height: 8000 });
    expect(await refusal(flatPng(8000, 8001))).toContain("64 megapixels");
    const bomb = flatPng(8000, 8000);
    // The same small file claims 100,000 × 100,000 pixels.
    const claimed = Buffer.alloc(13);
    bomb.copy(claimed, 0, 16, 29);
    claimed.writeUInt32BE(100_000, 0);
    claimed.writeUInt32BE(100_000, 4);
    const bytes = Buffer.concat([bomb.subarray(0, 8), pngChunk("IHDR", claimed), bomb.subarray(33)]);
    const before = process.memoryUsage().rss;
    expect(await refusal(bytes)).toContain("64 megapixels");
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("every known bomb is refused, or read, in little time and memory", async () => {
    const before = process.memoryUsage().rss;
    const began = performance.now();
    // A PNG, a JPEG and a WebP whose heads claim as many pixels as their formats can.
    const png = Buffer.from(flatPng(64, 64));
    const head = Buffer.alloc(13);
    png.copy(head, 0, 16, 29);
    head.writeUInt32BE(65_535, 0);
    head.writeUInt32BE(65_535, 4);
    const claimed = Buffer.concat([png.subarray(0, 8), pngChunk("IHDR", head), png.subarray(33)]);
    expect(await refusal(claimed)).toContain("64 megapixels");
    const jpeg = await picture("jpeg");
    const frame = jpeg.indexOf(Buffer.from([0xff, 0xc0]));
    jpeg.writeUInt16BE(60_000, frame + 5);
    jpeg.writeUInt16BE(60_000, frame + 7);
    expect(await refusal(jpeg)).toContain("64 megapixels");
    const frames = await manyFrames(3000);
    expect(frames.length).toBeLessThan(300_000);
    expect(await refusal(frames)).toMatch(/animated/i);
    // 128 megabytes of text and of a colour profile, packed into an eighth of one each.
    const packed = deflateSync(Buffer.alloc(128 * 1024 * 1024), { level: 9 });
    const note = Buffer.concat([Buffer.from("Comment\0\0", "latin1"), packed]);
    const profile = Buffer.concat([Buffer.from("icc\0\0", "latin1"), packed]);
    for (const extra of [pngChunk("zTXt", note), pngChunk("iCCP", profile)]) {
      await inspectImage(flatPng(64, 64, [extra]), null).catch((error: unknown) =>
        expect(error).toMatchObject({ code: "invalid_image" }),
      );
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(800 * 1024 * 1024);
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  test("20 MB pass, one byte more does not", async () => {
    const bare = flatPng(64, 64);
    const filler = (bytes: number) => pngChunk("prVt", Buffer.alloc(bytes));
    const fitting = flatPng(64, 64, [filler(largestImageBytes - bare.length - 12)]);
    expect(fitting).toHaveLength(largestImageBytes);
    expect(await inspectImage(fitting, null)).toMatchObject({ width: 64 });
    expect(await refusal(Buffer.concat([fitting, Buffer.alloc(1)]))).toContain("20 MB");
  });

  test("tells the size as people see it: a photo that lies on its side is turned", async () => {
    const sideways = await sharp(await picture("jpeg"))
      .withExif({})
      .withMetadata({ orientation: 6 })
      .toBuffer();
    expect(await inspectImage(sideways, "image/jpeg")).toEqual({ type: "image/jpeg", width: 64, height: 96 });
  });
});

test("recogniseImage goes by the first bytes only", async () => {
  for (const format of formats) expect(recogniseImage(await picture(format))).toBe(`image/${format}`);
  expect(recogniseImage(Buffer.from("RIFF____WAVE"))).toBeNull();
  expect(recogniseImage(Buffer.alloc(3))).toBeNull();
});
