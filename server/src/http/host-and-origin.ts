/**
 * Who may talk to this server at all, decided by two headers that a browser sets and a page cannot forge: Host, against names that
 * were made to point here (DNS rebinding), and Origin, against other sites that use a visitor's cookie.
 */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Config, isLoopbackHost } from "../config.ts";
import { SafelightError } from "../errors.ts";
import { readSessionCookie } from "./session-cookie.ts";

type Settings = Pick<Config, "host" | "allowedHosts" | "publicBaseUrl" | "frontendOrigins" | "cookieSameSite">;

export interface HostAndOrigin {
  /** Throws `host_not_allowed`. */
  checkHost(request: FastifyRequest): void;
  /** Adds the CORS headers of a listed origin. Throws `cors_origin_blocked`, and then adds none. */
  checkOrigin(request: FastifyRequest, reply: FastifyReply): void;
  /** For what operators read and change: a listed front end is not enough, it has to be the page of this server. Throws `cors_origin_blocked`. */
  checkOwnOrigin(request: FastifyRequest): void;
  /** Answers a browser's question whether a listed origin may send `methods`. */
  answerPreflight(request: FastifyRequest, reply: FastifyReply, methods: readonly string[]): void;
}

const hostPattern = /^(\[[0-9a-f:.]+\]|[^:/@[\]\s]+)(?::(\d{1,5}))?$/;
const safeMethods = new Set(["GET", "HEAD", "OPTIONS"]);

const allowedHeaders = "Content-Type, X-API-Key, Idempotency-Key, Last-Event-ID, Range, If-Range, If-None-Match";
const exposedHeaders =
  "Accept-Ranges, Content-Disposition, Content-Length, Content-Range, ETag, Idempotency-Replayed, Location, Retry-After, X-Correlation-Id";

export function createHostAndOrigin(settings: Settings): HostAndOrigin {
  const names = new Set(settings.allowedHosts);
  const concrete = isIP(settings.host) === 6 ? `[${settings.host}]` : settings.host.toLowerCase();
  if (["0.0.0.0", "[::]"].includes(concrete)) for (const address of ownAddresses()) names.add(address);
  else names.add(concrete);
  if (settings.publicBaseUrl !== null) names.add(new URL(settings.publicBaseUrl).host);
  const origins = new Set(settings.frontendOrigins);

  const isOwn = (request: FastifyRequest, origin: string): boolean =>
    origin === settings.publicBaseUrl || origin === `${request.protocol}://${request.host.toLowerCase()}`;

  /** Older browsers leave Origin out of some requests; whatever else they say of where a request comes from counts then. */
  const comesFromElsewhere = (request: FastifyRequest): boolean => {
    const site = request.headers["sec-fetch-site"];
    if (site !== undefined) return site === "cross-site" || site === "same-site";
    const { referer } = request.headers;
    if (referer !== undefined) {
      const origin = originOf(referer);
      return !isOwn(request, origin) && !origins.has(origin);
    }
    // With SameSite=Lax a browser keeps its cookies out of other sites' requests; where it does not, a cookie alone proves nothing. That of
    // operators is always Strict, and commands have no other.
    const isFree = settings.cookieSameSite === "none" && readSessionCookie(request) !== undefined;
    return isFree && request.headers["x-api-key"] === undefined;
  };

  // A client names the same host every time; the last good one need not be taken apart again.
  let lastGood = "";
  return {
    checkHost(request) {
      const { host } = request;
      if (host === lastGood) return;
      const match = hostPattern.exec(host.toLowerCase());
      const name = match?.[1];
      if (name !== undefined && (isLoopbackHost(name) || names.has(name) || names.has(match?.[0] ?? ""))) {
        lastGood = host;
        return;
      }
      throw new SafelightError("host_not_allowed", "This server does not answer to that host name.");
    },

    checkOrigin(request, reply) {
      const origin = request.headers.origin;
      if (origin === undefined) {
        if (!safeMethods.has(request.method) && comesFromElsewhere(request)) throw blocked();
        return;
      }
      if (isOwn(request, origin)) return;
      if (!origins.has(origin)) throw blocked();
      reply.headers({
        "access-control-allow-origin": origin,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": exposedHeaders,
      });
    },

    checkOwnOrigin(request) {
      const { origin, referer } = request.headers;
      // Whoever follows a link to a download comes from where the link stood, and that page gets to see nothing of it.
      const isFollowed = referer === undefined || safeMethods.has(request.method);
      const told = origin ?? (isFollowed ? null : originOf(referer));
      if (told !== null && !isOwn(request, told)) throw blocked();
    },

    answerPreflight(request, reply, methods) {
      const asked = request.headers["access-control-request-method"];
      reply.header("allow", [...methods, "OPTIONS"].join(", "));
      if (asked !== undefined && request.headers.origin !== undefined) {
        reply.headers({
          "access-control-allow-methods": methods.join(", "),
          "access-control-allow-headers": allowedHeaders,
          "access-control-max-age": "600",
        });
      }
      reply.code(204).send();
    },
  };
}

function originOf(address: string): string {
  return URL.parse(address)?.origin ?? "null";
}

/** Addresses of this machine as they stand in a Host header. A number cannot be made to point elsewhere, as a name can. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address, family }) => (family === "IPv6" ? `[${address.toLowerCase()}]` : address));
}

function blocked(): SafelightError {
  return new SafelightError("cors_origin_blocked", "Requests from this site are not accepted; see FRONTEND_ORIGINS.");
}
