import type { FastifyReply, FastifyRequest } from "fastify";
import type { Config } from "../config.ts";
import { adminIdleTime } from "../sessions/admin-sessions.ts";
import { sessionLifetime } from "../sessions/sessions.ts";

export const sessionCookieName = "gg_session";
export const adminCookieName = "gg_admin_session";

/** The value of the session cookie; an empty one counts as absent. */
export function readSessionCookie(request: FastifyRequest): string | undefined {
  return readCookie(request, sessionCookieName);
}

/** The value of the cookie of operators. */
export function readAdminCookie(request: FastifyRequest): string | undefined {
  return readCookie(request, adminCookieName);
}

function readCookie(request: FastifyRequest, name: string): string | undefined {
  const header = request.headers.cookie;
  if (header === undefined) return undefined;
  for (const pair of header.split(";")) {
    const separator = pair.indexOf("=");
    if (pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim() || undefined;
  }
  return undefined;
}

/** Hands the browser its session, or takes it away (null). */
export function setSessionCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  config: Pick<Config, "cookieSameSite" | "publicBaseUrl">,
  token: string | null,
): void {
  const secure = config.cookieSameSite === "none" || isHttps(request, config.publicBaseUrl);
  const parts = [
    `${sessionCookieName}=${token ?? ""}`,
    "Path=/",
    `Max-Age=${token === null ? 0 : sessionLifetime / 1000}`,
    "HttpOnly",
    `SameSite=${config.cookieSameSite === "none" ? "None" : "Lax"}`,
    ...(secure ? ["Secure"] : []),
  ];
  reply.header("set-cookie", parts.join("; "));
}

/**
 * Hands an operator the session, or takes it away (null). Strict and for /admin alone: no other site, and no other page of this one,
 * makes a browser send it.
 */
export function setAdminCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  config: Pick<Config, "publicBaseUrl">,
  token: string | null,
): void {
  const parts = [
    `${adminCookieName}=${token ?? ""}`,
    "Path=/admin",
    `Max-Age=${token === null ? 0 : adminIdleTime / 1000}`,
    "HttpOnly",
    "SameSite=Strict",
    ...(isHttps(request, config.publicBaseUrl) ? ["Secure"] : []),
  ];
  reply.header("set-cookie", parts.join("; "));
}

// A proxy that ends TLS says so in a header, which counts only from TRUSTED_PROXIES; PUBLIC_BASE_URL says it for its own name.
export function isHttps(request: FastifyRequest, publicBaseUrl: string | null): boolean {
  if (request.protocol === "https") return true;
  return publicBaseUrl !== null && publicBaseUrl === `https://${request.host.toLowerCase()}`;
}
