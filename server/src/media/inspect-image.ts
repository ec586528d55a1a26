import { SafelightError } from "../errors.ts";
import { createTurnstile } from "./turnstile.ts";

export type ImageType = "image/png" | "image/jpeg" | "image/webp";

export interface InspectedImage {
  readonly type: ImageType;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** 20 MB, counted as 20 × 1024 × 1024 bytes of the encoded file. */
export const largestImageBytes = 20 * 1024 * 1024;
/** 64 megapixels; a file that promises more is refused from its header, before anything is decoded. */
export const largestImagePixels = 64_000_000;

/** Seconds. A large photo takes three; a JPEG may be made of thousands of layers that add up to minutes. */
const longestDecoding = 60;

// A decoded 64 megapixel picture can take a quarter of a gigabyte: one at a time keeps the server small.
const decodeTurnstile = createTurnstile(1);

/**
 * Decides whether the bytes are one whole still picture of the type that was promised, by decoding every pixel once.
 * `declared` is the content type the sender gave; null or application/octet-stream promise nothing.
 * Throws `invalid_image` with a text for the sender.
 */
export async function inspectImage(bytes: Uint8Array, declared: string | null): Promise<InspectedImage> {
  if (bytes.byteLength > largestImageBytes) refuse("The image is larger than 20 MB.");
  const type = recogniseImage(bytes);
  if (type === null) refuse("The file is not a PNG, JPEG or WebP image.");
  const promised = declared?.split(";")[0]?.trim().toLowerCase();
  if (promised && promised !== "application/octet-stream" && promised !== type) {
    refuse(`The file says it is ${printable(promised)}, but it is ${type}.`);
  }
  if (type === "image/png" && hasAnimationChunk(bytes)) refuse("Animated images are not accepted; send a still one.");
  return decodeTurnstile.pass(() => decode(bytes, type));
}

/** The type by the file's first bytes, whatever it is called; null for anything that is not PNG, JPEG or WebP. */
export function recogniseImage(bytes: Uint8Array): ImageType | null {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, 16)).toString("latin1");
  if (head.startsWith("\x89PNG\r\n\x1a\n")) return "image/png";
  if (head.startsWith("\xff\xd8\xff")) return "image/jpeg";
  if (head.startsWith("RIFF") && head.slice(8, 12) === "WEBP") return "image/webp";
  return null;
}

async function decode(bytes: Uint8Array, type: ImageType): Promise<InspectedImage> {
  // Loaded on first use: it costs a tenth of a second and 25 MB, which a server that only answers text never needs.
  const { default: sharp } = await import("sharp");
  const image = sharp(bytes, { failOn: "error", limitInputPixels: false, sequentialRead: true });
  const { width, height, pages, format } = await image.metadata().catch(() => refuse("The image cannot be read."));
  if (`image/${format}` !== type) refuse("The image cannot be read.");
  if (width * height > largestImagePixels) refuse("The image has more than 64 megapixels.");
  if ((pages ?? 1) > 1) refuse("Animated images are not accepted; send a still one.");
  // Shrinking while reading streams the picture through and keeps little of it, yet every row has to decode.
  await image
    .resize(16, 16, { fit: "fill", fastShrinkOnLoad: false })
    .timeout({ seconds: longestDecoding })
    .raw()
    .toBuffer()
    .catch(() => refuse("The image is broken or incomplete."));
  // Cameras store a turned picture with a note; what people see is what counts.
  const { autoOrient } = await image.metadata();
  return { type, width: autoOrient.width, height: autoOrient.height };
}

/** An animated PNG announces itself by an acTL chunk before its first picture data; libpng would show the first frame only. */
function hasAnimationChunk(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 8; offset + 12 <= bytes.byteLength; ) {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset + offset + 4, 4).toString("latin1");
    if (name === "acTL") return true;
    if (name === "IDAT") return false;
    offset += 12 + view.getUint32(offset);
  }
  return false;
}

function printable(text: string): string {
  return text.replaceAll(/[^\w/.+-]/g, "").slice(0, 60);
}

function refuse(detail: string): never {
  throw new SafelightError("invalid_image", detail);
}
