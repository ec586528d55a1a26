import { routes, type SessionRequest } from "@safelight/contract";
import type { FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import type { ProvenKey } from "../secrets/secret-book.ts";
import { joinProofs } from "../sessions/kept-tokens.ts";
import { createSession, revokeSession } from "../sessions/sessions.ts";
import { presentedBy, refuseKey, refuseScope, requireSession } from "./credentials.ts";
import type { Installation } from "./installation.ts";
import { type Registrar, register } from "./register.ts";
import { setSessionCookie } from "./session-cookie.ts";

export function registerSessionRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  const checkPassword = passwordCheck(installation);

  register<unknown, SessionRequest | undefined>(
    registrar,
    routes.createSession,
    async ({ context, body, request, reply }) => {
      const password = checkPassword(body?.password);
      const hint = request.headers["user-agent"] ?? null;
      const key = installation.config.keysOnly ? await requireApiKey(installation, request) : null;
      const session = await createSession(context, { hint, madeWith: joinProofs(key?.proof ?? null, password) });
      setSessionCookie(request, reply, installation.config, session.token);
      reply.code(201);
      return { session_status: "active", expires_at: new Date(session.expiresAt).toISOString() };
    },
    {
      bodyLimit: 16 * 1024,
      ...(installation.config.keysOnly ? { proof: (request) => requireApiKey(installation, request) } : {}),
    },
  );

  register(registrar, routes.getSession, async ({ request, reply }) => {
    const session = await requireSession(installation, request, reply);
    return { active: true, expires_at: new Date(session.expiresAt).toISOString() };
  });

  register(registrar, routes.deleteSession, async ({ context, request, reply }) => {
    const session = await requireSession(installation, request, reply);
    await revokeSession(context, session.id);
    installation.streams.closeAllOf(`session:${session.id}`);
    setSessionCookie(request, reply, installation.config, null);
    return reply.code(204).send();
  });
}

/** KEYS_ONLY: a browser gets a session only for a key; a session it has already is no proof. */
function requireApiKey(installation: Installation, request: FastifyRequest): ProvenKey | Promise<never> {
  const presented = presentedBy(request);
  if (presented?.kind !== "api-key")
    throw new SafelightError("session_required", "This installation asks for an API key.");
  const found = installation.secrets.findApiKey(presented.value);
  if (found === null || "dead" in found) return refuseKey(installation, routes.createSession, request, found);
  // A session may do everything: a key that may not cannot be exchanged for one.
  return found.scope === "read_only" ? refuseScope(installation, routes.createSession, request, found) : found;
}

/** Answers what the session is opened with. */
function passwordCheck({ config, secrets }: Installation): (presented: string | undefined) => string | null {
  if (config.accessPassword === null) return () => null;
  return (presented) => {
    if (presented === undefined)
      throw new SafelightError("invalid_password", "This installation asks for its password.");
    const version = secrets.match("access-password", presented);
    if (version === null)
      throw new SafelightError("invalid_password", "This is not the password of this installation.");
    return `password:${version.fingerprint}`;
  };
}
