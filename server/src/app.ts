/** Puts the routes together. What it is given it does not own: the caller opens and closes database, media and streams. */
import { Ajv, type ValidateFunction } from "ajv";
import {
  type FastifyInstance,
  type FastifyRequest,
  type FastifySchema,
  type FastifySchemaCompiler,
  fastify,
} from "fastify";
import { SafelightError } from "./errors.ts";
import { registerAdminAccountRoutes } from "./http/admin-account-routes.ts";
import { registerAdminAuditRoutes } from "./http/admin-audit-routes.ts";
import { registerAdminDeploymentRoutes } from "./http/admin-deployment-routes.ts";
import { registerAdminFiguresRoutes } from "./http/admin-figures-routes.ts";
import { registerAdminQueueRoutes } from "./http/admin-queue-routes.ts";
import { registerAdminRoutes } from "./http/admin-routes.ts";
import { registerAdminSecretRoutes } from "./http/admin-secret-routes.ts";
import { registerAdminSessionRoutes } from "./http/admin-session-routes.ts";
import { readBodies } from "./http/body-parsers.ts";
import { registerDocsRoutes } from "./http/docs-routes.ts";
import { registerEventRoutes } from "./http/event-routes.ts";
import { registerGalleryRoutes } from "./http/gallery-routes.ts";
import { registerGenerateRoutes } from "./http/generate-routes.ts";
import { createHostAndOrigin } from "./http/host-and-origin.ts";
import type { Installation } from "./http/installation.ts";
import { registerMediaRoutes } from "./http/media-routes.ts";
import { MethodTable } from "./http/method-table.ts";
import { registerModelRoutes } from "./http/model-routes.ts";
import { registerPageRoutes } from "./http/page-routes.ts";
import { answerParseError, explainFrameworkError, handleErrors, sendProblem } from "./http/problems.ts";
import { type Registrar, recordIfForeign } from "./http/register.ts";
import { pathOfRequest } from "./http/request-context.ts";
import { type CommonHeaders, createCommonHeaders } from "./http/security-headers.ts";
import { registerSessionRoutes } from "./http/session-routes.ts";
import { registerSystemRoutes } from "./http/system-routes.ts";
import { registerTaskRoutes } from "./http/task-routes.ts";
import { registerUploadRoutes } from "./http/upload-routes.ts";

/** Builds the app; it is not listening yet. */
export async function buildApp(installation: Installation): Promise<FastifyInstance> {
  const commonHeaders = createCommonHeaders(installation.config);
  const app = createFastify(installation, commonHeaders);
  const hostAndOrigin = createHostAndOrigin(installation.config);
  const registrar: Registrar = { app, installation, hostAndOrigin, methods: new MethodTable() };
  app.decorate("strike", (text: string) => installation.context.log.strike(text));
  app.decorateRequest("credential", null);
  app.decorateRequest("began", 0);
  app.setValidatorCompiler(createValidatorCompiler());
  addCommonHeaders(app, commonHeaders);
  handleErrors(app, installation.context.log);
  readBodies(app);
  refuseQueries(registrar);
  logRequests(app, installation);
  measureRequests(app, installation);

  registerSystemRoutes(registrar);
  registerSessionRoutes(registrar);
  registerModelRoutes(registrar);
  await registerUploadRoutes(registrar);
  registerGenerateRoutes(registrar);
  registerTaskRoutes(registrar);
  registerGalleryRoutes(registrar);
  registerEventRoutes(registrar);
  registerMediaRoutes(registrar);
  registerAdminSessionRoutes(registrar);
  registerAdminRoutes(registrar);
  registerAdminAuditRoutes(registrar);
  registerAdminSecretRoutes(registrar);
  registerAdminAccountRoutes(registrar);
  registerAdminQueueRoutes(registrar);
  registerAdminFiguresRoutes(registrar);
  registerAdminDeploymentRoutes(registrar);
  registerDocsRoutes(registrar);
  await registerPageRoutes(registrar);

  answerOptions(registrar);
  refuseTheRest(registrar);
  await app.ready();
  return app;
}

function createFastify({ config }: Installation, commonHeaders: CommonHeaders): FastifyInstance {
  return fastify({
    logger: false,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    genReqId: () => crypto.randomUUID(),
    requestIdHeader: false,
    bodyLimit: 64 * 1024,
    // Slow senders: a picture over a poor line may take minutes, a head may not.
    requestTimeout: 300_000,
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: false, caseSensitive: true },
    // A missing Host header gets our own answer, in our own form.
    http: { requireHostHeader: false, headersTimeout: 30_000 },
    forceCloseConnections: "idle",
    return503OnClosing: false,
    clientErrorHandler: answerParseError,
    frameworkErrors: (error, request, reply) => {
      const known =
        explainFrameworkError(error) ?? new SafelightError("not_found", "There is nothing at this address.");
      // Hooks do not run for what the router itself refuses.
      sendProblem(request, reply.headers(commonHeaders.of(request)).header("x-correlation-id", request.id), known);
    },
  });
}

