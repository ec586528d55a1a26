// JPEG: segments up to the picture data. The recipe is an XMP packet in an APP1 segment.
import { type BlobWindow, text, uint16 } from "./blob-window.ts";
import { recipeInXmp } from "./embedded-text.ts";

const xmpHeader = "http://ns.adobe.com/xap/1.0/\0";
const startOfScan = 0xda;
const app1 = 0xe1;

export function isJpeg(head: Uint8Array): boolean {
  return head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff;
}

export async function recipeInJpeg(file: BlobWindow): Promise<Record<string, unknown> | null> {
  let offset = 2;
  while (offset + 4 <= file.length) {
    const header = await file.read(offset, 4);
    const marker = header[1];
    if (header[0] !== 0xff || marker === startOfScan) return null;
    const length = uint16(header, 2);
    if (marker === app1) {
      const segment = text(await file.read(offset + 4, length - 2));
      const recipe = segment.startsWith(xmpHeader) ? recipeInXmp(segment) : null;
      if (recipe !== null) return recipe;
    }
    offset += 2 + Math.max(2, length);
  }
  return null;
}
