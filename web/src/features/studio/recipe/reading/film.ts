// MP4 and WebM: the recipe is the comment of the file. The library finds the tags without reading the frames.
import { BlobSource, Input, MP4, WEBM } from "mediabunny";
import { longestText, objectIn } from "./embedded-text.ts";

export async function recipeInFilm(file: Blob): Promise<Record<string, unknown> | null> {
  using input = new Input({ formats: [MP4, WEBM], source: new BlobSource(file) });
  try {
    const { comment } = await input.getMetadataTags();
    return comment === undefined || comment.length > longestText ? null : objectIn(comment);
  } catch {
    return null; // not a film, or a broken one: the same to whoever looks for a recipe
  }
}
