import type { FastifyRequest } from "fastify";
import type { Actor, Context } from "../context/context.ts";
import type { Log } from "../log.ts";
import type { Credential } from "../sessions/credential.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Proven before the body is read; null on public routes. */
    credential: Credential | null;
    /** When it arrived, steady milliseconds. (The framework measures only with a hook after the answer, which every poll would pay.) */
    began: number;
  }
}

const anonymous: Actor = { type: "client", id: "anonymous" };

/** The context of one request. Its log is made on first use: most reads never write a line. */
export function contextOf(system: Context, request: FastifyRequest): Context {
  let log: Log | undefined;
  return {
    ...system,
    actor: request.credential?.actor ?? anonymous,
    source: request.ip,
    correlationId: request.id,
    get log() {
      log ??= system.log.child({ correlation_id: request.id });
      return log;
    },
  };
}

/** The path of a request without its query, which may hold an api key. */
export function pathOfRequest(request: FastifyRequest): string {
  const query = request.url.indexOf("?");
  return query === -1 ? request.url : request.url.slice(0, query);
}