/**
 * Two validators: what stands in a query or a header is text and may be read as a number, what stands in JSON has its type already.
 * Schemas are compiled at the first request that needs them, which keeps the start quick.
 */
function createValidatorCompiler(): FastifySchemaCompiler<FastifySchema> {
  const options = { strict: false, useDefaults: true, validateFormats: false } as const;
  const strict = new Ajv(options);
  const coercing = new Ajv({ ...options, coerceTypes: true });
  return ({ schema, httpPart }) => {
    const ajv = httpPart === "body" ? strict : coercing;
    let validate: ValidateFunction | undefined;
    return (data: unknown) => {
      validate ??= ajv.compile(schema);
      // A body that may be left out and is left out has nothing to judge.
      if (httpPart === "body" && (data === undefined || data === null)) return true;
      return validate(data) === true ? true : { error: (validate.errors ?? []) as unknown as Error };
    };
  };
}

function addCommonHeaders(app: FastifyInstance, commonHeaders: CommonHeaders): void {
  app.addHook("onRequest", (request, reply, done) => {
    request.began = performance.now();
    reply.headers(commonHeaders.of(request)).header("x-correlation-id", request.id);
    done();
  });
}

/**
 * One line for each request as its answer begins; reads that go well, such as polling, only when debugging. The query is left out: it
 * may hold a key. (A hook after the answer would cost every poll two listeners.)
 */
function logRequests(app: FastifyInstance, { context }: Installation): void {
  const isDebugging = ["trace", "debug"].includes(context.config.logLevel);
  app.addHook("onSend", (request, reply, _payload, done) => {
    const routine = reply.statusCode < 400 && (request.method === "GET" || request.method === "HEAD");
    if (!routine || isDebugging) {
      context.log[routine ? "debug" : "info"]("request", {
        correlation_id: request.id,
        method: request.method,
        path: pathOfRequest(request),
        status: reply.statusCode,
        took_ms: Math.round(performance.now() - request.began),
        source: request.ip,
        actor: request.credential?.actor.id ?? null,
      });
    }
    done();
  });
}

/** Until the answer begins, like the log; the template of a route stands for its address. */
function measureRequests(app: FastifyInstance, { metrics }: Installation): void {
  app.addHook("onSend", (request, reply, _payload, done) => {
    metrics.observe({
      route: request.is404 ? null : templateOf(request.routeOptions.url),
      method: request.method,
      status: reply.statusCode,
      seconds: (performance.now() - request.began) / 1000,
    });
    done();
  });
}

const templates = new Map<string, string>();

function templateOf(url: string | undefined): string | null {
  if (url === undefined) return null;
  let template = templates.get(url);
  if (template === undefined) {
    template = url.replaceAll(/:(\w+)/g, "{$1}");
    templates.set(url, template);
  }
  return template;
}

function answerOptions({ app, installation, hostAndOrigin, methods }: Registrar): void {
  for (const path of methods.paths) {
    app.options(path.replaceAll(/\{(\w+)\}/g, ":$1"), async (request, reply) => {
      try {
        hostAndOrigin.checkHost(request);
        hostAndOrigin.checkOrigin(request, reply);
      } catch (error) {
        return recordIfForeign(installation, path, request, error);
      }
      hostAndOrigin.answerPreflight(request, reply, methods.of(path));
      return reply;
    });
  }
}

/** fastify itself asks a QUERY for its content type before it looks whether there is a route; no route takes one. */
function refuseQueries({ app, methods }: Registrar): void {
  app.addHook("onRequest", (request, _reply, done) => {
    if (request.method === "QUERY" && request.is404) done(noSuchRoute(methods, request));
    else done();
  });
}

/** Route first: an address that is not there is 404 whoever asks, and one without that method says which it has. */
function refuseTheRest({ app, methods }: Registrar): void {
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, noSuchRoute(methods, request)));
}

function noSuchRoute(methods: Registrar["methods"], request: FastifyRequest): SafelightError {
  const allowed = methods.find(pathOfRequest(request));
  return allowed === null
    ? new SafelightError("not_found", "There is nothing at this address.")
    : new SafelightError("method_not_allowed", `This address takes ${allowed.join(", ")}.`, {
        headers: { allow: [...allowed, "OPTIONS"].join(", ") },
      });
}
