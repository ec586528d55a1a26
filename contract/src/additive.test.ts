import { describe, expect, test } from "vitest";
import { findBreakingChanges } from "./additive.ts";
import { buildOpenApi } from "./openapi.ts";

type Tree = Record<string, unknown>;

/** A small document with one of everything that is compared. */
function release(): Tree {
  const problem = {
    "application/problem+json": {
      schema: {
        allOf: [{ $ref: "#/components/schemas/Problem" }, { properties: { code: { enum: ["not_found", "gone"] } } }],
      },
    },
  };
  return {
    paths: {
      "/things/{id}": {
        get: {
          operationId: "getThing",
          security: [{ Key: [] }, { Cookie: [] }],
          parameters: [
            { name: "id", in: "path", required: true, schema: { type: "string" } },
            { name: "order", in: "query", required: false, schema: { type: "string", enum: ["asc", "desc"] } },
            { name: "limit", in: "query", required: false, schema: { type: "integer", minimum: 1, maximum: 100 } },
          ],
          responses: {
            200: {
              headers: { ETag: {} },
              content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } },
              "x-events": { changed: { $ref: "#/components/schemas/Thing" } },
            },
            304: {},
            404: { content: problem },
          },
        },
      },
      "/things": {
        post: {
          operationId: "makeThing",
          security: [],
          requestBody: {
            required: false,
            content: { "application/json": { schema: { $ref: "#/components/schemas/MakeThing" } } },
          },
          responses: { 201: { content: { "application/json": { schema: { $ref: "#/components/schemas/Thing" } } } } },
        },
      },
    },
    components: {
      schemas: {
        Problem: { type: "object", properties: { code: { type: "string", enum: ["gone", "not_found"] } } },
        Thing: {
          type: "object",
          required: ["name", "size", "state", "parts"],
          properties: {
            name: { type: "string" },
            size: { type: "integer" },
            note: { type: ["string", "null"] },
            state: { type: "string", enum: ["new", "old"] },
            parts: { type: "array", items: { $ref: "#/components/schemas/Part" } },
            extras: { type: "object", additionalProperties: { type: "number" } },
            shape: {
              oneOf: [
                { title: "round", type: "object" },
                { title: "square", type: "object" },
              ],
            },
          },
        },
        Part: {
          type: "object",
          required: ["weight"],
          properties: { weight: { type: "number" }, of: { $ref: "#/components/schemas/Thing" } },
        },
        MakeThing: {
          oneOf: [{ $ref: "#/components/schemas/MakeSmall" }, { $ref: "#/components/schemas/MakeLarge" }],
        },
        MakeSmall: {
          type: "object",
          required: ["name"],
          additionalProperties: false,
          properties: {
            name: { type: "string", minLength: 1, maxLength: 20, pattern: "\\S" },
            count: { type: "integer", minimum: 2, maximum: 8, multipleOf: 2 },
            ratio: { type: "number" },
            tags: { type: "array", minItems: 1, maxItems: 5, items: { type: "string" } },
            kind: { enum: ["a", "b"] },
            fixed: { const: 4 },
          },
        },
        MakeLarge: { type: "object", properties: {} },
      },
    },
  };
}

function change(path: string, value: unknown): string[] {
  const next = release();
  const keys = path.split(">");
  const last = keys.pop() ?? "";
  let here: Tree = next;
  for (const key of keys) here = here[key] as Tree;
  if (value === undefined) delete here[last];
  else here[last] = value;
  return findBreakingChanges(release(), next);
}

const get = "paths>/things/{id}>get";
const post = "paths>/things>post";
const schemas = "components>schemas";
const small = `${schemas}>MakeSmall>properties`;
const thing = `${schemas}>Thing>properties`;

