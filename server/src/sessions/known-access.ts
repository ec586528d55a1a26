import { basename } from "node:path";
import { recordAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { SecretWatch, secretFilesInUse } from "../secrets/secret-watch.ts";

/**
 * Whether it can be told who may come in: sessions and secrets can be read, and what comes of a request can be stored. Cheap enough to
 * ask with every request. A secret that is lost or found again is told to the log, and to the audit log.
 */
export function watchAccess(context: Context): () => boolean {
  const secrets = new SecretWatch(secretFilesInUse(context.config), (missing) => {
    if (missing === null) context.log.warn("the secrets can be read again; requests are served");
    else context.log.error("a secret cannot be read: nobody is let in until its file is back", { file: missing });
    const entry =
      missing === null
        ? ({ target: null, outcome: "success", details: { reason: "readable_again" } } as const)
        : ({ target: basename(missing), outcome: "failure", details: { reason: "unreadable" } } as const);
    recordAudit(context, { action: "secret_access_denied", ...entry }).catch((error: unknown) =>
      context.log.warn("that could not be written into the audit log", { error }),
    );
  });
  return () => context.database.isUsable() && secrets.areReadable();
}
