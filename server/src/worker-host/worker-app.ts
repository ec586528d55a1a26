/** The routes of a worker, from the contract's table. What it is given it does not own. */
import type { Readable } from "node:stream";
import {
  sha256Pattern,
  taskIdPattern,
  type WorkerHealth,
  type WorkerRoute,
  type WorkerTaskRequest,
  workerHeaders,
  workerLimits,
  workerMediaTypes,
  workerProtocol,
  workerRoutes,
} from "@safelight/contract/worker";
import { Ajv } from "ajv";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { MethodTable } from "../http/method-table.ts";
import { parseRange } from "../http/range.ts";
import { pathOfRequest } from "../http/request-context.ts";
import type { Log } from "../log.ts";
import type { DiskMediaStore } from "../media/disk-media-store.ts";
import { MediaNotFound } from "../media/disk-media-store.ts";
import { answerErrors, answerNoHttp, commonHeaders, sendRefusal } from "./answer-problems.ts";
import type { Attempt } from "./attempt.ts";
import type { ReferenceShelf } from "./reference-shelf.ts";
import { toWorkerRefusal, WorkerRefusal } from "./refusal.ts";
import type { WorkerTasks } from "./worker-tasks.ts";

export interface WorkerParts {
  readonly isKey: (presented: string) => boolean;
  readonly tasks: WorkerTasks;
  readonly shelf: ReferenceShelf;
  readonly media: DiskMediaStore;
  readonly health: () => WorkerHealth;
  readonly log: Log;
  /** Fires when the worker stops: what waits is answered at once. */
  readonly stopping: AbortSignal;
}

interface AttemptQuery {
  readonly attempt?: number;
  readonly wait?: number;
  readonly after?: number;
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown;

/** Builds the app; it is not listening yet. */
export async function buildWorkerApp(parts: WorkerParts): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    genReqId: () => crypto.randomUUID(),
    requestIdHeader: false,
    bodyLimit: workerLimits.bodyBytes,
    requestTimeout: 300_000,
    routerOptions: { maxParamLength: 300 },
    exposeHeadRoutes: false,
    http: { requireHostHeader: false, headersTimeout: 30_000 },
    forceCloseConnections: "idle",
    return503OnClosing: false,
    clientErrorHandler: answerNoHttp,
    frameworkErrors: (_error, request, reply) => {
      sendRefusal(request, reply, nothingHere());
    },
  });
  const methods = new MethodTable();
  setValidators(app);
  readBodies(app);
  answerErrors(app, parts.log);
  app.addHook("onRequest", (request, reply, done) => {
    reply.headers(commonHeaders).header("x-correlation-id", request.id);
    done();
  });
  const add = (route: WorkerRoute, handler: Handler): void => addRoute(app, methods, parts, route, handler);
  add(workerRoutes.getHealth, parts.health);
  addMedia(add, parts);
  addTasks(add, parts);
  addFiles(add, parts);
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.find(pathOfRequest(request));
    if (allowed === null) return sendRefusal(request, reply, nothingHere());
    const detail = `This address takes ${allowed.join(", ")}.`;
    const headers = { allow: allowed.join(", ") };
    return sendRefusal(request, reply, new WorkerRefusal("method_not_allowed", detail, { headers }));
  });
  await app.ready();
  return app;
}

function addRoute(
  app: FastifyInstance,
  methods: MethodTable,
  parts: WorkerParts,
  route: WorkerRoute,
  handler: Handler,
): void {
  methods.add(route.path, [route.method]);
  const json = route.body?.content_types.includes("application/json") === true;
  app.route({
    method: route.method,
    url: route.path.replaceAll(/\{(\w+)\}/g, ":$1"),
    ...(route.body !== undefined && !json ? { bodyLimit: workerLimits.mediaBytes } : {}),
    config: { takes: route.body?.content_types ?? [] },
    schema: {
      ...(route.query === undefined ? {} : { querystring: route.query }),
      ...(json ? { body: route.body?.schema } : {}),
    },
    onRequest: (request, _reply, done) => {
      requireKey(request, parts.isKey);
      requireProtocol(request);
      done();
    },
    handler,
  });
}

declare module "fastify" {
  interface FastifyContextConfig {
    /** Content types of the body; a route of a worker without any lets a body pass unread. */
    takes?: readonly string[];
  }
}

function requireKey({ headers }: FastifyRequest, isKey: WorkerParts["isKey"]): void {
  const presented = /^bearer +(\S+) *$/i.exec(headers.authorization ?? "")?.[1];
  if (presented !== undefined && isKey(presented)) return;
  const detail = presented === undefined ? "There is no worker key." : "The key is not the key of this worker.";
  throw new WorkerRefusal("invalid_worker_key", detail, { headers: { "www-authenticate": "Bearer" } });
}

function requireProtocol({ headers }: FastifyRequest): void {
  const said = headers[workerHeaders.protocol];
  if (said === String(workerProtocol)) return;
  const other = said === undefined ? "names none" : `says ${JSON.stringify(String(said).slice(0, 20))}`;
  const detail = `This worker speaks version ${workerProtocol} of the protocol, the request ${other}.`;
  throw new WorkerRefusal("protocol_unsupported", detail);
}

/** Text out of a query may be read as a number; what stands in JSON has its type already. */
function setValidators(app: FastifyInstance): void {
  const options = { strict: false, validateFormats: false } as const;
  const strict = new Ajv(options);
  const coercing = new Ajv({ ...options, coerceTypes: true });
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const validate = (httpPart === "body" ? strict : coercing).compile(schema);
    return (data: unknown) => (validate(data) === true ? true : { error: (validate.errors ?? []) as unknown as Error });
  });
}

