/** The OpenAPI 3.1 document of the worker protocol, written from its route table: a pure function of the source. */
import type { TSchema } from "typebox";
import packageFacts from "../../package.json" with { type: "json" };
import type { Json } from "../components.ts";
import type { RouteResponse } from "../route.ts";
import { Notice } from "../schemas/fields.ts";
import { FieldProblem, problemContentType } from "../schemas/problem.ts";
import { type WorkerErrorCode, workerErrorCodes, workerTaskErrorCodes } from "./errors.ts";
import { workerLimits, workerProtocol } from "./protocol.ts";
import type { WorkerRoute } from "./route.ts";
import { workerRoutes } from "./routes.ts";
import { WorkerGpu, WorkerHealth, WorkerMode, WorkerModel, WorkerSlots } from "./schemas/health.ts";
import { WorkerMediaStored } from "./schemas/media.ts";
import { WorkerErrorCodeSchema, WorkerProblem } from "./schemas/problem.ts";
import { WorkerResult, WorkerTask, WorkerTaskError, WorkerTaskErrorCodeSchema } from "./schemas/task.ts";
import { WorkerMedia, WorkerTaskRequest } from "./schemas/task-request.ts";

/** Every named schema; golden examples are named after them. */
const namedSchemas: Readonly<Record<string, TSchema>> = {
  FieldProblem,
  Notice,
  WorkerErrorCode: WorkerErrorCodeSchema,
  WorkerGpu,
  WorkerHealth,
  WorkerMedia,
  WorkerMediaStored,
  WorkerMode,
  WorkerModel,
  WorkerProblem,
  WorkerResult,
  WorkerSlots,
  WorkerTask,
  WorkerTaskError,
  WorkerTaskErrorCode: WorkerTaskErrorCodeSchema,
  WorkerTaskRequest,
};

// Compared as text: a schema that was put into another one may be a copy.
const references = new Map<string, Json>(
  Object.entries(namedSchemas).flatMap(([name, schema]): [string, Json][] => {
    const reference = { $ref: `#/components/schemas/${name}` };
    const orNull = JSON.stringify({ ...schema, type: ["object", "null"] });
    return [
      [JSON.stringify(schema), reference],
      [orNull, { anyOf: [reference, { type: "null" }] }],
    ];
  }),
);

const description = `What a Safelight gateway and a GPU worker say to each other; the gateway asks, the worker answers.

Every request carries \`Authorization: Bearer <worker key>\` and \`Safelight-Protocol: ${workerProtocol}\`; every answer, refusals
included, carries \`Safelight-Protocol: ${workerProtocol}\`. Refusals have the form of RFC 9457 with exactly one \`code\`; each
route lists its codes in the order in which they are checked. Fields that a side does not know are passed over.`;

/** Builds the document. The caller may change what it gets; the next call gives a fresh one. */
export function buildWorkerOpenApi(): { readonly [key: string]: Json } {
  return {
    openapi: "3.1.0",
    info: {
      title: "Safelight worker protocol",
      version: packageFacts.version,
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    security: [{ WorkerKey: [] }],
    paths: pathsOf(Object.values<WorkerRoute>(workerRoutes)),
    components: {
      schemas: Object.fromEntries(Object.entries(namedSchemas).map(([name, schema]) => [name, spelledOut(schema)])),
      securitySchemes: { WorkerKey: { type: "http", scheme: "bearer", description: "The key of this worker." } },
    },
    // For workers in other languages: what the OpenAPI form has no place for.
    "x-protocol": workerProtocol,
    "x-limits": { ...workerLimits },
    "x-error-codes": copyOf(workerErrorCodes),
    "x-task-error-codes": copyOf(workerTaskErrorCodes),
  };
}

function pathsOf(table: readonly WorkerRoute[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of table) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return paths;
}

function operation(route: WorkerRoute): Json {
  const { body } = route;
  return {
    operationId: route.name,
    summary: route.summary,
    description: route.description,
    parameters: [
      ...parametersIn("path", route.path_parameters),
      ...parametersIn("query", route.query),
      ...parametersIn("header", route.headers),
      protocolHeader,
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf(body.content_types, body.schema) } }),
    responses: {
      ...Object.fromEntries(Object.entries(route.responses).map(([status, answer]) => [status, response(answer)])),
      ...refusals(route.errors),
    },
    "x-refusals": [...route.errors],
  };
}

const protocolHeader: Json = {
  name: "Safelight-Protocol",
  in: "header",
  required: true,
  schema: { const: String(workerProtocol) },
};

function parametersIn(place: "path" | "query" | "header", schema: WorkerRoute["query"]): Json[] {
  const required = new Set<string>(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const { description: text, ...rest } = property as { readonly description?: string };
    const written = place === "header" ? name.replace(/^./, (letter) => letter.toUpperCase()) : name;
    const about = text === undefined ? {} : { description: text };
    return { name: written, in: place, required: required.has(name), ...about, schema: referring(rest) };
  });
}

function contentOf(types: readonly string[], schema: TSchema): Json {
  return Object.fromEntries(types.map((type) => [type, { schema: referring(schema) }]));
}

function response({ description: text, content_type, other_content_types, schema, headers }: RouteResponse): Json {
  const types = content_type === undefined ? [] : [content_type, ...(other_content_types ?? [])];
  return {
    description: text,
    headers: headersOf({ ...headers, "Safelight-Protocol": String(workerProtocol) }),
    ...(types.length === 0 || schema === undefined ? {} : { content: contentOf(types, schema) }),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: "string" } }]),
  );
}

/** Codes of one status share a response; which of them it may carry is said by the enum of `code`. */
function refusals(codes: readonly WorkerErrorCode[]): Record<string, Json> {
  const byStatus = Map.groupBy(codes, (code) => workerErrorCodes[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => {
      const schema = {
        allOf: [
          { $ref: "#/components/schemas/WorkerProblem" },
          { type: "object", properties: { code: { enum: same } } },
        ],
      };
      const text = same.map((code) => `${code}: ${workerErrorCodes[code].title}.`).join(" ");
      return [String(status), { description: text, content: { [problemContentType]: { schema } } }];
    }),
  );
}

function referring(schema: unknown): Json {
  const isObject = typeof schema === "object" && schema !== null;
  return (isObject ? references.get(JSON.stringify(schema)) : undefined) ?? spelledOut(schema);
}

function spelledOut(schema: unknown): Json {
  if (Array.isArray(schema)) return schema.map(referring);
  if (typeof schema !== "object" || schema === null) return schema as Json;
  return Object.fromEntries(Object.entries(schema).map(([key, value]: [string, unknown]) => [key, referring(value)]));
}

function copyOf(value: unknown): Json {
  return JSON.parse(JSON.stringify(value)) as Json;
}
