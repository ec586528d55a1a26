/**
 * Judges one value by the facts the catalog states about it: the same rules, in the same words of the catalog, as
 * `request-schema.ts` publishes. They are run from the facts and not from the published schema because a schema
 * validator reports every broken rule of a hostile body, which for 64 MiB of wrong keyframes does not fit into memory.
 * `agreement.test.ts` in the contract holds the two together.
 */
import type { FieldError, FieldErrorCode } from "./field-errors.ts";
import { imagePattern } from "./request-schema.ts";
import type { KeyframeField, ParameterEntry } from "./types.ts";

type Body = Readonly<Record<string, unknown>>;
type Verdict = { readonly code: FieldErrorCode; readonly message: string } | null;

/** What numbers, texts and pictures have in common, as a parameter or inside a keyframe. */
interface Described {
  readonly type: ParameterEntry["type"];
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
  readonly options?: ParameterEntry["options"];
  readonly min_length?: number;
  readonly max_length?: number;
  readonly not_blank?: boolean;
}

const image = new RegExp(imagePattern, "u");

/** What is wrong with the value sent for this parameter; empty when nothing is. `body` is looked at for `less_than`. */
export function judgeParameter(
  parameter: ParameterEntry,
  value: unknown,
  body: Body,
  all: readonly ParameterEntry[],
): FieldError[] {
  const field = parameter.name;
  if (parameter.locked) {
    if (value === parameter.default) return [];
    const message = `${field} is fixed at ${String(parameter.default)} for this model: leave it out.`;
    return [{ field, code: "locked", message }];
  }
  if (parameter.type === "keyframes") return judgeKeyframes(parameter, value, body, all);
  const verdict = judge(parameter, value);
  return verdict === null ? [] : [{ field, code: verdict.code, message: `${field} ${verdict.message}.` }];
}

function judge(described: Described, value: unknown): Verdict {
  if (described.options !== undefined) return judgeOption(described.options, value);
  switch (described.type) {
    case "integer":
    case "number":
      return judgeNumber(described, value);
    case "string":
      return judgeText(described, value);
    case "image":
      return judgeImage(value);
    case "keyframes":
      return { code: "wrong_type", message: "cannot be a list here" };
  }
}

function judgeOption(options: readonly (string | number)[], value: unknown): Verdict {
  if (options.some((option) => option === value)) return null;
  return {
    code: "not_an_option",
    message: `must be one of ${options.map((option) => JSON.stringify(option)).join(", ")}`,
  };
}

function judgeNumber({ type, min, max, step = 1 }: Described, value: unknown): Verdict {
  const whole = type === "integer";
  if (typeof value !== "number" || !Number.isFinite(value) || (whole && !Number.isInteger(value)))
    return { code: "wrong_type", message: whole ? "must be a whole number" : "must be a number" };
  if (min !== undefined && value < min) return { code: "below_minimum", message: `must be at least ${min}` };
  if (max !== undefined && value > max) return { code: "above_maximum", message: `must be at most ${max}` };
  const start = min ?? 0;
  if (!whole || (value - start) % step === 0) return null;
  return { code: "not_a_step", message: `must be ${start} plus a multiple of ${step}` };
}

function judgeText({ min_length = 0, max_length, not_blank }: Described, value: unknown): Verdict {
  if (typeof value !== "string") return { code: "wrong_type", message: "must be text" };
  if (max_length !== undefined && longerThan(value, max_length))
    return { code: "too_long", message: `may have at most ${max_length} characters` };
  if (not_blank === true && !/\S/u.test(value)) return { code: "blank", message: "must not be empty" };
  if (min_length > 0 && !longerThan(value, min_length - 1))
    return { code: "too_short", message: `needs at least ${min_length} characters` };
  if (value.includes("\u0000")) return { code: "forbidden_character", message: "must not contain NUL characters" };
  return null;
}

/** Counts characters the way JSON Schema does, by code points, and looks at no more of the text than it must. */
function longerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > limit * 2) return true;
  return Array.from(text).length > limit;
}

