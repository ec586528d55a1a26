// The recipe of a result (prompt, parameters, seed, model, engine) travels inside the file: it can be read back from any
// copy, and taken out where the file is to be given away without it.

import { readFile } from "node:fs/promises";
import { isMp4, stripMp4 } from "../container/mp4-boxes.ts";
import { isPng } from "../container/png.ts";
import { isWebm, stripWebm } from "../container/webm-elements.ts";
import { addJpegRecipe, isJpeg, readJpegRecipe, stripJpeg } from "./jpeg.ts";
import { parseObject } from "./json.ts";
import { addPngRecipe, readPngRecipe, stripPng } from "./png.ts";
import { addWebpRecipe, readWebpRecipe, stripWebp } from "./webp.ts";

export type Recipe = Readonly<Record<string, unknown>>;

/** A png, jpeg or webp with the recipe in it. */
export function addImageRecipe(bytes: Uint8Array, recipe: Recipe): Uint8Array {
  if (isPng(bytes)) return addPngRecipe(bytes, recipe);
  if (isJpeg(bytes)) return addJpegRecipe(bytes, recipe);
  return addWebpRecipe(bytes, recipe);
}

/** Tags of a film that carries the recipe: the prompt is what players show. */
export function filmTags(recipe: Recipe): { title: string; comment: string } {
  return { title: typeof recipe.prompt === "string" ? recipe.prompt : "", comment: JSON.stringify(recipe) };
}

/** The recipe embedded in a png, jpeg, webp, mp4 or webm; null when there is none or the file is not one of these. */
export async function readRecipe(file: string | Uint8Array): Promise<Record<string, unknown> | null> {
  const bytes = typeof file === "string" ? await readFile(file) : file;
  if (isPng(bytes)) return readPngRecipe(bytes);
  if (isJpeg(bytes)) return readJpegRecipe(bytes);
  if (isMp4(bytes) || isWebm(bytes)) return readFilmRecipe(bytes);
  return readWebpRecipe(bytes);
}

/**
 * The same media without recipe or any other embedded description: a valid file of the same type. Bytes of another type
 * than `contentType` says, or of one that never carries a recipe, come back as they are.
 */
export async function stripRecipe(bytes: Uint8Array, contentType: string): Promise<Uint8Array> {
  const [type = ""] = contentType.split(";");
  switch (type.trim().toLowerCase()) {
    case "image/png":
      return isPng(bytes) ? stripPng(bytes) : bytes;
    case "image/jpeg":
      return isJpeg(bytes) ? stripJpeg(bytes) : bytes;
    case "image/webp":
      return stripWebp(bytes);
    case "video/mp4":
      return isMp4(bytes) ? stripMp4(bytes) : bytes;
    case "video/webm":
      return isWebm(bytes) ? stripWebm(bytes) : bytes;
    default:
      return bytes;
  }
}

async function readFilmRecipe(bytes: Uint8Array): Promise<Record<string, unknown> | null> {
  // Loaded on first use: the server should start without it.
  const { BufferSource, Input, MP4, WEBM } = await import("mediabunny");
  using input = new Input({ formats: [MP4, WEBM], source: new BufferSource(bytes) });
  try {
    const { comment } = await input.getMetadataTags();
    return comment === undefined ? null : parseObject(comment);
  } catch {
    return null;
  }
}