function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser("error", "error");
  const refuses = ({ routeOptions, headers }: FastifyRequest, type: string): WorkerRefusal | null => {
    const takes = routeOptions.config.takes ?? [];
    const encoded = (headers["content-encoding"] ?? "identity") !== "identity";
    if (takes.includes(type) && !encoded) return null;
    return new WorkerRefusal("unsupported_media_type", `Send ${takes.join(" or ")}, without compression.`);
  };
  app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (request, body, done) => {
    if ((request.routeOptions.config.takes ?? []).length === 0) return done(null, undefined);
    const refusal = refuses(request, "application/json");
    return refusal === null ? parseJson(request, body, done) : done(refusal);
  });
  app.addContentTypeParser([...workerMediaTypes], (request: FastifyRequest, body: Readable, done) => {
    const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
    done(refuses(request, type), body);
  });
  app.addContentTypeParser("*", (request: FastifyRequest, body: Readable, done) => {
    body.resume();
    if ((request.routeOptions.config.takes ?? []).length === 0) return done(null, undefined);
    done(refuses(request, ""));
  });
}

function addMedia(add: (route: WorkerRoute, handler: Handler) => void, { shelf }: WorkerParts): void {
  add(workerRoutes.putMedia, async (request, reply) => {
    const { sha256 } = request.params as { sha256: string };
    if (!new RegExp(sha256Pattern).test(sha256)) throw wrongHash();
    // A request without a body never reaches a parser.
    if (request.body === undefined || request.body === null) {
      throw new WorkerRefusal("unsupported_media_type", `Send ${workerMediaTypes.join(" or ")}.`);
    }
    const type = request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() ?? "";
    const body = request.body as Readable;
    try {
      const { bytes, isNew } = await shelf.put(sha256, type, body);
      return reply.code(isNew ? 201 : 200).send({ sha256, bytes });
    } catch (error) {
      // What is still to come is let through unread, so that the sender gets to see the answer.
      request.raw.resume();
      throw error;
    }
  });
}

function addTasks(add: (route: WorkerRoute, handler: Handler) => void, { tasks, stopping }: WorkerParts): void {
  add(workerRoutes.createTask, (request, reply) => {
    const { task, isNew } = tasks.accept(request.body as WorkerTaskRequest);
    return reply.code(isNew ? 202 : 200).send(task);
  });
  add(workerRoutes.getTask, async (request, reply) => {
    const attempt = attemptOf(tasks, request);
    const { wait = 0, after = 0 } = request.query as AttemptQuery;
    if (wait > 0) {
      const left = new AbortController();
      reply.raw.once("close", () => left.abort());
      await attempt.changed(after, wait * 1000, AbortSignal.any([left.signal, stopping]));
    }
    return attempt.task;
  });
  add(workerRoutes.cancelTask, async (request) => {
    const attempt = attemptOf(tasks, request);
    await tasks.cancel(attempt);
    return attempt.task;
  });
  add(workerRoutes.deleteTask, async (request, reply) => {
    await tasks.remove(attemptOf(tasks, request));
    return reply.code(204).send();
  });
}

function addFiles(add: (route: WorkerRoute, handler: Handler) => void, { tasks, media }: WorkerParts): void {
  add(workerRoutes.getPreview, async (request, reply) => {
    const attempt = attemptOf(tasks, request);
    const version = attempt.task.preview_version;
    const { contentType, body } = await tasks.preview(attempt);
    return reply.type(contentType).header(workerHeaders.previewVersion, String(version)).send(body);
  });
  add(workerRoutes.getResult, async (request, reply) => sendResult(attemptOf(tasks, request), media, request, reply));
}

async function sendResult(
  { task, kept }: Attempt,
  media: DiskMediaStore,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  if (task.state === "running") throw new WorkerRefusal("task_not_ended", "The task is still running.");
  const name = kept?.result ?? null;
  if (task.result === null || name === null) {
    throw new WorkerRefusal("task_failed", task.error?.detail ?? "The task failed.");
  }
  const { bytes, sha256, content_type } = task.result;
  const range = parseRange(request.headers.range, bytes);
  const body = await media.open(name, range ?? undefined).catch((error: unknown) => {
    throw error instanceof MediaNotFound
      ? new WorkerRefusal("result_gone", "The file of this result is gone.")
      : toWorkerRefusal(error);
  });
  reply.headers({
    "content-type": content_type,
    "accept-ranges": "bytes",
    "content-length": String(range === null ? bytes : range.end - range.start + 1),
    [workerHeaders.sha256]: sha256,
    [workerHeaders.size]: String(bytes),
  });
  if (range !== null) reply.code(206).header("content-range", `bytes ${range.start}-${range.end}/${bytes}`);
  return reply.send(body);
}

function attemptOf(tasks: WorkerTasks, request: FastifyRequest): Attempt {
  const { id } = request.params as { id: string };
  if (!new RegExp(taskIdPattern).test(id)) throw new WorkerRefusal("task_not_found", "There is no such task here.");
  return tasks.find(id, (request.query as AttemptQuery).attempt);
}

function nothingHere(): WorkerRefusal {
  return new WorkerRefusal("not_found", "There is nothing at this address.");
}

function wrongHash(): WorkerRefusal {
  const message = "sha256 must be 64 hexadecimal digits in lower case.";
  return new WorkerRefusal("validation_failed", message, { fields: [{ field: "sha256", code: "pattern", message }] });
}
