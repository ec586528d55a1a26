/** The OpenAPI 3.1 document, written from the route table: a pure function of the source, in the order of the table. */
import packageFacts from "../package.json" with { type: "json" };
import { type Json, namedSchemas, referring, spelledOut } from "./components.ts";
import { type ErrorCode, errorCodes } from "./errors.ts";
import type { Access, Route, RouteBody, RouteResponse } from "./route.ts";
import { routes } from "./routes.ts";
import { eventSchemas } from "./schemas/events.ts";
import { problemContentType } from "./schemas/problem.ts";

export type OpenApiDocument = { readonly [key: string]: Json };

const groups: Readonly<Record<Route["group"], string>> = {
  auth: "Sessions of browsers. Programs send an API key with each request instead.",
  models: "What can be made, and with which parameters.",
  uploads: "Reference pictures.",
  tasks: "Submitting, watching, cancelling and listing tasks.",
  gallery: "What came of it: finding, marking, exporting, deleting.",
  events: "Progress as server-sent events.",
  media: "Results and previews.",
  admin: "For operators: worker accounts, all tasks, the audit log.",
  system: "Health and documentation.",
};

const security: Readonly<Record<Access, Json>> = {
  public: [],
  cookie: [{ SessionCookie: [] }],
  client: [{ ApiKeyHeader: [] }, { ApiKeyQuery: [] }, { SessionCookie: [] }],
  "admin-key": [{ AdminKeyHeader: [] }],
  admin: [{ AdminCookie: [] }],
  metrics: [{ AdminCookie: [] }, { MetricsToken: [] }],
};

const securitySchemes: Json = {
  ApiKeyHeader: { type: "apiKey", in: "header", name: "X-API-Key", description: "Counts before everything else." },
  ApiKeyQuery: { type: "apiKey", in: "query", name: "api_key", description: "For media addresses; counts second." },
  SessionCookie: { type: "apiKey", in: "cookie", name: "gg_session", description: "For browsers; counts last." },
  AdminKeyHeader: { type: "apiKey", in: "header", name: "X-Admin-Key", description: "Starts an admin session." },
  AdminCookie: { type: "apiKey", in: "cookie", name: "gg_admin_session", description: "For operators." },
  MetricsToken: { type: "http", scheme: "bearer", description: "METRICS_TOKEN, for whoever collects metrics." },
};

const description = `Submit a prompt, watch it being made, read the picture or clip.

Every refusal has the form of RFC 9457 with exactly one \`code\`; each route lists its codes. Unknown addresses answer
\`not_found\`, wrong methods \`method_not_allowed\` with an Allow header. Times are ISO 8601 in UTC. The API grows by
addition only: ignore fields, codes and events that you do not know.`;

/** Builds the document. The caller may change what it gets; the next call gives a fresh one. */
export function buildOpenApi(): OpenApiDocument {
  return {
    openapi: "3.1.0",
    info: {
      title: "Safelight",
      version: packageFacts.version,
      description,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: Object.entries(groups).map(([name, text]) => ({ name, description: text })),
    paths: pathsOf(Object.values<Route>(routes)),
    components: {
      schemas: Object.fromEntries(Object.entries(namedSchemas).map(([name, schema]) => [name, spelledOut(schema)])),
      securitySchemes,
    },
  };
}

function pathsOf(table: readonly Route[]): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of table) (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route);
  return paths;
}

function operation(route: Route): Json {
  const parameters = [
    ...parametersIn("path", route.path_parameters),
    ...parametersIn("query", route.query),
    ...parametersIn("header", route.headers),
  ];
  return {
    operationId: route.name,
    tags: [route.group],
    summary: route.summary,
    description: route.description,
    security: security[route.access],
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: requestBody(route.body) }),
    responses: {
      ...Object.fromEntries(Object.entries(route.responses).map(([status, answer]) => [status, response(answer)])),
      ...refusals(route.errors),
    },
  };
}

function parametersIn(place: "path" | "query" | "header", schema: Route["query"]): Json[] {
  const required = new Set<string>(schema?.required ?? []);
  return Object.entries(schema?.properties ?? {}).map(([name, property]) => {
    const { description: text, ...rest } = property as { readonly description?: string };
    return {
      name: place === "header" ? headerName(name) : name,
      in: place,
      required: required.has(name),
      ...(text === undefined ? {} : { description: text }),
      schema: referring(rest),
    };
  });
}

function headerName(name: string): string {
  const words = name.split("-").map((word) => (word === "id" ? "ID" : word.charAt(0).toUpperCase() + word.slice(1)));
  return words.join("-");
}

function requestBody({ content_type, schema, other_content_types = {}, required }: RouteBody): Json {
  const contents = Object.entries({ [content_type]: schema, ...other_content_types });
  return {
    required,
    content: Object.fromEntries(contents.map(([type, one]) => [type, { schema: referring(one) }])),
  };
}

function response(answer: RouteResponse): Json {
  const { description: text, content_type, other_content_types, schema, events = eventSchemas, headers } = answer;
  const types = content_type === undefined ? [] : [content_type, ...(other_content_types ?? [])];
  const body = schema === undefined ? {} : { schema: referring(schema) };
  return {
    description: text,
    ...(headers === undefined ? {} : { headers: headersOf(headers) }),
    ...(types.length === 0 ? {} : { content: Object.fromEntries(types.map((type) => [type, body])) }),
    ...(content_type === "text/event-stream" ? { "x-events": referring(events) } : {}),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): Json {
  return Object.fromEntries(
    Object.entries(headers).map(([name, text]) => [name, { description: text, schema: { type: "string" } }]),
  );
}

const waiting: ReadonlySet<ErrorCode> = new Set(["rate_limited", "queue_full", "task_not_ready"]);

/** Codes of one status share a response; which of them it may carry is said by the enum of `code`. */
function refusals(codes: readonly ErrorCode[]): Record<string, Json> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes)
    byStatus.set(errorCodes[code].status, [...(byStatus.get(errorCodes[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => {
      const retry = same.some((code) => waiting.has(code));
      const problem = {
        allOf: [{ $ref: "#/components/schemas/Problem" }, { type: "object", properties: { code: { enum: same } } }],
      };
      return [
        String(status),
        {
          description: same.map((code) => `${code}: ${errorCodes[code].title}.`).join(" "),
          ...(retry ? { headers: headersOf({ "Retry-After": "Seconds to wait before trying again." }) } : {}),
          content: { [problemContentType]: { schema: problem } },
        },
      ];
    }),
  );
}
