// Where pictures go: into a place of their own or to the end of a list.
import type { Parameter } from "../../../../api/models.ts";
import { newKeyframe } from "./keyframes.ts";
import type { Keyframe, Picture, Value } from "./recipe.ts";

export function heldPicture(value: Value | undefined): Picture | null {
  return typeof value === "object" && "url" in value ? value : null;
}

export function heldKeyframes(value: Value | undefined): readonly Keyframe[] {
  return typeof value === "object" && !("url" in value) ? value : [];
}

/** The value of a pictorial parameter once this picture has been put into it. */
export function placed(
  picture: Picture,
  parameter: Parameter,
  value: Value | undefined,
  numbers: Readonly<Record<string, number>>,
): Value {
  if (parameter.type === "image") return picture;
  const list = heldKeyframes(value);
  return [...list, newKeyframe(picture, parameter, list, numbers)];
}

/** Where a picture goes that was dropped or pasted beside the places: the first open one, else the last of all. */
export function openPlace(
  places: readonly Parameter[],
  valueOf: (parameter: Parameter) => Value | undefined,
): Parameter | undefined {
  return places.find((place) => place.type === "keyframes" || heldPicture(valueOf(place)) === null) ?? places.at(-1);
}
