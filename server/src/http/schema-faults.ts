/** What a route's schema found wrong with a query, header or body, in the words and codes that the catalog uses for parameters. */
import type { FieldError } from "../errors.ts";

export interface SchemaFault {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: Record<string, unknown>;
  readonly message?: string;
}

/** `context` names the part of the request (such as `querystring`) for faults of the part as a whole. */
export function fieldOf({ keyword, instancePath, params }: SchemaFault, context: string | undefined): FieldError {
  const path = instancePath.split("/").slice(1);
  const missing = params.missingProperty ?? params.additionalProperty;
  if (typeof missing === "string") path.push(missing);
  const field = path.join(".") || (context ?? "");
  const { code, explain } = faults[keyword] ?? otherFault;
  return { field, code, message: `${field === "" ? "The request" : field} ${explain(params)}.` };
}

/** One text for a person who reads no further than `detail`. */
export function detailOf(fields: readonly FieldError[]): string {
  return fields.map(({ message }) => message).join(" ") || "The request does not fit this route.";
}

interface Fault {
  readonly code: string;
  readonly explain: (params: Record<string, unknown>) => string;
}

const otherFault: Fault = { code: "pattern", explain: () => "does not have the expected form" };

const types: Readonly<Record<string, string>> = {
  integer: "a whole number",
  number: "a number",
  string: "text, given once",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

const notAnOption = (options: readonly unknown[]): string =>
  `must be one of ${options.map(String).filter(Boolean).join(", ")}`;

const faults: Readonly<Record<string, Fault>> = {
  required: { code: "required", explain: () => "is missing" },
  additionalProperties: { code: "unknown_parameter", explain: () => "is not known here" },
  type: { code: "wrong_type", explain: ({ type }) => `must be ${types[String(type)] ?? "of another type"}` },
  minimum: { code: "below_minimum", explain: ({ limit }) => `must be at least ${String(limit)}` },
  maximum: { code: "above_maximum", explain: ({ limit }) => `must be at most ${String(limit)}` },
  enum: { code: "not_an_option", explain: (params) => notAnOption(params.allowedValues as unknown[]) },
  oneOf: { code: "required", explain: () => "must have exactly one of the alternatives of this route" },
  const: { code: "not_an_option", explain: ({ allowedValue }) => notAnOption([allowedValue]) },
  minLength: { code: "too_short", explain: ({ limit }) => `must have at least ${String(limit)} characters` },
  maxLength: { code: "too_long", explain: ({ limit }) => `must have at most ${String(limit)} characters` },
};
