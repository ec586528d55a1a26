import { readFileSync } from "node:fs";
import { Validator } from "@seriousme/openapi-schema-validator";
import { describe, expect, test } from "vitest";
import { findBreakingChanges } from "./additive.ts";
import { at, entriesOf } from "./additive-json.ts";
import { endpoints } from "./endpoints.ts";
import { errorCodes } from "./errors.ts";
import { buildOpenApi } from "./openapi.ts";
import type { Route } from "./route.ts";
import { routes } from "./routes.ts";

const document = buildOpenApi();
const committed: unknown = JSON.parse(readFileSync(new URL("../openapi.json", import.meta.url), "utf8"));
const table = Object.values<Route>(routes);

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1 by an independent validator", async () => {
    const validator = new Validator();
    const result = await validator.validate(structuredClone(document) as Record<string, unknown>);
    expect(result.errors ?? []).toEqual([]);
    expect(result.valid).toBe(true);
    expect(validator.version).toBe("3.1");
  });

  test("is the committed one, byte for byte the same whenever it is built", () => {
    expect(committed).toEqual(document);
    expect(JSON.stringify(buildOpenApi())).toBe(JSON.stringify(document));
    expect(JSON.stringify(committed)).toBe(JSON.stringify(document));
  });

  test("takes nothing away from the last release", () => {
    const release: unknown = JSON.parse(
      readFileSync(new URL("../releases/openapi-0.1.0.json", import.meta.url), "utf8"),
    );
    expect(findBreakingChanges(release, document)).toEqual([]);
  });

  test("has every route of the table, each once, and no other", () => {
    const described = entriesOf(document["paths"]).flatMap(([path, methods]) =>
      entriesOf(methods).map(
        ([method, operation]) => `${String(at(operation, "operationId"))}: ${method.toUpperCase()} ${path}`,
      ),
    );
    const wanted = Object.entries(endpoints).map(([name, { method, path }]) => `${name}: ${method} ${path}`);
    expect(described.sort()).toEqual(wanted.sort());
    expect(new Set(described.map((one) => one.split(": ")[1])).size).toBe(described.length);
  });

  test("refers to nothing that is not there, and names nothing that nobody refers to", () => {
    const text = JSON.stringify(document);
    const referred = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    const named = Object.keys(at(document, "components", "schemas") ?? {});
    expect([...referred].filter((name) => !named.includes(name ?? ""))).toEqual([]);
    expect(named.filter((name) => !referred.has(name))).toEqual([]);
  });

  test("declares every path parameter of every path", () => {
    for (const { path, path_parameters } of table) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(path_parameters?.properties ?? {})).toEqual(inPath);
    }
  });

  test.each(table.map((route) => [route.name, route] as const))(
    "%s shows its refusals with their codes and its access",
    (_name, route) => {
      const operation = at(document, "paths", route.path, route.method.toLowerCase());
      const shown = entriesOf(at(operation, "responses")).flatMap(([status, response]) => {
        const rules = at(response, "content", "application/problem+json", "schema", "allOf", "1");
        return entriesOf(at(rules, "properties", "code", "enum")).map(([, code]) => `${status} ${String(code)}`);
      });
      expect(shown.sort()).toEqual(route.errors.map((code) => `${errorCodes[code].status} ${code}`).sort());
      const ways = entriesOf(at(operation, "security")).length;
      expect(ways).toBe({ public: 0, cookie: 1, client: 3, "admin-key": 1, admin: 1, metrics: 2 }[route.access]);
      expect(at(operation, "summary")).toMatch(/^[A-Z].*[^.]$/);
      expect(at(operation, "description")).toMatch(/\.$/);
    },
  );

  test("tells to wait where waiting helps", () => {
    const header = (path: string, method: string, status: string): unknown =>
      at(document, "paths", path, method, "responses", status, "headers", "Retry-After");
    expect(header("/generate", "post", "503")).toBeDefined();
    expect(header("/results/{id}", "get", "425")).toBeDefined();
    expect(header("/auth/session", "post", "429")).toBeDefined();
    expect(header("/tasks", "get", "422")).toBeUndefined();
  });

  test("has one form of request for each of the eleven pairs of model and mode", () => {
    const forms = entriesOf(at(document, "components", "schemas", "GenerateRequest", "oneOf")).map(([, form]) =>
      String(at(form, "$ref")).split("/").at(-1),
    );
    expect(forms).toEqual([
      "GenerateAnisoraT2v",
      "GenerateAnisoraI2v",
      "GenerateAnisoraFirstLastFrame",
      "GenerateAnisoraArbitraryFrame",
      "GeneratePhr00tT2v",
      "GeneratePhr00tI2v",
      "GeneratePhr00tFirstLastFrame",
      "GeneratePonyTxt2img",
      "GeneratePonyImg2img",
      "GenerateFluxTxt2img",
      "GenerateFluxImg2img",
    ]);
  });
});
