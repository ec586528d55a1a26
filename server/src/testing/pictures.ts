import { crc32, deflateSync } from "node:zlib";
import sharp from "sharp";

export type PictureFormat = "png" | "jpeg" | "webp";

/** A picture with enough noise that its pixel data is most of the file. */
export function picture(
  format: PictureFormat,
  size: { width: number; height: number } = { width: 96, height: 64 },
): Promise<Buffer> {
  const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
  return sharp({ create: { ...size, channels: 3, background: "#336699", noise } })
    .toFormat(format)
    .toBuffer();
}

export function dataUri(bytes: Uint8Array, format: PictureFormat): string {
  return `data:image/${format};base64,${Buffer.from(bytes).toString("base64")}`;
}

/** A valid PNG of one flat grey, written by hand, so that it may be as large in pixels and as small in bytes as one likes. */
export function flatPng(width: number, height: number, extra: readonly Buffer[] = []): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 0, 0, 0, 0], 8);
  const data = deflateSync(Buffer.alloc((width + 1) * height), { level: 9 });
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    pngChunk("IHDR", head),
    ...extra,
    pngChunk("IDAT", data),
    pngChunk("IEND", Buffer.alloc(0)),
  ]);
}

export function pngChunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, "latin1"), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** A WebP with several frames. */
export async function animatedWebp(): Promise<Buffer> {
  const frames = await Promise.all(["red", "lime", "blue"].map((background) => flatFrame(background)));
  return sharp(Buffer.concat(frames), { raw: { width: 32, height: 96, channels: 3, pageHeight: 32 } })
    .webp({ loop: 0, delay: [100, 100, 100] })
    .toBuffer();
}

/** A WebP whose one frame is said to follow itself so many times, which takes few bytes. */
export async function manyFrames(count: number): Promise<Buffer> {
  const moving = await animatedWebp();
  const first = moving.indexOf("ANMF");
  const length = 8 + moving.readUInt32LE(first + 4) + (moving.readUInt32LE(first + 4) % 2);
  const frame = moving.subarray(first, first + length);
  const bytes = Buffer.concat([moving.subarray(0, first), ...Array.from({ length: count }, () => frame)]);
  bytes.writeUInt32LE(bytes.length - 8, 4);
  return bytes;
}

function flatFrame(background: string): Promise<Buffer> {
  return sharp({ create: { width: 32, height: 32, channels: 3, background } })
    .raw()
    .toBuffer();
}
