// WebP: RIFF chunks. The recipe is an XMP chunk, usually the last one.
import { type BlobWindow, fourLetters, text, uint32 } from "./blob-window.ts";
import { longestText, recipeInXmp } from "./embedded-text.ts";

export function isWebp(head: Uint8Array): boolean {
  return fourLetters(head, 0) === "RIFF" && fourLetters(head, 8) === "WEBP";
}

export async function recipeInWebp(file: BlobWindow): Promise<Record<string, unknown> | null> {
  let offset = 12;
  while (offset + 8 <= file.length) {
    const header = await file.read(offset, 8);
    const length = uint32(header, 4, true);
    if (fourLetters(header, 0) === "XMP " && length <= longestText) {
      return recipeInXmp(text(await file.read(offset + 8, length)));
    }
    offset += 8 + length + (length % 2);
  }
  return null;
}
