import type { FastifyRequest } from "fastify";
import type { Config } from "../config.ts";
import { isHttps } from "./session-cookie.ts";

/** What every answer tells browsers, whatever it is: a page says more, nothing says less. */
export const securityHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
} as const;

/** A year, as browsers ask for; not for names below ours, which are not ours to judge. */
const httpsOnly = "max-age=31536000";

export interface CommonHeaders {
  /** The headers of this request's answer, before its route adds to them. */
  of(request: FastifyRequest): Readonly<Record<string, string>>;
}

export function createCommonHeaders(config: Pick<Config, "frontendOrigins" | "publicBaseUrl">): CommonHeaders {
  const plain = {
    "cache-control": "no-store",
    vary: "Origin",
    ...securityHeaders,
    // A listed front end shows pictures and films of this server in its own page; without one nobody else may.
    "cross-origin-resource-policy": config.frontendOrigins.length > 0 ? "cross-origin" : "same-origin",
  };
  // Said over http it counts for nothing, and on a machine of one's own it would lock other servers out of http.
  const secure = { ...plain, "strict-transport-security": httpsOnly };
  return { of: (request) => (isHttps(request, config.publicBaseUrl) ? secure : plain) };
}
