/**
 * From a model and a mode to a JSON Schema (2020-12) of the flat request body. Every rule of the catalog is said in
 * standard keywords, none in code beside the schema: the OpenAPI document carries these very objects, and whoever
 * validates with them refuses exactly what the server refuses.
 */
import { isRequired, parametersOf } from "./catalog.ts";
import type { KeyframeField, Mode, ModelEntry, ParameterEntry } from "./types.ts";

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** `data:` with base64 content, or the id of an upload. Only the beginning is looked at: contents run to 27 MB. */
export const imagePattern = "^(sha256-[0-9a-f]{64}$|data:image/(png|jpeg|webp);base64,)";
export const workspacePattern = "^[a-z0-9-]{3,64}$";

const built = new WeakMap<ModelEntry, Map<Mode, JsonSchema>>();

/** The body of a request for this pair: model, mode, type, workspace and every parameter in force; nothing else. */
export function requestSchema(model: ModelEntry, mode: Mode): JsonSchema {
  const known = built.get(model) ?? new Map<Mode, JsonSchema>();
  built.set(model, known);
  const schema = known.get(mode) ?? buildSchema(model, mode);
  known.set(mode, schema);
  return schema;
}

function buildSchema(model: ModelEntry, mode: Mode): JsonSchema {
  const parameters = parametersOf(model, mode);
  const rules = parameters.flatMap((parameter) => keyframeRules(parameter, parameters));
  return {
    type: "object",
    properties: {
      model: { enum: [model.id, ...model.aliases] },
      mode: { const: mode },
      type: { const: model.type },
      workspace: { type: ["string", "null"], pattern: workspacePattern },
      ...Object.fromEntries(parameters.map((parameter) => [parameter.name, parameterSchema(parameter)])),
    },
    required: [
      "model",
      ...(model.modes[0]?.id === mode ? [] : ["mode"]),
      ...parameters.filter((parameter) => isRequired(model, mode, parameter)).map(({ name }) => name),
    ],
    additionalProperties: false,
    ...(rules.length === 0 ? {} : { allOf: rules }),
  };
}

/** The schema of one parameter's value, with its English label as title and its default. */
export function parameterSchema(parameter: ParameterEntry): JsonSchema {
  return { title: parameter.label.en, ...description(parameter), ...defaultOf(parameter), ...valueSchema(parameter) };
}

function description({ help }: ParameterEntry): JsonSchema {
  return help === undefined ? {} : { description: help.en };
}

function defaultOf(parameter: { readonly default?: unknown }): JsonSchema {
  return parameter.default === undefined ? {} : { default: parameter.default };
}

function valueSchema(parameter: ParameterEntry): JsonSchema {
  if (parameter.locked) return { const: parameter.default };
  if (parameter.options !== undefined) return { enum: parameter.options };
  switch (parameter.type) {
    case "string":
      return textSchema(parameter);
    case "integer":
    case "number":
      return numberSchema(parameter.type, parameter);
    case "image":
      return { type: "string", pattern: imagePattern };
    case "keyframes":
      return {
        type: "array",
        minItems: parameter.min_items ?? 0,
        maxItems: parameter.max_items,
        items: keyframeSchema(parameter.fields ?? []),
      };
  }
}

function textSchema({ min_length, max_length, not_blank }: ParameterEntry): JsonSchema {
  return {
    type: "string",
    ...(min_length === undefined ? {} : { minLength: min_length }),
    ...(max_length === undefined ? {} : { maxLength: max_length }),
    ...(not_blank === true ? { pattern: "\\S" } : {}),
    // A NUL ends a string in databases, file tags and process arguments: what was stored would not be what was sent.
    not: { pattern: "\\u0000" },
  };
}

interface Range {
  readonly min?: number;
  readonly max?: number;
  readonly step?: number;
}

/** Integer steps bind and count from the minimum; steps of numbers are hints for the form, so they are left out. */
function numberSchema(type: "integer" | "number", { min, max, step = 1 }: Range): JsonSchema {
  const range = {
    type,
    ...(min === undefined ? {} : { minimum: min }),
    ...(max === undefined ? {} : { maximum: max }),
  };
  if (type === "number" || step === 1) return range;
  if (min !== undefined && max !== undefined && min % step !== 0) return { enum: stepsBetween(min, max, step) };
  return { ...range, multipleOf: step };
}

function stepsBetween(min: number, max: number, step: number): number[] {
  return Array.from({ length: Math.floor((max - min) / step) + 1 }, (_, index) => min + index * step);
}

function keyframeSchema(fields: readonly KeyframeField[]): JsonSchema {
  return {
    type: "object",
    properties: Object.fromEntries(fields.map((field) => [field.name, fieldSchema(field)])),
    required: fields.filter(({ required }) => required === true).map(({ name }) => name),
    additionalProperties: false,
  };
}

function fieldSchema(field: KeyframeField): JsonSchema {
  const value = field.type === "image" ? { type: "string", pattern: imagePattern } : numberSchema(field.type, field);
  return { title: field.label.en, ...defaultOf(field), ...value };
}

function keyframeRules(list: ParameterEntry, parameters: readonly ParameterEntry[]): JsonSchema[] {
  return (list.fields ?? []).flatMap((field) => [
    ...(field.distinct === true ? distinctRules(list.name, field) : []),
    ...smallerRules(
      list.name,
      field,
      parameters.find(({ name }) => name === field.less_than),
    ),
  ]);
}

/** JSON Schema has no "distinct by one property", but "at most one item with this value", once for each value. */
function distinctRules(list: string, { name, min = 0, max = 0, step = 1 }: KeyframeField): JsonSchema[] {
  return stepsBetween(min, max, step).map((value) => ({
    properties: {
      [list]: {
        contains: { properties: { [name]: { const: value } }, required: [name] },
        minContains: 0,
        maxContains: 1,
      },
    },
  }));
}

/** "Smaller than another parameter", once for each value of the other that narrows the field's own maximum. */
function smallerRules(list: string, field: KeyframeField, other: ParameterEntry | undefined): JsonSchema[] {
  if (other === undefined) return [];
  const { name: otherName, min = 0, max = 0, step = 1 } = other;
  const below = (limit: number): JsonSchema => ({
    properties: { [list]: { items: { properties: { [field.name]: { exclusiveMaximum: limit } } } } },
  });
  const narrowing = stepsBetween(min, max, step).filter((value) => value <= (field.max ?? max));
  const rules = narrowing.map((value) => ({
    if: { properties: { [otherName]: { const: value } }, required: [otherName] },
    then: below(value),
  }));
  const absent =
    typeof other.default === "number" ? [{ if: { required: [otherName] }, else: below(other.default) }] : [];
  return [...rules, ...absent];
}
