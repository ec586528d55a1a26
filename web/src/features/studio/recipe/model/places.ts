// Where pictures go: into a place of their own or to the end of a list.
import type { Parameter } from "../../../../api/models.ts";
import { newKeyframe } from "./keyframes.ts";
import { keyframesIn, type Picture, pictureIn, type Value } from "./values.ts";

/** The value of a pictorial parameter once this picture has been put into it. */
export function placed(
  picture: Picture,
  parameter: Parameter,
  value: Value | undefined,
  numbers: Readonly<Record<string, number>>,
): Value {
  if (parameter.type === "image") return picture;
  const list = keyframesIn(value);
  return [...list, newKeyframe(picture, parameter, list, (name) => numbers[name])];
}

/** Whether one more picture fits: a list holds so many and no more. */
export function hasRoom(parameter: Parameter, value: Value | undefined): boolean {
  if (parameter.type === "image") return pictureIn(value) === null;
  return parameter.max_items === undefined || keyframesIn(value).length < parameter.max_items;
}

/** Where a picture goes that was dropped or pasted beside the places: the first open one, else the last single one. */
export function openPlace(
  places: readonly Parameter[],
  valueOf: (parameter: Parameter) => Value | undefined,
): Parameter | undefined {
  return places.find((place) => hasRoom(place, valueOf(place))) ?? places.findLast((place) => place.type === "image");
}
