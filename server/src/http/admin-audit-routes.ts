import { type AuditVerification, type BackupNote, routes } from "@safelight/contract";
import type { FastifyReply } from "fastify";
import { SafelightError } from "../errors.ts";
import type { Installation } from "./installation.ts";
import { type Call, credentialOf, type Registrar } from "./register.ts";
import { registerAdmin } from "./register-admin.ts";

/** Checking, signing and exporting the audit log. */
export function registerAdminAuditRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  const { audit } = installation;

  registerAdmin(registrar, routes.verifyAudit, { action: "read_logs", records: "read" }, (call) =>
    verify(installation, call),
  );

  registerAdmin(
    registrar,
    routes.exportAudit,
    { action: "export_logs", records: "change", head: "none" },
    async (call) => sendLog(installation, call),
  );

  registerAdmin(registrar, routes.createAuditCheckpoint, { action: "sign_logs", records: "change" }, ({ context }) =>
    audit.checkpoint(context),
  );

  registerAdmin<unknown, BackupNote>(
    registrar,
    routes.noteBackup,
    { action: "make_backup", records: "change" },
    ({ context, body }) => audit.noteBackup(context, { with_secrets: body.with_secrets }),
  );
}

/** A long log takes seconds: nobody waits for them in vain, neither a caller who has left nor a server that stops. */
async function verify({ audit, stopping }: Installation, { request }: Call): Promise<AuditVerification> {
  const over = new AbortController();
  const end = () => over.abort(new SafelightError("storage_unavailable", "The check was given up."));
  const { socket } = request.raw;
  socket.once("close", end);
  stopping.addEventListener("abort", end);
  try {
    return await audit.verify(over.signal);
  } finally {
    socket.removeListener("close", end);
    stopping.removeEventListener("abort", end);
  }
}

/** The download ends when its reader leaves, its session is revoked, or the server stops. */
async function sendLog({ audit, streams, stopping }: Installation, call: Call): Promise<FastifyReply> {
  const { context, reply, request } = call;
  const lines = await audit.export(context);
  const cut = () => request.raw.socket.destroy();
  const forget = streams.track(credentialOf(call), cut);
  stopping.addEventListener("abort", cut);
  lines.once("error", (error) => context.log.warn("an export of the audit log broke off", { error }));
  reply.raw.once("close", () => {
    forget();
    stopping.removeEventListener("abort", cut);
    lines.destroy();
  });
  const day = new Date(context.clock.now()).toISOString().slice(0, 10);
  return reply
    .type("application/x-ndjson")
    .header("content-disposition", `attachment; filename="safelight-audit-${day}.ndjson"`)
    .send(lines);
}
