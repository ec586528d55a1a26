// A picture or clip of the gallery in words.
import type { GalleryItem } from "../../api/gallery.ts";
import { formatNumber } from "../../ui/language.ts";
import { duration } from "../../ui/time.ts";
import { strings } from "./strings.ts";

/** A name is read aloud; a whole prompt may be two thousand characters. */
const longestName = 160;

/** Seconds a clip lasts; null for a picture. */
export function clipSeconds(item: Pick<GalleryItem, "type" | "frames" | "fps">): number | null {
  return item.type === "video" && item.frames && item.fps ? item.frames / item.fps : null;
}

/** "5 s": clips are told apart by whole seconds. */
export function secondsText(seconds: number): string {
  return duration(Math.max(1, Math.round(seconds)));
}

export function shortPrompt(prompt: string): string {
  return prompt.length <= longestName ? prompt : `${prompt.slice(0, longestName - 1).trimEnd()}…`;
}

/** What a cell is besides its caption, for those who do not see its marks: ", video, favourite". */
export function cellExtras(item: GalleryItem): string {
  return [item.type === "video" ? strings.video : null, item.favourite ? strings.favouriteMark : null]
    .filter((word) => word !== null)
    .map((word) => `, ${word}`)
    .join("");
}

export function modelName(item: Pick<GalleryItem, "model">, models: ReadonlyMap<string, string>): string {
  return models.get(item.model) ?? item.model;
}

/** "312", "10,000+". */
export function countText(count: number, exact: boolean): string {
  return `${formatNumber(count)}${exact ? "" : "+"}`;
}

/** "png" for "image/png". */
export function fileType(item: Pick<GalleryItem, "result_type" | "type">): string {
  return item.result_type?.split("/")[1] ?? item.type;
}
