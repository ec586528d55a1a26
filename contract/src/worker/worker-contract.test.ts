import { readdirSync, readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";
import { describe, expect, test } from "vitest";
import { at, entriesOf } from "../additive-json.ts";
import { workerEndpoints } from "./endpoints.ts";
import { type WorkerErrorCode, workerErrorCodes, workerProblemType } from "./errors.ts";
import { buildWorkerOpenApi } from "./openapi.ts";
import { workerHeaders } from "./protocol.ts";
import type { WorkerRoute } from "./route.ts";
import { workerRoutes } from "./routes.ts";

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"));
const document = buildWorkerOpenApi();
const folder = new URL("../../examples/worker/", import.meta.url);
const messages = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "refused-tasks.json");
const schemaName = (file: string): string =>
  (file.split(".")[0] ?? "").replace(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Examples may not have fields that the contract does not name: a typo would pass otherwise. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== "object" || schema === null) return schema;
  const copy = Object.fromEntries(entriesOf(schema).map(([key, value]) => [key, closed(value)]));
  return "properties" in copy && "type" in copy ? { ...copy, additionalProperties: false } : copy;
}

const ajv = new Ajv2020({ strict: false });
formats.default(ajv);
ajv.addSchema(closed(document) as Record<string, unknown>, "worker");

describe("the document of the worker protocol", () => {
  test("is valid OpenAPI 3.1 and the committed one", async () => {
    const result = await new Validator().validate(structuredClone(document) as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(read("worker-openapi.json")).toEqual(document);
  });

  test("has every route once, and names every schema that it refers to", () => {
    const described = entriesOf(document.paths).flatMap(([path, methods]) =>
      entriesOf(methods).map(([method, one]) => `${String(at(one, "operationId"))}: ${method.toUpperCase()} ${path}`),
    );
    const wanted = Object.entries(workerEndpoints).map(([name, { method, path }]) => `${name}: ${method} ${path}`);
    expect(described.sort()).toEqual(wanted.sort());
    const referred = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    const named = Object.keys(at(document, "components", "schemas") ?? {});
    expect(new Set(referred)).toEqual(new Set(named));
  });

  test("every code can be refused with somewhere, and every route asks for key and protocol", () => {
    const table = Object.values<WorkerRoute>(workerRoutes);
    const used = new Set(table.flatMap(({ errors }) => errors));
    // These two stand for addresses and methods outside the table.
    const outside: WorkerErrorCode[] = ["not_found", "method_not_allowed"];
    expect([...used, ...outside].sort()).toEqual(Object.keys(workerErrorCodes).sort());
    for (const { errors } of table) expect(errors.slice(0, 2)).toEqual(["invalid_worker_key", "protocol_unsupported"]);
  });

  test("header names are lower case, as HTTP libraries give them", () => {
    for (const name of Object.values(workerHeaders)) expect(name).toBe(name.toLowerCase());
  });
});

describe("golden messages of the worker protocol", () => {
  test.each(messages)("%s fits its schema", (file) => {
    const validate = ajv.getSchema(`worker#/components/schemas/${schemaName(file)}`);
    if (validate === undefined) throw new Error(`no schema ${schemaName(file)}`);
    expect(validate(read(`examples/worker/${file}`)), JSON.stringify(validate.errors)).toBe(true);
  });

  test("there is one for every message, and a surplus field would be noticed", () => {
    const wanted = ["WorkerHealth", "WorkerMediaStored", "WorkerProblem", "WorkerTask", "WorkerTaskRequest"];
    expect([...new Set(messages.map(schemaName))].sort()).toEqual(wanted);
    const task = read("examples/worker/worker-task.running.json") as object;
    const validate = ajv.getSchema("worker#/components/schemas/WorkerTask");
    expect(validate?.({ ...task, colour: "red" })).toBe(false);
    expect(validate?.({ ...task, progress: undefined })).toBe(false);
  });

  test.each(messages.filter((name) => name.startsWith("worker-problem.")))("%s says what the table says", (file) => {
    const problem = read(`examples/worker/${file}`) as { code: WorkerErrorCode };
    expect(problem).toMatchObject({ ...workerErrorCodes[problem.code], type: workerProblemType(problem.code) });
  });
});
