import { readdirSync, readFileSync } from "node:fs";
import { checkRequest } from "@safelight/catalog";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { entriesOf } from "./additive-json.ts";
import { errorCodes, problemType } from "./errors.ts";

const folder = new URL("../examples/", import.meta.url);
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, folder), "utf8"));
const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
const messages = files.filter((name) => name !== "refused-requests.json");

/** Answers may grow fields, examples may not have any that the contract does not name: a typo would pass otherwise. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(
    Object.entries(schema).map(([key, value]: [string, unknown]) => [key, closed(value)]),
  );
  return "properties" in copy && "type" in copy && !("additionalProperties" in copy)
    ? { ...copy, additionalProperties: false }
    : copy;
}

const ajv = new Ajv2020({ strict: false });
formats.default(ajv);
ajv.addSchema(closed(read("../openapi.json")) as Record<string, unknown>, "openapi");

const schemaName = (file: string): string =>
  (file.split(".")[0] ?? "").replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

describe("golden messages", () => {
  test.each(messages)("%s fits its schema", (file) => {
    const validate = ajv.getSchema(`openapi#/components/schemas/${schemaName(file)}`);
    if (validate === undefined) throw new Error(`no schema ${schemaName(file)}`);
    expect(validate(read(file)), JSON.stringify(validate.errors)).toBe(true);
  });

  test("a message with a surplus or missing field would be noticed", () => {
    const validate = ajv.getSchema("openapi#/components/schemas/Status");
    const status = read("status.done.json") as Record<string, unknown>;
    expect(validate?.({ ...status, colour: "red" })).toBe(false);
    expect(validate?.({ ...status, progress: undefined })).toBe(false);
    expect(validate?.({ ...status, result: { bytes: 1 } })).toBe(false);
  });

  test("there is one for every message of the contract", () => {
    const named = entriesOf((read("../openapi.json") as { components: { schemas: unknown } }).components.schemas).map(
      ([name]) => name,
    );
    const parts = [
      "AccountSlots",
      "ErrorCode",
      "FieldProblem",
      "KeyframeField",
      "Licence",
      "LocalText",
      "Mode",
      "Model",
      "Notice",
      "Parameter",
      "Preset",
      "ResultFacts",
      "StorageProblem",
      "TaskErrorCode",
      "TaskProblem",
      "WaitingFor",
    ];
    const messagesOfContract = named.filter(
      (name) => !parts.includes(name) && !/^Generate(Anisora|Phr00t|Pony|Flux)/.test(name),
    );
    expect([...new Set(messages.map(schemaName))].sort()).toEqual(messagesOfContract.sort());
  });

  test.each(messages.filter((name) => name.startsWith("generate-request.")))(
    "%s is accepted by the catalog",
    (file) => {
      expect(checkRequest(read(file) as Record<string, unknown>)).toMatchObject({ ok: true });
    },
  );

  test.each(messages.filter((name) => name.startsWith("problem.")))(
    "%s says what the table says about its code",
    (file) => {
      const problem = read(file) as { code: keyof typeof errorCodes };
      expect(problem).toMatchObject({ ...errorCodes[problem.code], type: problemType(problem.code) });
    },
  );
});

describe("refused requests", () => {
  const refused = read("refused-requests.json") as {
    body: Record<string, unknown>;
    code: string;
    fields: Record<string, string>;
  }[];

  test.each(refused.map((one) => [JSON.stringify(one.body).slice(0, 80), one] as const))(
    "%s",
    (_text, { body, code, fields }) => {
      const result = checkRequest(body);
      if (result.ok) throw new Error("accepted");
      expect(result.code).toBe(code);
      expect(Object.fromEntries(result.errors.map((error) => [error.field, error.code]))).toEqual(fields);
      expect(ajv.getSchema("openapi#/components/schemas/GenerateRequest")?.(body)).toBe(false);
    },
  );
});