describe("a change that breaks clients is found", () => {
  test.each<[string, string, unknown, string]>([
    ["a route gone", "paths>/things", undefined, "POST /things: the route is gone"],
    ["a method gone", get, undefined, "GET /things/{id}: the route is gone"],
    [
      "an operation renamed",
      `${get}>operationId`,
      "readThing",
      "GET /things/{id}: operationId changed from getThing to readThing",
    ],
    [
      "a credential no longer taken",
      `${get}>security`,
      [{ Key: [] }],
      'GET /things/{id}: no longer lets in by {"Cookie":[]}',
    ],
    ["a public route closed", `${post}>security`, [{ Key: [] }], "POST /things: now needs a credential"],
    [
      "a query parameter gone",
      `${get}>parameters>1`,
      { name: "id2", in: "query", schema: {} },
      "GET /things/{id}: query parameter order is gone",
    ],
    [
      "a parameter newly required",
      `${get}>parameters>2>required`,
      true,
      "GET /things/{id}: query parameter limit is newly required",
    ],
    [
      "a new parameter required",
      `${get}>parameters>3`,
      { name: "key", in: "header", required: true, schema: {} },
      "GET /things/{id}: header parameter key is newly required",
    ],
    [
      "a parameter's value gone",
      `${get}>parameters>1>schema>enum`,
      ["asc"],
      'GET /things/{id}: query parameter order: "desc" is gone',
    ],
    [
      "a parameter's limit lowered",
      `${get}>parameters>2>schema>maximum`,
      50,
      "GET /things/{id}: query parameter limit: maximum changed from 100 to 50",
    ],
    ["a response code gone", `${get}>responses>304`, undefined, "GET /things/{id}: response 304 is gone"],
    ["a refusal gone", `${get}>responses>404`, undefined, "GET /things/{id}: response 404 (not_found, gone) is gone"],
    [
      "a content type gone",
      `${get}>responses>200>content`,
      { "text/plain": {} },
      "GET /things/{id}: response 200 is no longer application/json",
    ],
    [
      "a header gone",
      `${get}>responses>200>headers>ETag`,
      undefined,
      "GET /things/{id}: header ETag of response 200 is gone",
    ],
    ["an event gone", `${get}>responses>200>x-events`, {}, "GET /things/{id}: event changed is gone"],
    [
      "an error code of a route gone",
      `${get}>responses>404>content>application/problem+json>schema>allOf>1>properties>code>enum`,
      ["gone"],
      'GET /things/{id}: response 404.code: "not_found" is gone',
    ],
    [
      "an error code gone everywhere",
      `${schemas}>Problem>properties>code>enum`,
      ["gone"],
      'Problem, received.code: "not_found" is gone',
    ],
    ["a field of an answer gone", `${thing}>note`, undefined, "Thing, received.note: the field is gone"],
    [
      "a field that may be missing",
      `${schemas}>Thing>required`,
      ["name", "state", "parts"],
      "Thing, received.size: may now be missing",
    ],
    ["a field of another type", `${thing}>size>type`, "string", "Thing, received.size: is no longer integer"],
    ["a field that may be null", `${thing}>name>type`, ["string", "null"], "Thing, received.name: may now be null"],
    ["a whole number that may be broken", `${thing}>size>type`, "number", "Thing, received.size: may now be number"],
    ["a field of any type", `${thing}>size`, {}, "Thing, received.size: may now be anything"],
    ["a state gone", `${thing}>state>enum`, ["new"], 'Thing, received.state: "old" is gone'],
    [
      "a field deep in a list gone",
      `${schemas}>Part>properties>weight`,
      undefined,
      "Part, received.weight: the field is gone",
    ],
    [
      "values of a map changed",
      `${thing}>extras>additionalProperties>type`,
      "string",
      "Thing, received.extras.*: may now be string",
    ],
    [
      "an alternative of an answer gone",
      `${thing}>shape>oneOf`,
      [{ title: "round", type: "object" }],
      "Thing, received.shape: alternative square is gone",
    ],
    [
      "an alternative of an answer added",
      `${thing}>shape>oneOf>2`,
      { title: "flat" },
      "Thing, received.shape: alternative flat was added",
    ],
    ["a body newly required", `${post}>requestBody>required`, true, "POST /things: a body is newly required"],
    [
      "a body type no longer taken",
      `${post}>requestBody>content`,
      { "text/plain": {} },
      "POST /things: a body of application/json is no longer taken",
    ],
    [
      "a form of request gone",
      `${schemas}>MakeThing>oneOf`,
      [{ $ref: "#/components/schemas/MakeSmall" }],
      "MakeThing, sent: alternative MakeLarge is gone",
    ],
    ["a field of a request gone", `${small}>ratio`, undefined, "MakeSmall, sent.ratio: the field is gone"],
    [
      "a field of a request newly required",
      `${schemas}>MakeSmall>required`,
      ["name", "count"],
      "MakeSmall, sent.count: is newly required",
    ],
    ["a minimum raised", `${small}>count>minimum`, 4, "MakeSmall, sent.count: minimum changed from 2 to 4"],
    ["a maximum lowered", `${small}>count>maximum`, 6, "MakeSmall, sent.count: maximum changed from 8 to 6"],
    ["a maximum introduced", `${small}>ratio>maximum`, 6, "MakeSmall, sent.ratio: maximum changed from none to 6"],
    ["a step changed", `${small}>count>multipleOf`, 4, "MakeSmall, sent.count: multipleOf changed from 2 to 4"],
    ["a text shortened", `${small}>name>maxLength`, 19, "MakeSmall, sent.name: maxLength changed from 20 to 19"],
    ["a pattern changed", `${small}>name>pattern`, "^x", 'MakeSmall, sent.name: pattern changed from "\\\\S" to "^x"'],
    ["a list shortened", `${small}>tags>maxItems`, 4, "MakeSmall, sent.tags: maxItems changed from 5 to 4"],
    [
      "items of another type",
      `${small}>tags>items>type`,
      "integer",
      "MakeSmall, sent.tags[]: string is no longer taken",
    ],
    ["a value no longer taken", `${small}>kind>enum`, ["a"], 'MakeSmall, sent.kind: "b" is gone'],
    [
      "a list of values introduced",
      `${small}>ratio`,
      { type: "number", enum: [1] },
      "MakeSmall, sent.ratio: takes only a list of values now",
    ],
    ["a fixed value changed", `${small}>fixed>const`, 8, "MakeSmall, sent.fixed: 4 is gone"],
    [
      "a number that must be whole",
      `${small}>ratio>type`,
      "integer",
      "MakeSmall, sent.ratio: number is no longer taken",
    ],
    [
      "further fields refused",
      `${schemas}>MakeLarge>additionalProperties`,
      false,
      "MakeLarge, sent: further fields are newly refused",
    ],
    [
      "a rule added",
      `${schemas}>MakeLarge>allOf`,
      [{ required: ["x"] }],
      'MakeLarge, sent: a rule was added: {"required":["x"]}',
    ],
    [
      "a condition added",
      `${schemas}>MakeLarge>if`,
      { required: ["x"] },
      'MakeLarge, sent: a rule was added: {"if":{"required":["x"]}}',
    ],
  ])("%s", (_what, path, value, sentence) => {
    expect(change(path, value)).toContain(sentence);
  });
});

