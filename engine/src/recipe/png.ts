// The recipe of a PNG stands in international text chunks; all text can be taken out again.

import { inflateSync } from "node:zlib";
import { parsePng, pngChunk, pngFile } from "../container/png.ts";
import { parseObject } from "./json.ts";
import { recipeFromXmp, xmpPacket } from "./xmp.ts";

const RECIPE_KEYWORD = "safelight";
const XMP_KEYWORD = "XML:com.adobe.xmp";
/** Chunks that describe a picture rather than draw it. */
const descriptive = new Set(["tEXt", "zTXt", "iTXt", "eXIf", "tIME"]);
/** A compressed text larger than this is no recipe of ours. */
const LARGEST_TEXT = 1 << 20;

/** The picture with the recipe as a JSON text and as an XMP packet, both right after the header. */
export function addPngRecipe(bytes: Uint8Array, recipe: Readonly<Record<string, unknown>>): Uint8Array {
  const [header, ...rest] = parsePng(bytes).map(({ raw }) => raw);
  if (!header) throw new Error("not a PNG file");
  const texts = [
    internationalText(RECIPE_KEYWORD, JSON.stringify(recipe)),
    internationalText(XMP_KEYWORD, xmpPacket(recipe)),
  ];
  return pngFile([header, ...texts, ...rest]);
}

export function readPngRecipe(bytes: Uint8Array): Record<string, unknown> | null {
  for (const { name, data } of parsePng(bytes)) {
    if (name !== "iTXt") continue;
    const text = readInternationalText(data);
    if (text?.keyword === RECIPE_KEYWORD) return parseObject(text.value);
    if (text?.keyword === XMP_KEYWORD) return recipeFromXmp(text.value);
  }
  return null;
}

export function stripPng(bytes: Uint8Array): Uint8Array {
  const chunks = parsePng(bytes);
  return pngFile(chunks.filter(({ name }) => !descriptive.has(name)).map(({ raw }) => raw));
}

/** Keyword, uncompressed, no language, no translated keyword, text. */
function internationalText(keyword: string, text: string): Uint8Array {
  return pngChunk("iTXt", Buffer.from(`${keyword}\0\0\0\0\0${text}`, "utf8"));
}

function readInternationalText(data: Uint8Array): { keyword: string; value: string } | null {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const keywordEnd = buffer.indexOf(0);
  const languageEnd = buffer.indexOf(0, keywordEnd + 3);
  const translatedEnd = buffer.indexOf(0, languageEnd + 1);
  if (keywordEnd < 0 || languageEnd < 0 || translatedEnd < 0) return null;
  const keyword = buffer.toString("latin1", 0, keywordEnd);
  const text = buffer.subarray(translatedEnd + 1);
  const compressed = buffer[keywordEnd + 1] === 1;
  try {
    const value = compressed ? inflateSync(text, { maxOutputLength: LARGEST_TEXT }) : text;
    return { keyword, value: value.toString("utf8") };
  } catch {
    return null;
  }
}