function judgeImage(value: unknown): Verdict {
  if (typeof value !== "string") return { code: "wrong_type", message: "must be text" };
  if (image.test(value)) return null;
  return { code: "pattern", message: "must be the id of an upload or a data URI of a PNG, JPEG or WebP picture" };
}

function judgeKeyframes(
  list: ParameterEntry,
  value: unknown,
  body: Body,
  all: readonly ParameterEntry[],
): FieldError[] {
  const { name, min_items = 0, max_items = Number.POSITIVE_INFINITY } = list;
  if (!Array.isArray(value)) return [{ field: name, code: "wrong_type", message: `${name} must be a list.` }];
  if (value.length < min_items)
    return [{ field: name, code: "too_short", message: `${name} needs at least ${min_items} entries.` }];
  if (value.length > max_items)
    return [{ field: name, code: "too_long", message: `${name} may have at most ${max_items} entries.` }];
  const items: readonly unknown[] = value;
  const errors = items.flatMap((item, index) => judgeKeyframe(list, item, `${name}[${index}]`));
  if (errors.length > 0) return errors;
  return (list.fields ?? []).flatMap((field) => [
    ...judgeDistinct(name, field, items),
    ...judgeSmaller(name, field, items, body, all),
  ]);
}

function judgeKeyframe({ fields = [] }: ParameterEntry, item: unknown, path: string): FieldError[] {
  if (typeof item !== "object" || item === null || Array.isArray(item))
    return [{ field: path, code: "wrong_type", message: `${path} must be an object.` }];
  const names = new Set<string>(fields.map(({ name }) => name));
  const surplus = Object.keys(item).find((name) => !names.has(name));
  const errors: FieldError[] = fields.flatMap((field) => {
    const at = `${path}.${field.name}`;
    const value = valueAt(item, field.name);
    if (value === undefined)
      return field.required === true ? [{ field: at, code: "required" as const, message: `${at} is missing.` }] : [];
    const verdict = judge(field, value);
    return verdict === null ? [] : [{ field: at, code: verdict.code, message: `${at} ${verdict.message}.` }];
  });
  if (surplus === undefined) return errors;
  const message = `${path} takes only ${[...names].join(", ")}.`;
  return [...errors, { field: path, code: "unknown_parameter", message }];
}

function judgeDistinct(list: string, { name, distinct }: KeyframeField, items: readonly unknown[]): FieldError[] {
  if (distinct !== true) return [];
  const seen = new Set<unknown>();
  return items.flatMap((item, index) => {
    const value = valueAt(item, name);
    if (value === undefined || !seen.has(value)) {
      seen.add(value);
      return [];
    }
    const field = `${list}[${index}].${name}`;
    return [{ field, code: "duplicate" as const, message: `${field} must differ from that of every other entry.` }];
  });
}

function judgeSmaller(
  list: string,
  { name, less_than }: KeyframeField,
  items: readonly unknown[],
  body: Body,
  all: readonly ParameterEntry[],
): FieldError[] {
  const other = all.find((parameter) => parameter.name === less_than);
  if (other === undefined) return [];
  const limit = valueAt(body, other.name) ?? other.default;
  // A wrong limit is an error of its own; measuring by it would only add another.
  if (typeof limit !== "number" || judge(other, limit) !== null) return [];
  return items.flatMap((item, index) => {
    const value = valueAt(item, name);
    if (typeof value !== "number" || value < limit) return [];
    const field = `${list}[${index}].${name}`;
    return [
      { field, code: "out_of_range" as const, message: `${field} must be smaller than ${other.name}, ${limit}.` },
    ];
  });
}

/** An own property of something out of JSON: names like "constructor" are data here, never inherited members. */
export function valueAt(item: unknown, name: string): unknown {
  if (typeof item !== "object" || item === null || !Object.hasOwn(item, name)) return undefined;
  return (item as Readonly<Record<string, unknown>>)[name];
}
