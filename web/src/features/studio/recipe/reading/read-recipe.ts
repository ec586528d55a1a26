// The recipe inside a picture or clip that was dropped on the page: what the engine wrote into it, read in the browser.
// Loaded when a file is dropped, not with the page.
import { BlobWindow, fourLetters } from "./blob-window.ts";
import { isJpeg, recipeInJpeg } from "./jpeg.ts";
import { isPng, recipeInPng } from "./png.ts";
import { isWebp, recipeInWebp } from "./webp.ts";

/** The embedded recipe as it was written; null when there is none, or the file is of no kind that carries one. */
export async function readEmbeddedRecipe(file: Blob): Promise<Record<string, unknown> | null> {
  const window = new BlobWindow(file);
  const head = await window.read(0, 16);
  if (isPng(head)) return recipeInPng(window);
  if (isJpeg(head)) return recipeInJpeg(window);
  if (isWebp(head)) return recipeInWebp(window);
  if (!isFilm(head)) return null;
  const { recipeInFilm } = await import("./film.ts");
  return recipeInFilm(file);
}

/** MP4 begins with a box that names its kind, WebM with an EBML header. */
function isFilm(head: Uint8Array): boolean {
  const ebml = head[0] === 0x1a && head[1] === 0x45 && head[2] === 0xdf && head[3] === 0xa3;
  return ebml || fourLetters(head, 4) === "ftyp";
}
