// WebP files as chunks: the recipe is an XMP chunk, which needs the extended header that says so.

import { chunk, parseRiff, type RiffChunk, riff, uint24 } from "../container/riff.ts";
import { recipeFromXmp, xmpPacket } from "./xmp.ts";

const XMP_FLAG = 0x04;
const EXIF_FLAG = 0x08;
const ALPHA_FLAG = 0x10;

/** The picture, still or moving, with the recipe. */
export function addWebpRecipe(bytes: Uint8Array, recipe: Readonly<Record<string, unknown>>): Uint8Array {
  const chunks = parse(bytes).filter(({ name }) => name !== "XMP ");
  const [header, ...rest] = chunks[0]?.name === "VP8X" ? chunks : [extendedHeader(chunks), ...chunks];
  if (!header) throw new Error("not a WebP file");
  const flagged = withFlags(header, (flags) => flags | XMP_FLAG);
  const xmp = chunk("XMP ", new TextEncoder().encode(xmpPacket(recipe)));
  return riff([flagged, ...rest.map(({ name, data }) => chunk(name, data)), xmp]);
}

export function readWebpRecipe(bytes: Uint8Array): Record<string, unknown> | null {
  const xmp = parseRiff(bytes)?.find(({ name }) => name === "XMP ");
  return xmp ? recipeFromXmp(new TextDecoder().decode(xmp.data)) : null;
}

export function stripWebp(bytes: Uint8Array): Uint8Array {
  const kept = parse(bytes).filter(({ name }) => name !== "XMP " && name !== "EXIF");
  return riff(
    kept.map((part) =>
      part.name === "VP8X" ? withFlags(part, (flags) => flags & ~(XMP_FLAG | EXIF_FLAG)) : chunk(part.name, part.data),
    ),
  );
}

function parse(bytes: Uint8Array): RiffChunk[] {
  const chunks = parseRiff(bytes);
  if (!chunks) throw new Error("not a WebP file");
  return chunks;
}

function withFlags(header: RiffChunk, change: (flags: number) => number): Uint8Array {
  const data = header.data.slice();
  data[0] = change(data[0] ?? 0);
  return chunk("VP8X", data);
}

/** The header a simple file lacks; its size stands in the picture data. */
function extendedHeader(chunks: readonly RiffChunk[]): RiffChunk {
  const picture = chunks.find(({ name }) => name === "VP8L" || name === "VP8 ");
  if (!picture) throw new Error("not a WebP file");
  const view = new DataView(picture.data.buffer, picture.data.byteOffset, picture.data.byteLength);
  const [width, height, flags] = picture.name === "VP8L" ? losslessSize(view) : lossySize(view);
  return { name: "VP8X", data: Uint8Array.from([flags, 0, 0, 0, ...uint24(width - 1), ...uint24(height - 1)]) };
}

function losslessSize(view: DataView): [number, number, number] {
  const bits = view.getUint32(1, true);
  return [(bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1, (bits >>> 28) & 1 ? ALPHA_FLAG : 0];
}

function lossySize(view: DataView): [number, number, number] {
  return [view.getUint16(6, true) & 0x3fff, view.getUint16(8, true) & 0x3fff, 0];
}
