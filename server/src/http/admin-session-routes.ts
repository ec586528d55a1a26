import { type AdminSessionState, routes } from "@safelight/contract";
import type { FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import { createSecretCheck } from "../secrets/secret-check.ts";
import {
  adminIdleTime,
  checkAdminSession,
  createAdminSession,
  localOperator,
  revokeAdminSession,
} from "../sessions/admin-sessions.ts";
import type { Installation } from "./installation.ts";
import { credentialOf, type Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";
import { readAdminCookie, setAdminCookie } from "./session-cookie.ts";

export function registerAdminSessionRoutes(registrar: Registrar): void {
  const { installation } = registrar;

  registerAdmin(
    registrar,
    routes.createAdminSession,
    {
      action: "admin_session_create",
      records: "change",
      proof: (request) => void requireAdminKey(installation, request),
    },
    async ({ context, request, reply }) => {
      const hint = request.headers["user-agent"] ?? null;
      const madeWith = requireAdminKey(installation, request);
      const session = await createAdminSession(context, { hint, madeWith });
      setAdminCookie(request, reply, installation.config, session.token);
      return reply.code(204).send();
    },
  );

  registerAdmin(
    registrar,
    routes.getAdminSession,
    { action: "admin_session_get", records: "read", looksOnly: true },
    async ({ context, request }): Promise<AdminSessionState> => {
      const session = await checkAdminSession(context, readAdminCookie(request) ?? "", "look");
      return {
        active: true,
        idle_timeout_seconds: adminIdleTime / 1000,
        last_activity_at: new Date(session.lastActivityAt).toISOString(),
      };
    },
  );

  registerAdmin(
    registrar,
    routes.deleteAdminSession,
    { action: "admin_session_delete", records: "change", looksOnly: true },
    async (call) => {
      const { id } = credentialOf(call);
      await revokeAdminSession(call.context, id.slice("admin-session:".length));
      installation.streams.closeAllOf(id);
      setAdminCookie(call.request, call.reply, installation.config, null);
      return call.reply.code(204).send();
    },
  );
}

/** The header alone: a key in the query or in a body is not looked at. Answers what the session is opened with. */
function requireAdminKey(installation: Installation, request: FastifyRequest): string {
  const presented = request.headers["x-admin-key"];
  if (typeof presented === "string") {
    const version = installation.secrets.match("admin-key", presented);
    if (version !== null) return `value:${version.fingerprint}`;
    if (createSecretCheck(installation.localKey)(presented) && isFromHere(request)) return localOperator;
  }
  throw new SafelightError("invalid_api_key", "The X-Admin-Key header is missing or holds another key.");
}

/** From this machine and through no proxy: the local key is in a file that only the server's own user can read, and counts nowhere else. */
function isFromHere({ headers, socket }: FastifyRequest): boolean {
  const { localAddress, remoteAddress } = socket;
  const isForwarded = ["forwarded", "x-forwarded-for", "x-real-ip"].some((name) => headers[name] !== undefined);
  return !isForwarded && remoteAddress !== undefined && remoteAddress === localAddress;
}
