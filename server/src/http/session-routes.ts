import { routes, type SessionRequest } from "@safelight/contract";
import type { FastifyRequest } from "fastify";
import { SafelightError } from "../errors.ts";
import { createSecretCheck } from "../sessions/credential.ts";
import { createSession, revokeSession } from "../sessions/sessions.ts";
import { presentedBy, requireSession } from "./credentials.ts";
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
      checkPassword(body?.password);
      const hint = request.headers["user-agent"] ?? null;
      const session = await createSession(context, { hint });
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
    await revokeSession(context, session.tokenHash);
    installation.streams.closeAllOf(`session:${session.tokenHash}`);
    setSessionCookie(request, reply, installation.config, null);
    return reply.code(204).send();
  });
}

/** KEYS_ONLY: a browser gets a session only for a key; a session it has already is no proof. */
function requireApiKey(installation: Installation, request: FastifyRequest): void {
  const presented = presentedBy(request);
  if (presented?.kind !== "api-key")
    throw new SafelightError("session_required", "This installation asks for an API key.");
  if (!installation.isApiKey(presented.value))
    throw new SafelightError("invalid_api_key", "This API key is not valid here.");
}

function passwordCheck(installation: Installation): (presented: string | undefined) => void {
  const { accessPassword } = installation.config;
  if (accessPassword === null) return () => undefined;
  const matches = createSecretCheck(accessPassword);
  return (presented) => {
    if (presented === undefined)
      throw new SafelightError("invalid_password", "This installation asks for its password.");
    if (!matches(presented))
      throw new SafelightError("invalid_password", "This is not the password of this installation.");
  };
}
