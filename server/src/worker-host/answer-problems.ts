/** Every refusal of a worker leaves through this file, whoever found the fault: a route, fastify, or the HTTP parser. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { problemContentType } from "@safelight/contract";
import { workerErrorCodes, workerHeaders, workerProtocol } from "@safelight/contract/worker";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { explainFrameworkError, explainParseError } from "../http/problems.ts";
import { pathOfRequest } from "../http/request-context.ts";
import type { Log } from "../log.ts";
import { toWorkerRefusal, type WorkerRefusal, workerProblemOf } from "./refusal.ts";

/** Headers of every answer. */
export const commonHeaders: Readonly<Record<string, string>> = {
  [workerHeaders.protocol]: String(workerProtocol),
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
};

export function sendRefusal(request: FastifyRequest, reply: FastifyReply, refusal: WorkerRefusal): FastifyReply {
  for (const name of ["content-length", "accept-ranges", "connection"]) reply.removeHeader(name);
  reply.headers({ ...commonHeaders, ...refusal.headers, "x-correlation-id": request.id });
  const problem = workerProblemOf(refusal, pathOfRequest(request), request.id);
  return reply.code(problem.status).type(problemContentType).send(JSON.stringify(problem));
}

export function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler<FastifyError>((thrown, request, reply) => {
    const refusal = toWorkerRefusal(explainFrameworkError(thrown) ?? thrown);
    if (workerErrorCodes[refusal.code].status === 500 || refusal.code === "storage_unavailable") {
      const error = refusal.cause ?? refusal;
      log.error("a request failed", { correlation_id: request.id, method: request.method, code: refusal.code, error });
    }
    return sendRefusal(request, reply, refusal);
  });
}

/** Answers bytes that are not HTTP, on the socket itself. */
export function answerNoHttp(error: NodeJS.ErrnoException, socket: Socket): void {
  const underWay = (socket as Socket & { _httpMessage?: ServerResponse | null })._httpMessage?.headersSent === true;
  if (error.code === "ECONNRESET" || !socket.writable || underWay) {
    socket.destroy();
    return;
  }
  const problem = workerProblemOf(toWorkerRefusal(explainParseError(error.code ?? "")), "", crypto.randomUUID());
  const body = JSON.stringify(problem);
  const headers = Object.entries({
    ...commonHeaders,
    "content-type": problemContentType,
    "content-length": String(Buffer.byteLength(body)),
    connection: "close",
  });
  const head = headers.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.end(`HTTP/1.1 ${problem.status} Refused\r\n${head}\r\n${body}`);
}
