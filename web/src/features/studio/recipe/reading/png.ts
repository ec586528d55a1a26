// PNG: a row of chunks. The recipe is an international text chunk; photo software that saves the picture again may move
// it behind the picture data or compress it.
import { type BlobWindow, fourLetters, text, uint32 } from "./blob-window.ts";
import { longestText, objectIn, recipeInXmp } from "./embedded-text.ts";

const recipeKeyword = "safelight";
const xmpKeyword = "XML:com.adobe.xmp";
const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

export function isPng(head: Uint8Array): boolean {
  return signature.every((byte, index) => head[index] === byte);
}

export async function recipeInPng(file: BlobWindow): Promise<Record<string, unknown> | null> {
  let offset = signature.length;
  while (offset + 12 <= file.length) {
    const header = await file.read(offset, 8);
    const length = uint32(header, 0);
    const name = fourLetters(header, 4);
    if (name === "IEND" || offset + 12 + length > file.length) return null;
    if (name === "iTXt" && length <= longestText) {
      const recipe = await recipeInChunk(await file.read(offset + 8, length));
      if (recipe !== null) return recipe;
    }
    offset += 12 + length;
  }
  return null;
}

/** Keyword, 0, compressed?, method, language, 0, translated keyword, 0, text. */
async function recipeInChunk(data: Uint8Array): Promise<Record<string, unknown> | null> {
  const keywordEnd = data.indexOf(0);
  const languageEnd = data.indexOf(0, keywordEnd + 3);
  const translatedEnd = data.indexOf(0, languageEnd + 1);
  if (keywordEnd < 0 || languageEnd < 0 || translatedEnd < 0) return null;
  const keyword = text(data.subarray(0, keywordEnd));
  if (keyword !== recipeKeyword && keyword !== xmpKeyword) return null;
  const stored = data.slice(translatedEnd + 1);
  const value = data[keywordEnd + 1] === 1 ? await inflated(stored) : text(stored);
  if (value === null) return null;
  return keyword === recipeKeyword ? objectIn(value) : recipeInXmp(value);
}

/** Zlib data as text; null when it is broken or unfolds into more than a recipe can be. */
async function inflated(data: Uint8Array<ArrayBuffer>): Promise<string | null> {
  try {
    const reader = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
    const decoder = new TextDecoder();
    let value = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      value += decoder.decode(piece.value, { stream: true });
      if (value.length > longestText) {
        await reader.cancel();
        return null;
      }
    }
    return value + decoder.decode();
  } catch {
    return null;
  }
}
