/**
 * Turns a row of the contract's route table into a fastify route. The order in which a request is judged is fixed here and the same
 * for every route: route, throttle, Host and Origin, credentials, size and media type, JSON, schema; idempotency and capacity are
 * left to the handler.
 */
import type { Route } from "@safelight/contract";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from "fastify";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import type { Credential } from "../sessions/credential.ts";
import { authenticate, authenticateAdmin, authenticateMetrics, endedMeanwhile, isStillValid } from "./credentials.ts";
import type { HostAndOrigin } from "./host-and-origin.ts";
import type { Installation } from "./installation.ts";
import type { MethodTable } from "./method-table.ts";
import { refuseWithRecord } from "./refusals.ts";
import { contextOf } from "./request-context.ts";
import { type RouteRule, refuseThrottled, ruleOf, throttle } from "./throttle.ts";

/** One request on its way through a handler. */
export interface Call<Query = unknown, Body = unknown> {
  readonly context: Context;
  /** Set on every route that asks for one. */
  readonly credential: Credential | null;
  /** The `id` of the path; "" on routes without. */
  readonly id: string;
  readonly query: Query;
  readonly body: Body;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the contract says of the body; routes outside it take none. */
    body?: "required" | "optional";
    /** Takes an HTML form as well, which carries the JSON body in this field. */
    formField?: string;
  }
}

/** Answers a JSON value, or the reply itself when the handler has sent it. */
export type Handler<Query, Body> = (call: Call<Query, Body>) => unknown;

export interface RouteOptions {
  /** Bytes of a body at most. */
  readonly bodyLimit?: number;
  /** A further check of the credentials that stands before the body is read. */
  readonly proof?: (request: FastifyRequest) => unknown;
  /** Takes an HTML form as well, which carries the JSON body in this field. */
  readonly formField?: string;
  /** Told of every failure of this route before it is answered, wherever it arose; may throw another error in its place. */
  readonly onFailure?: (request: FastifyRequest, error: FastifyError) => Promise<void>;
  /** On routes for operators: the request is no use of the session. */
  readonly looksOnly?: boolean;
  /** HEAD gets the handler too, which then sends headers only; otherwise fastify makes HEAD of GET. `none`: HEAD is refused. */
  readonly head?: "handler" | "none";
}

export interface Registrar {
  readonly app: FastifyInstance;
  readonly installation: Installation;
  readonly hostAndOrigin: HostAndOrigin;
  readonly methods: MethodTable;
}

export function register<Query = unknown, Body = unknown>(
  registrar: Registrar,
  route: Route,
  handler: Handler<Query, Body>,
  options: RouteOptions = {},
): void {
  const { app, installation, methods } = registrar;
  const url = route.path.replaceAll(/\{(\w+)\}/g, ":$1");
  const withHead = route.method === "GET" && options.head !== "none";
  methods.add(route.path, withHead ? ["GET", "HEAD"] : [route.method]);
  app.route({
    method: options.head === "handler" ? ["GET", "HEAD"] : route.method,
    url,
    exposeHeadRoute: options.head === undefined,
    ...(options.bodyLimit === undefined ? {} : { bodyLimit: options.bodyLimit }),
    config: {
      ...(route.body === undefined ? {} : { body: route.body.required ? "required" : "optional" }),
      ...(options.formField === undefined ? {} : { formField: options.formField }),
    },
    schema: {
      ...(route.query === undefined ? {} : { querystring: route.query }),
      ...(route.headers === undefined ? {} : { headers: route.headers }),
      // The catalog judges a generation request itself and names what is wrong better than a schema can.
      ...(route.body?.content_type === "application/json" && !route.body.judged_by_catalog
        ? { body: route.body.schema }
        : {}),
    },
    onRequest: judge(registrar, route, options),
    preValidation: [
      ...(route.method === "GET" ? [] : [proveAgain(installation)]),
      ...(hasToHaveBody(route) ? [refuseWithoutBody] : []),
    ],
    ...(options.onFailure === undefined ? {} : { errorHandler: tellOf(options.onFailure) }),
    handler: (request, reply) => handler(new RoutedCall<Query, Body>(installation.context, request, reply)),
  });
}

/** A body may take minutes to arrive: what was proven before it has to count after it as well. */
function proveAgain(installation: Installation) {
  return async ({ credential }: FastifyRequest): Promise<void> => {
    if (credential === null) return;
    const counts = await isStillValid(installation, credential).catch((cause: unknown) => {
      throw new SafelightError("auth_unavailable", "Who may come in cannot be checked at the moment.", { cause });
    });
    if (!counts) throw endedMeanwhile(credential);
  };
}

/** A generation request is judged by its own code, and a multipart body is read by its handler. */
function hasToHaveBody({ body }: Route): boolean {
  return body?.required === true && body.content_type === "application/json" && body.judged_by_catalog !== true;
}

