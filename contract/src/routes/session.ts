/** Sessions of browsers. */
import { endpoints } from "../endpoints.ts";
import { SessionCreated, SessionRequest, SessionState } from "../schemas/session.ts";
import { cookie, json, jsonBody, origin } from "./error-sets.ts";

export const sessionRoutes = {
  createSession: {
    name: "createSession",
    ...endpoints.createSession,
    group: "auth",
    access: "public",
    summary: "Start a session",
    description:
      "Issues a session for a browser as the HttpOnly cookie gg_session. It lives 24 hours and is renewed by use. Where the installation has an access password it goes into the body; where it takes keys only, a valid X-API-Key is needed.",
    body: { content_type: json, schema: SessionRequest, required: false },
    responses: {
      201: {
        description: "The session was started.",
        content_type: json,
        schema: SessionCreated,
        headers: { "Set-Cookie": "gg_session: HttpOnly, Path=/, SameSite=Lax, Secure on https." },
      },
    },
    errors: [
      "rate_limited",
      ...origin,
      "invalid_api_key",
      "session_required",
      ...jsonBody,
      "invalid_password",
      "auth_unavailable",
      "internal",
    ],
  },
  getSession: {
    name: "getSession",
    ...endpoints.getSession,
    group: "auth",
    access: "cookie",
    summary: "Check the session",
    description: "Says whether the session of the cookie is good, and until when.",
    responses: { 200: { description: "The session is good.", content_type: json, schema: SessionState } },
    errors: [...origin, ...cookie, "internal"],
  },
  deleteSession: {
    name: "deleteSession",
    ...endpoints.deleteSession,
    group: "auth",
    access: "cookie",
    summary: "End the session",
    description: "Revokes the session for good and clears the cookie. Tasks and results stay.",
    responses: { 204: { description: "The session has ended.", headers: { "Set-Cookie": "Clears gg_session." } } },
    errors: [...origin, ...cookie, "internal"],
  },
} as const;
