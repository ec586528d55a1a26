/** Every refusal leaves the server through this file and in one form, whoever found the fault: a route, fastify, or the HTTP parser. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { errorCodes, type Problem, problemContentType, problemType } from "@safelight/contract";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { SafelightError, toSafelightError } from "../errors.ts";
import type { Log } from "../log.ts";
import { pathOfRequest } from "./request-context.ts";
import { detailOf, fieldOf } from "./schema-faults.ts";
import { securityHeaders } from "./security-headers.ts";

declare module "fastify" {
  interface FastifyInstance {
    /** A text without the secrets of the installation. */
    strike(text: string): string;
  }
}

const mostFields = 50;

export function problemOf(error: SafelightError, instance: string, correlationId: string): Problem {
  const { status, title, user_action } = errorCodes[error.code];
  return {
    type: problemType(error.code),
    title,
    status,
    detail: error.detail,
    instance,
    code: error.code,
    user_action,
    correlation_id: correlationId,
    ...(error.fields === undefined ? {} : { errors: error.fields.slice(0, mostFields).map((field) => ({ ...field })) }),
    ...(error.storage === undefined ? {} : { storage: error.storage }),
  };
}

export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: SafelightError): FastifyReply {
  if (error.headers !== undefined) reply.headers(error.headers);
  if (error.retryAfter !== undefined) reply.header("retry-after", String(Math.max(1, Math.ceil(error.retryAfter))));
  // What a route had prepared for its success describes a body that is not coming.
  for (const name of ["etag", "content-disposition", "content-length", "accept-ranges"]) reply.removeHeader(name);
  if (error.headers?.["content-range"] === undefined) reply.removeHeader("content-range");
  reply.header("cache-control", "no-store");
  // Fastify would hang up on a sender whose body is too large, who then reads a broken pipe instead of the reason.
  reply.removeHeader("connection");
  // A caller that put a key into the path by mistake must not find it in what it passes on to others.
  const path = pathOfRequest(request);
  const problem = problemOf(error, request.is404 ? request.server.strike(path) : path, request.id);
  return reply.code(problem.status).type(problemContentType).send(JSON.stringify(problem));
}

/** Makes every error of the app a problem, and logs those that are the server's own fault. */
export function handleErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const error = explainFrameworkError(thrown) ?? toSafelightError(thrown);
    // A caller who has left is no failure, and a worker that does not answer is not ours. Why access cannot be checked was told when it
    // began, and need not be told with every request.
    const isQuiet =
      ["no_workers", "queue_full"].includes(error.code) ||
      (error.code === "auth_unavailable" && error.cause === undefined) ||
      error.storage !== undefined ||
      (error.code === "worker_unreachable" && request.raw.socket.destroyed);
    if (error.status >= 500 && !isQuiet) {
      log[error.code === "worker_unreachable" ? "warn" : "error"]("a request failed", {
        correlation_id: request.id,
        method: request.method,
        route: request.routeOptions.url ?? null,
        code: error.code,
        error: error.cause ?? error,
      });
    }
    return sendProblem(request, reply, error);
  });
}

/** What fastify and its plugins found wrong, in our words; null for errors that are not theirs. */
export function explainFrameworkError(error: FastifyError): SafelightError | null {
  if (error.validation !== undefined) {
    const fields = error.validation.map((problem) => fieldOf(problem, error.validationContext));
    return new SafelightError("validation_failed", detailOf(fields), { fields });
  }
  switch (error.code) {
    case "FST_ERR_CTP_INVALID_MEDIA_TYPE":
    case "FST_INVALID_MULTIPART_CONTENT_TYPE":
      return new SafelightError("unsupported_media_type", "The content type of the body is not accepted here.");
    case "FST_ERR_CTP_BODY_TOO_LARGE":
    case "FST_REQ_FILE_TOO_LARGE":
      return new SafelightError("payload_too_large", "The body is larger than this route accepts.");
    case "FST_ERR_CTP_EMPTY_JSON_BODY":
      return new SafelightError("malformed_json", "The body is empty.");
    case "FST_ERR_CTP_INVALID_JSON_BODY":
      return new SafelightError("malformed_json", "The body cannot be read as JSON.");
    case "FST_ERR_CTP_INVALID_CONTENT_LENGTH":
      return new SafelightError("malformed_json", "The body is not as long as its Content-Length says.");
    case "FST_ERR_BAD_URL":
    case "FST_ERR_MAX_PARAM_LENGTH":
      return new SafelightError("not_found", "There is nothing at this address.");
    default:
      // The JSON parser throws its own errors with a status; their text quotes the body, so none of it is passed on.
      return error.statusCode === 400 ? new SafelightError("malformed_json", "The body cannot be read as JSON.") : null;
  }
}

const securityLines = Object.entries(securityHeaders)
  .map(([name, value]) => `${name}: ${value}`)
  .join("\r\n");

/** Answers bytes that are not HTTP. There is no request to speak of, so the answer is written to the socket itself. */
export function answerParseError(error: NodeJS.ErrnoException, socket: Socket): void {
  // Bytes that follow a request whose answer is on its way: a second answer would stand in the middle of the first.
  const underWay = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true;
  if (error.code === "ECONNRESET" || !socket.writable || underWay) {
    socket.destroy();
    return;
  }
  const problem = problemOf(explainParseError(error.code ?? ""), "", crypto.randomUUID());
  const body = JSON.stringify(problem);
  socket.end(
    `HTTP/1.1 ${problem.status} Refused\r\nContent-Type: ${problemContentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\nCache-Control: no-store\r\n${securityLines}\r\n\r\n${body}`,
  );
}

/** What the HTTP parser found wrong, by its own code. */
export function explainParseError(code: string): SafelightError {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return new SafelightError("payload_too_large", "The head of the request is too large.");
    case "HPE_INVALID_METHOD":
      return new SafelightError("method_not_allowed", "This is no HTTP method.");
    case "HPE_INVALID_URL":
      return new SafelightError("not_found", "This is no address.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new SafelightError("malformed_json", "The request did not arrive in time.");
    default:
      return new SafelightError("malformed_json", "The request is not valid HTTP.");
  }
}
