// What the form can tell by itself about its own values: the rules of the catalog, as GET /models states them, so that
// most mistakes are named where they are made and before anything is sent. The server judges all the same.
import type { KeyframeField, Parameter, StudioModel } from "../../../../api/models.ts";
import { fieldMaximum } from "./keyframes.ts";
import { heldValue, numbersIn, parametersInForce, type Recipe, valueOf } from "./recipe.ts";
import { keyframesIn, type Value } from "./values.ts";

/** A field at fault, in the server's own codes. */
export interface Fault {
  /** Path like `frames[1].strength`. */
  field: string;
  code: string;
}

type Described = Pick<Parameter, "type" | "min" | "max" | "step" | "options" | "max_length" | "not_blank"> &
  Partial<Pick<Parameter, "min_length">>;

/** Every fault of the recipe for this model and mode, in the order of the form. */
export function faultsOf(recipe: Recipe, model: StudioModel, mode: string): readonly Fault[] {
  const numbers = numbersIn(recipe, model, mode);
  return parametersInForce(model, mode).flatMap((parameter) => {
    if (parameter.locked) return [];
    const value = valueOf(recipe, model, parameter);
    const required = parameter.required_in.includes(mode);
    return parameter.type === "keyframes"
      ? keyframeFaults(parameter, keyframesIn(value), numbers, required)
      : valueFaults(parameter, value, required);
  });
}

/** Faults that show while a value is being made; what is only missing yet is not held against anybody before a try. */
export function faultsInSight(recipe: Recipe, model: StudioModel, mode: string): readonly Fault[] {
  return faultsOf(recipe, model, mode).filter(({ code }) => !missing.has(code));
}

const missing: ReadonlySet<string> = new Set(["required", "blank", "too_short"]);

function valueFaults(parameter: Parameter, value: Value | undefined, required: boolean): Fault[] {
  const { name } = parameter;
  if (value === undefined || (value === "" && parameter.default === undefined))
    return required ? [{ field: name, code: parameter.type === "string" ? "blank" : "required" }] : [];
  const code = codeFor(parameter, value);
  return code === null ? [] : [{ field: name, code }];
}

/** What is wrong with a single value of this parameter, as a code; null when nothing is. */
export function faultOfValue(parameter: Parameter, value: Value): string | null {
  return codeFor(parameter, value);
}

function codeFor(described: Described, value: Value): string | null {
  if (described.options !== undefined)
    return described.options.some((option) => option === value) ? null : "not_an_option";
  switch (described.type) {
    case "integer":
    case "number":
      return codeForNumber(described, value);
    case "string":
      return typeof value === "string" ? codeForText(described, value) : "wrong_type";
    case "image":
    case "keyframes":
      return null;
  }
}

function codeForNumber({ type, min, max, step = 1 }: Described, value: Value): string | null {
  const whole = type === "integer";
  if (typeof value !== "number" || !Number.isFinite(value) || (whole && !Number.isInteger(value))) return "wrong_type";
  if (min !== undefined && value < min) return "below_minimum";
  if (max !== undefined && value > max) return "above_maximum";
  return whole && (value - (min ?? 0)) % step !== 0 ? "not_a_step" : null;
}

function codeForText({ min_length = 0, max_length, not_blank }: Described, value: string): string | null {
  const length = lengthOf(value);
  if (max_length !== undefined && length > max_length) return "too_long";
  if (not_blank && !/\S/u.test(value)) return "blank";
  if (length < min_length) return "too_short";
  return value.includes("\u0000") ? "forbidden_character" : null;
}

/** Characters as the catalog counts them: by code points, so that an emoji is one. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

function keyframeFaults(
  { name, min_items = 0, max_items, fields = [] }: Parameter,
  list: ReturnType<typeof keyframesIn>,
  numbers: Readonly<Record<string, number>>,
  required: boolean,
): Fault[] {
  if (list.length < min_items && (required || list.length > 0))
    return [{ field: name, code: list.length === 0 ? "required" : "too_short" }];
  if (max_items !== undefined && list.length > max_items) return [{ field: name, code: "too_long" }];
  const single = list.flatMap(({ values }, index) =>
    fields.flatMap((field) => {
      const value = values[field.name] ?? field.default;
      if (field.type === "image" || value === undefined) return [];
      const code = codeFor(field as Described, value);
      return code === null ? [] : [{ field: `${name}[${index}].${field.name}`, code }];
    }),
  );
  return single.length > 0 ? single : fields.flatMap((field) => betweenKeyframes(name, field, list, numbers));
}

function betweenKeyframes(
  list: string,
  field: KeyframeField,
  keyframes: ReturnType<typeof keyframesIn>,
  numbers: Readonly<Record<string, number>>,
): Fault[] {
  const maximum = fieldMaximum(field, (name) => numbers[name]);
  const seen = new Set<number>();
  return keyframes.flatMap(({ values }, index) => {
    const value = values[field.name];
    if (value === undefined) return [];
    const path = `${list}[${index}].${field.name}`;
    const faults: Fault[] = [];
    if (field.distinct && seen.has(value)) faults.push({ field: path, code: "duplicate" });
    if (field.less_than !== undefined && value > maximum) faults.push({ field: path, code: "out_of_range" });
    seen.add(value);
    return faults;
  });
}

/** Whether some keyframe stands elsewhere than it was put, because the clip has become too short for it. */
export function isMoved(recipe: Recipe, model: StudioModel, parameter: Parameter): boolean {
  return (
    parameter.type === "keyframes" &&
    valueOf(recipe, model, parameter) !== heldValue(recipe, model, parameter) &&
    keyframesIn(heldValue(recipe, model, parameter)).length > 0
  );
}

/** Whether a refused field, `list[1].strength` for one, is this field or lies inside it. */
export function belongsTo(refused: string, field: string): boolean {
  return refused === field || refused.startsWith(`${field}[`) || refused.startsWith(`${field}.`);
}
