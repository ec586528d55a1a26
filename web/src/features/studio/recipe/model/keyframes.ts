// A list of pictures placed on the frames of a clip. Names and limits of an entry's numbers come from the catalog.
import type { KeyframeField, Parameter } from "../../../../api/models.ts";
import type { Keyframe, Picture } from "./recipe.ts";

export function numberFields(parameter: Parameter): readonly KeyframeField[] {
  return (parameter.fields ?? []).filter((field) => field.type !== "image");
}

/** The highest value of a field: its own limit, or one less than the parameter it must stay below. */
export function fieldMaximum(field: KeyframeField, numbers: Readonly<Record<string, number>>): number {
  const below = field.less_than === undefined ? undefined : numbers[field.less_than];
  const own = field.max ?? Number.MAX_SAFE_INTEGER;
  return below === undefined ? own : Math.min(own, below - 1);
}

/** A new keyframe: at the start, then at the end, then in the middle of the widest gap; other numbers at their default. */
export function newKeyframe(
  picture: Picture,
  parameter: Parameter,
  list: readonly Keyframe[],
  numbers: Readonly<Record<string, number>>,
): Keyframe {
  const values: Record<string, number> = {};
  for (const field of numberFields(parameter)) {
    const minimum = field.min ?? 0;
    values[field.name] = field.distinct
      ? freePlace(
          list.map((keyframe) => keyframe.values[field.name] ?? minimum),
          minimum,
          fieldMaximum(field, numbers),
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