/** A body that has to be there and is not, or is null, is no JSON object; the validator lets both pass for those that may be left out. */
function refuseWithoutBody(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  if (request.body === undefined) return done(new SafelightError("malformed_json", "The body is empty."));
  if (request.body !== null) return done();
  const message = "The body must be a JSON object.";
  done(new SafelightError("validation_failed", message, { fields: [{ field: "", code: "wrong_type", message }] }));
}

/** Makes its context on first use: an answer that is known already needs none. */
class RoutedCall<Query, Body> implements Call<Query, Body> {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly #system: Context;
  #context: Context | undefined;

  constructor(system: Context, request: FastifyRequest, reply: FastifyReply) {
    this.#system = system;
    this.request = request;
    this.reply = reply;
  }

  get context(): Context {
    this.#context ??= contextOf(this.#system, this.request);
    return this.#context;
  }

  get credential(): Credential | null {
    return this.request.credential;
  }

  get id(): string {
    return (this.request.params as { id?: string }).id ?? "";
  }

  get query(): Query {
    return this.request.query as Query;
  }

  get body(): Body {
    return this.request.body as Body;
  }
}

/** What is thrown goes on to the one handler of errors: an error that an error handler sends is given to the next one out. */
function tellOf(onFailure: NonNullable<RouteOptions["onFailure"]>) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    onFailure(request, error).then(
      () => reply.send(error),
      (worse: unknown) => reply.send(worse),
    );
  };
}

function judge({ installation, hostAndOrigin }: Registrar, route: Route, { proof, looksOnly = false }: RouteOptions) {
  const rule = ruleOf(route);
  // What everybody may read needs no storage; whatever else there is either asks who calls or changes something.
  const asksForAccess = route.access !== "public" || route.method !== "GET";
  const admit = (request: FastifyRequest, reply: FastifyReply): Promise<unknown> | undefined => {
    hostAndOrigin.checkHost(request);
    hostAndOrigin.checkOrigin(request, reply);
    if (route.group === "admin") hostAndOrigin.checkOwnOrigin(request);
    if (asksForAccess) requireKnownAccess(installation);
    const shown = proof?.(request);
    // A refusal that is being written down; what is proven is there at once.
    if (shown instanceof Promise) return shown;
    const credential = prove(installation, route, request, reply, looksOnly);
    if (credential instanceof Promise) return credential.then((proven) => void (request.credential = proven));
    if (credential !== null) request.credential = credential;
    return undefined;
  };
  const admitLimited = async (request: FastifyRequest, reply: FastifyReply, limiting: RouteRule): Promise<unknown> => {
    const throttled = await throttle(installation, limiting, request);
    if (throttled !== null) return refuseThrottled(installation, route.path, request, throttled);
    try {
      return await admit(request, reply);
    } catch (error) {
      return recordIfForeign(installation, route.path, request, error);
    }
  };
  // Answers a promise only where it must wait: an API key is proven without, and polling should not pay for it.
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void | Promise<unknown> => {
    try {
      installation.limits.proxy.look(request.socket.remoteAddress, request.headers);
      if (rule !== null) return admitLimited(request, reply, rule);
      return admit(request, reply) ?? done();
    } catch (error) {
      return recordIfForeign(installation, route.path, request, error);
    }
  };
}

/** Fails closed (FR-023): where it cannot be told who may come in, nobody does, whatever they show. Throws `auth_unavailable`. */
function requireKnownAccess({ isAccessKnown }: Installation): void {
  if (isAccessKnown()) return;
  throw new SafelightError("auth_unavailable", "Who may come in cannot be checked at the moment.");
}

/** Null where a route asks for none, or judges its own. */
function prove(
  installation: Installation,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
  looksOnly: boolean,
): Credential | Promise<Credential> | null {
  switch (route.access) {
    case "client":
      return authenticate(installation, route, request, reply);
    case "admin":
      return authenticateAdmin(installation, request, reply, looksOnly ? "look" : "use");
    case "metrics":
      return authenticateMetrics(installation, request, reply);
    case "public":
    case "cookie":
    case "admin-key":
      return null;
  }
}

/** Rethrows; a foreign origin leaves a row in the audit log first. */
export async function recordIfForeign(
  installation: Installation,
  route: string,
  request: FastifyRequest,
  error: unknown,
): Promise<never> {
  if (!(error instanceof SafelightError) || error.code !== "cors_origin_blocked") throw error;
  return refuseWithRecord(contextOf(installation.context, request), { action: "cors_origin_blocked", route }, error);
}

/** The credential of a call to a route that asks for one. */
export function credentialOf(call: Pick<Call, "credential">): Credential {
  if (call.credential === null)
    throw new SafelightError("session_required", "This route needs a session or an API key.");
  return call.credential;
}
