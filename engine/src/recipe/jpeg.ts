// JPEG files as segments: the recipe is an XMP packet in an APP1 segment.

import { recipeFromXmp, xmpPacket } from "./xmp.ts";

const XMP_HEADER = Buffer.from("http://ns.adobe.com/xap/1.0/\0", "latin1");
const START_OF_SCAN = 0xda;
const APP1 = 0xe1;
const APP13 = 0xed;
const COMMENT = 0xfe;
/** Segments that describe: EXIF and XMP, photo software's notes, comments. Colour profiles (APP2) stay. */
const descriptive = new Set([APP1, APP13, COMMENT]);
/** A segment's length is a 16-bit number that counts itself. */
const LARGEST_SEGMENT = 0xffff - 2;

interface Segment {
  readonly marker: number;
  readonly data: Uint8Array;
  readonly raw: Uint8Array;
}

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** The picture with the recipe; without it when the recipe is larger than a segment can hold. */
export function addJpegRecipe(bytes: Uint8Array, recipe: Readonly<Record<string, unknown>>): Uint8Array {
  const data = Buffer.concat([XMP_HEADER, Buffer.from(xmpPacket(recipe), "utf8")]);
  if (data.length > LARGEST_SEGMENT) return bytes;
  const head = Buffer.from([0xff, APP1, 0, 0]);
  head.writeUInt16BE(data.length + 2, 2);
  return Buffer.concat([bytes.subarray(0, 2), head, data, bytes.subarray(2)]);
}

export function readJpegRecipe(bytes: Uint8Array): Record<string, unknown> | null {
  for (const { marker, data } of parse(bytes).segments) {
    if (marker !== APP1 || !XMP_HEADER.equals(data.subarray(0, XMP_HEADER.length))) continue;
    const recipe = recipeFromXmp(Buffer.from(data.subarray(XMP_HEADER.length)).toString("utf8"));
    if (recipe) return recipe;
  }
  return null;
}

export function stripJpeg(bytes: Uint8Array): Uint8Array {
  const { segments, rest } = parse(bytes);
  const kept = segments.filter(({ marker }) => !descriptive.has(marker)).map(({ raw }) => raw);
  return Buffer.concat([bytes.subarray(0, 2), ...kept, rest]);
}

/** Segments before the picture data, and everything from there on. */
function parse(bytes: Uint8Array): { segments: Segment[]; rest: Uint8Array } {
  const segments: Segment[] = [];
  let offset = 2;
  while (offset + 4 <= bytes.length && bytes[offset] === 0xff) {
    const marker = bytes[offset + 1] ?? 0;
    const end = offset + 2 + (((bytes[offset + 2] ?? 0) << 8) | (bytes[offset + 3] ?? 0));
    if (marker === START_OF_SCAN || end > bytes.length) break;
    segments.push({ marker, data: bytes.subarray(offset + 4, end), raw: bytes.subarray(offset, end) });
    offset = end;
  }
  return { segments, rest: bytes.subarray(offset) };
}
