// The recipe of a picture as rows of words, in the catalog's order and with the catalog's labels.
import type { GalleryItem } from "../../../api/gallery.ts";
import type { Parameter, StudioModel } from "../../../api/models.ts";
import { formatNumber, localize } from "../../../ui/language.ts";
import { strings } from "../strings.ts";

export interface Fact {
  name: string;
  label: string;
  value: string;
}

export interface Reference {
  /** Id of the upload. */
  upload: string;
  label: string;
  /** Lines under the thumbnail. */
  notes: readonly string[];
}

/** Shown elsewhere in the panel: words, sizes, the pictures themselves. */
const shownElsewhere = new Set(["prompt", "negative_prompt", "width", "height", "seed", "num_frames", "fps"]);

/** Every parameter that was in force and is not shown elsewhere. */
export function factsOf(item: GalleryItem, model: StudioModel | undefined): Fact[] {
  const described = new Set(model?.parameters.map((parameter) => parameter.name));
  const known = (model?.parameters ?? []).filter(
    (parameter) =>
      isPlain(item.parameters[parameter.name]) && !shownElsewhere.has(parameter.name) && !isPicture(parameter),
  );
  // A picture of another version of the catalog may hold what today's does not describe.
  const unknown = Object.keys(item.parameters).filter(
    (name) => !described.has(name) && !shownElsewhere.has(name) && isPlain(item.parameters[name]),
  );
  return [
    ...known.map((parameter) => ({
      name: parameter.name,
      label: localize(parameter.label),
      value: valueText(item.parameters[parameter.name], parameter),
    })),
    ...unknown.map((name) => ({ name, label: name, value: plainText(item.parameters[name]) })),
  ];
}

/** The pictures it began with, and how strongly each counted. */
export function referencesOf(item: GalleryItem, model: StudioModel | undefined): Reference[] {
  return (model?.parameters ?? []).flatMap((parameter) => {
    const value = item.parameters[parameter.name];
    if (parameter.type === "image" && typeof value === "string") {
      return [{ upload: value, label: localize(parameter.label), notes: strengthsOf(item, model, parameter.name) }];
    }
    if (parameter.type === "keyframes" && Array.isArray(value))
      return value.flatMap((entry) => keyframeOf(entry, parameter));
    return [];
  });
}

/** Numbers that belong to one picture alone. */
function strengthsOf(item: GalleryItem, model: StudioModel | undefined, picture: string): string[] {
  return (model?.parameters ?? [])
    .filter((each) => each.depends_on?.length === 1 && each.depends_on[0] === picture)
    .flatMap((each) => {
      const value = item.parameters[each.name];
      return typeof value === "number" ? [strings.detail.strength(formatNumber(value))] : [];
    });
}

function keyframeOf(entry: unknown, parameter: Parameter): Reference[] {
  if (typeof entry !== "object" || entry === null) return [];
  const values = entry as Record<string, unknown>;
  const field = (type: string) => parameter.fields?.find((each) => each.type === type)?.name ?? "";
  const upload = values[field("image")];
  const frame = values[field("integer")];
  const strength = values[field("number")];
  if (typeof upload !== "string") return [];
  return [
    {
      upload,
      label: localize(parameter.label),
      notes: [
        ...(typeof frame === "number" ? [strings.detail.frame(formatNumber(frame))] : []),
        ...(typeof strength === "number" ? [formatNumber(strength)] : []),
      ],
    },
  ];
}

function isPicture(parameter: Parameter): boolean {
  return parameter.type === "image" || parameter.type === "keyframes";
}

function isPlain(value: unknown): boolean {
  return typeof value === "number" || typeof value === "string" || typeof value === "boolean";
}

function valueText(value: unknown, parameter: Parameter): string {
  const option = parameter.option_labels?.[String(value)];
  const text = option === undefined ? plainText(value) : localize(option);
  const united = parameter.unit === undefined ? text : `${text} ${parameter.unit}`;
  return parameter.locked ? strings.detail.fixed(united) : united;
}

function plainText(value: unknown): string {
  return typeof value === "number" ? formatNumber(value, { maximumFractionDigits: 3 }) : String(value);
}
