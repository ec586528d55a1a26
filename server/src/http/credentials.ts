/**
 * Credentials in the order of FR-001: X-API-Key header, `api_key` in the query, session cookie. The first one present decides, an
 * empty one is absent: a wrong key is refused even beside a good cookie.
 */
import type { Route } from "@safelight/contract";
import type { FastifyReply, FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import type { DeadKey, ProvenKey } from "../secrets/secret-book.ts";
import { checkAdminSession, isAdminSessionOpen } from "../sessions/admin-sessions.ts";
import {
  adminCredential,
  apiKeyCredential,
  type Credential,
  metricsCredential,
  type Presented,
  sessionCredential,
} from "../sessions/credential.ts";
import { checkSession, isSessionOpen, type OpenSession } from "../sessions/sessions.ts";
import type { Installation } from "./installation.ts";
import { refuseWithRecord } from "./refusals.ts";
import { contextOf } from "./request-context.ts";
import { readAdminCookie, readSessionCookie, setAdminCookie, setSessionCookie } from "./session-cookie.ts";

export function presentedBy(request: FastifyRequest): Presented | null {
  const header = firstOf(request.headers["x-api-key"]);
  if (header) return { kind: "api-key", value: header };
  const query = firstOf((request.query as Record<string, string | string[] | undefined>).api_key);
  if (query) return { kind: "api-key", value: query };
  const cookie = readSessionCookie(request);
  return cookie === undefined ? null : { kind: "session", value: cookie };
}

/** Errors: `session_required`, `session_expired`, `invalid_api_key`, `auth_unavailable`. */
export function authenticate(
  installation: Installation,
  route: Route,
  request: FastifyRequest,
  reply: FastifyReply,
): Credential | Promise<Credential> {
  const presented = presentedBy(request);
  if (presented === null) throw new SafelightError("session_required", "This route needs a session or an API key.");
  if (presented.kind === "session") return authenticateSession(installation, request, reply, presented.value);
  const found = installation.secrets.findApiKey(presented.value);
  if (found === null || "dead" in found) return refuseKey(installation, route, request, found);
  const credential = apiKeyCredential(found);
  return credential.readsOnly === true && !isRead(route)
    ? refuseScope(installation, route, request, found)
    : credential;
}

/** A key that is known and does not count leaves a row: somebody still uses it. Any other wrong key does not. Errors: as it says. */
export function refuseKey(
  { context }: Installation,
  { path }: Route,
  request: FastifyRequest,
  found: DeadKey | null,
): Promise<never> {
  if (found === null) throw new SafelightError("invalid_api_key", "This API key is not valid here.");
  const details = {
    revoked: "This API key was revoked.",
    expired: "This API key has expired.",
    retired: "This API key was replaced by another one.",
  };
  const refusal = { action: "secret_access_denied", route: path, target: found.name, reason: found.dead } as const;
  const error = new SafelightError("invalid_api_key", details[found.dead]);
  return refuseWithRecord(contextOf(context, request), refusal, error);
}

/** Looking, downloading, and exporting, which is a download of many. */
function isRead({ method, name }: Route): boolean {
  return method === "GET" || name === "exportTasks";
}

export function refuseScope(
  { context }: Installation,
  { path }: Route,
  request: FastifyRequest,
  { actorId }: ProvenKey,
): Promise<never> {
  const refusal = { action: "secret_access_denied", route: path, target: actorId, reason: "read_only" } as const;
  const error = new SafelightError("invalid_api_key", "This API key may only read.");
  return refuseWithRecord(contextOf(context, request), refusal, error);
}

/** For routes that know the cookie only. Errors as above, without `invalid_api_key`. */
export async function requireSession(
  installation: Installation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<OpenSession & { token: string }> {
  const token = readSessionCookie(request);
  if (token === undefined) throw new SafelightError("session_required", "There is no session cookie.");
  const session = await checkSession(contextOf(installation.context, request), token);
  if (session.renewed) setSessionCookie(request, reply, installation.config, token);
  return { ...session, token };
}

/** Whether streams opened with this credential may go on. */
export async function isStillValid(
  installation: Pick<Installation, "context" | "secrets">,
  credential: Credential,
): Promise<boolean> {
  if (credential.kind === "api-key") return installation.secrets.isStillGood(credential.proof ?? "");
  if (credential.kind === "admin-session")
    return isAdminSessionOpen(installation.context, credential.id.slice("admin-session:".length));
  return isSessionOpen(installation.context, credential.id.slice("session:".length));
}

/** For a request whose credential counted when it began. */
export function endedMeanwhile({ kind }: Credential): SafelightError {
  return kind === "api-key"
    ? new SafelightError("invalid_api_key", "This API key has ended.")
    : new SafelightError("session_expired", "This session has ended.");
}

/**
 * For operators the cookie alone counts; keys and other sessions grant nothing here. `look` is no use of the session.
 * Errors: `session_required`, `session_expired`, `auth_unavailable`.
 */
export async function authenticateAdmin(
  installation: Installation,
  request: FastifyRequest,
  reply: FastifyReply,
  purpose: "use" | "look",
): Promise<Credential> {
  const token = readAdminCookie(request);
  if (token === undefined) throw new SafelightError("session_required", "This route needs an admin session.");
  const session = await checkAdminSession(contextOf(installation.context, request), token, purpose);
  if (session.renewed) setAdminCookie(request, reply, installation.config, token);
  return adminCredential(session.id);
}

/** An admin session, or the metrics token as bearer; a token that is shown decides. Errors as of both, `invalid_api_key` for the token. */
export async function authenticateMetrics(
  installation: Installation,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Credential> {
  const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
  if (token === undefined) return authenticateAdmin(installation, request, reply, "look");
  if (installation.secrets.match("metrics-token", token) !== null) return metricsCredential;
  throw new SafelightError("invalid_api_key", "This token does not open the metrics.");
}

async function authenticateSession(
  installation: Installation,
  request: FastifyRequest,
  reply: FastifyReply,
  token: string,
): Promise<Credential> {
  const session = await checkSession(contextOf(installation.context, request), token);
  // The browser forgets a cookie when its own 24 hours are over, so it has to hear of the renewal.
  if (session.renewed) setSessionCookie(request, reply, installation.config, token);
  return sessionCredential(session.id);
}

function firstOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
