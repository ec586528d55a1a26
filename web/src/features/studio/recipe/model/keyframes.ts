// A list of pictures placed on the frames of a clip. Names and limits of an entry's numbers come from the catalog.
import type { KeyframeField, Parameter } from "../../../../api/models.ts";
import type { Keyframe, Picture } from "./values.ts";

type NumberOf = (name: string) => number | undefined;

/** The numbers of an entry. */
export function numberFields(parameter: Parameter): readonly KeyframeField[] {
  return (parameter.fields ?? []).filter((field) => field.type !== "image");
}

/** The number that says where in the clip an entry stands: the one no two entries may share. */
export function placeField(parameter: Parameter): KeyframeField | undefined {
  return numberFields(parameter).find((field) => field.distinct);
}

/** The highest value of a field: its own limit, or one less than the parameter it must stay below. */
export function fieldMaximum(field: KeyframeField, numberOf: NumberOf): number {
  const below = field.less_than === undefined ? undefined : numberOf(field.less_than);
  const own = field.max ?? Number.MAX_SAFE_INTEGER;
  return below === undefined ? own : Math.min(own, below - 1);
}

export function placeOf(keyframe: Keyframe, field: KeyframeField): number {
  return keyframe.values[field.name] ?? field.min ?? 0;
}

/**
 * The list as it fits into the clip: what stands behind its end moves in front of it, each to a place of its own. The
 * list itself is left alone, so that a longer clip gives every keyframe its place back. Answers the same list when all
 * fits.
 */
export function fitted(list: readonly Keyframe[], parameter: Parameter, numberOf: NumberOf): readonly Keyframe[] {
  const field = placeField(parameter);
  if (field === undefined || list.length === 0) return list;
  let highest = fieldMaximum(field, numberOf);
  const places = new Map<Keyframe, number>();
  for (const keyframe of list.toSorted((a, b) => placeOf(b, field) - placeOf(a, field))) {
    const place = Math.max(field.min ?? 0, Math.min(placeOf(keyframe, field), highest));
    places.set(keyframe, place);
    highest = place - 1;
  }
  if (list.every((keyframe) => places.get(keyframe) === placeOf(keyframe, field))) return list;
  return list.map((keyframe) => moved(keyframe, field, places.get(keyframe) ?? 0));
}

/**
 * The list with one entry at another place, or at the nearest free one: further on in the direction of the move, else
 * back towards where it came from.
 */
export function withPlace(
  list: readonly Keyframe[],
  index: number,
  wanted: number,
  field: KeyframeField,
  maximum: number,
): readonly Keyframe[] {
  const keyframe = list[index];
  if (keyframe === undefined) return list;
  const from = placeOf(keyframe, field);
  const taken = new Set(list.filter((_, other) => other !== index).map((other) => placeOf(other, field)));
  const minimum = field.min ?? 0;
  const goal = Math.min(maximum, Math.max(minimum, Math.round(wanted)));
  const direction = goal < from ? -1 : 1;
  let place = goal;
  while (taken.has(place) && place > minimum && place < maximum) place += direction;
  while (taken.has(place) && place !== from) place -= direction;
  return place === from ? list : list.with(index, moved(keyframe, field, place));
}

function moved(keyframe: Keyframe, field: KeyframeField, place: number): Keyframe {
  return { ...keyframe, values: { ...keyframe.values, [field.name]: place } };
}

/** A new keyframe: at the start, then at the end, then in the middle of the widest gap; other numbers at their default. */
export function newKeyframe(
  picture: Picture,
  parameter: Parameter,
  list: readonly Keyframe[],
  numberOf: NumberOf,
): Keyframe {
  const values: Record<string, number> = {};
  for (const field of numberFields(parameter)) {
    const minimum = field.min ?? 0;
    values[field.name] = field.distinct
      ? freePlace(
          list.map((keyframe) => placeOf(keyframe, field)),
          minimum,
          fieldMaximum(field, numberOf),
        )
      : (field.default ?? minimum);
  }
  return { picture, values };
}

function freePlace(taken: readonly number[], minimum: number, maximum: number): number {
  if (!taken.includes(minimum)) return minimum;
  if (!taken.includes(maximum)) return maximum;
  const sorted = taken.toSorted((a, b) => a - b);
  let best = { gap: 0, at: minimum };
  for (const [index, at] of sorted.entries()) {
    const gap = (sorted[index + 1] ?? at) - at;
    if (gap > best.gap) best = { gap, at: at + Math.floor(gap / 2) };
  }
  return best.at;
}
