import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { detailOf, fieldOf, type SchemaFault } from "./schema-faults.ts";

const ajv = new Ajv({ allErrors: true, coerceTypes: true });

/** The one message about a field that breaks its schema. */
function messageOf(schema: object, value: unknown): string {
  const check = ajv.compile({ type: "object", properties: { page: schema } });
  check({ page: value });
  const fields = (check.errors as SchemaFault[]).map((fault) => fieldOf(fault, "querystring"));
  return detailOf(fields);
}

describe("what a route's schema found wrong, for people", () => {
  test.each([
    [{ type: "integer" }, "abc", "page must be a whole number."],
    [{ type: "integer", minimum: 1 }, 0, "page must be at least 1."],
    [{ type: "integer", maximum: 100 }, 101, "page must be at most 100."],
    [{ enum: ["asc", "desc"] }, "up", "page must be one of asc, desc."],
    [{ const: "created_at" }, "id", "page must be one of created_at."],
    [{ type: "string" }, ["1", "1"], "page must be text, given once."],
    [{ type: "string", maxLength: 3 }, "long", "page must have at most 3 characters."],
    [{ type: "string", pattern: "^x$" }, "y", "page does not have the expected form."],
  ])("%j with %j: %s", (schema, value, message) => {
    expect(messageOf(schema, value)).toBe(message);
  });

  test("what is missing or surplus is named, and the whole by its part of the request", () => {
    const surplus: SchemaFault = {
      keyword: "additionalProperties",
      instancePath: "",
      params: { additionalProperty: "colour" },
    };
    const missing: SchemaFault = { keyword: "required", instancePath: "", params: { missingProperty: "password" } };
    expect([surplus, missing].map((fault) => fieldOf(fault, "body"))).toEqual([
      { field: "colour", code: "unknown_parameter", message: "colour is not known here." },
      { field: "password", code: "required", message: "password is missing." },
    ]);
    expect(fieldOf({ keyword: "type", instancePath: "", params: { type: "object" } }, "body")).toEqual({
      field: "body",
      code: "wrong_type",
      message: "body must be an object.",
    });
  });
});