describe("an addition passes", () => {
  test.each<[string, string, unknown]>([
    ["nothing changed", "info", {}],
    ["a route", "paths>/more", { get: { operationId: "more" } }],
    [
      "an optional parameter",
      `${get}>parameters>3`,
      { name: "page", in: "query", required: false, schema: { type: "integer" } },
    ],
    ["a value of a parameter", `${get}>parameters>1>schema>enum`, ["asc", "desc", "random"]],
    ["a wider limit", `${get}>parameters>2>schema>maximum`, 500],
    ["a limit lifted", `${small}>count>maximum`, undefined],
    ["a further way in", `${get}>security`, [{ Key: [] }, { Cookie: [] }, { Token: [] }]],
    ["a route opened to all", `${get}>security`, []],
    ["a field of an answer", `${thing}>colour`, { type: "string" }],
    ["an optional field of a request", `${small}>colour`, { type: "string" }],
    ["a field of a request no longer required", `${schemas}>MakeSmall>required`, []],
    ["a code", `${schemas}>Problem>properties>code>enum`, ["gone", "not_found", "busy"]],
    ["a state", `${thing}>state>enum`, ["new", "old", "lost"]],
    ["a refusal", `${get}>responses>429`, { content: {} }],
    ["a null a request may send", `${small}>ratio>type`, ["number", "null"]],
    ["a number where only whole ones were taken", `${small}>count>type`, "number"],
    ["any value where few were taken", `${small}>kind`, {}],
    ["a form of request", `${schemas}>MakeThing>oneOf>2`, { $ref: "#/components/schemas/Thing" }],
    ["a field that is always there now", `${schemas}>Thing>required`, ["name", "size", "state", "parts", "note"]],
    ["a field that is never null now", `${thing}>note>type`, "string"],
  ])("%s", (_what, path, value) => {
    expect(change(path, value)).toEqual([]);
  });

  test("schemas that refer to each other end", () => {
    expect(findBreakingChanges(release(), release())).toEqual([]);
  });
});

describe("on the real document", () => {
  test("it finds nothing in itself and everything in an empty one", () => {
    const document = buildOpenApi();
    expect(findBreakingChanges(document, document)).toEqual([]);
    expect(findBreakingChanges(document, {})).toContain("POST /generate: the route is gone");
  });

  test("it sees a limit of one model change", () => {
    const next = structuredClone(buildOpenApi()) as {
      components: { schemas: Record<string, { properties: Record<string, Tree> }> };
    };
    const steps = next.components.schemas["GenerateFluxImg2img"]?.properties["steps"] ?? {};
    steps["minimum"] = 20;
    expect(findBreakingChanges(buildOpenApi(), next)).toEqual([
      "GenerateFluxImg2img, sent.steps: minimum changed from 15 to 20",
    ]);
  });

  test("a document of another kind does not confuse it", () => {
    for (const other of [null, 7, "x", [], { paths: [] }])
      expect(findBreakingChanges(other, buildOpenApi())).toEqual([]);
  });
});
