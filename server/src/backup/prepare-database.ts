import { randomUUID } from "node:crypto";
import { appendAudit } from "../audit/append.ts";
import { readingOf } from "../database/sqlite/file-reading.ts";
import { hasTable } from "./audit-state.ts";
import type { BackupManifest } from "./backup-format.ts";
import { carryRevocations, type Revocations } from "./carry-revocations.ts";
import { closeCopy, openCopy } from "./snapshot.ts";

/**
 * Ends every session and keeps what was revoked, since it would live again, and says in the audit log what was restored.
 * The schema is left as it is: the server that starts on it brings it up to date.
 */
export async function prepareDatabase(
  file: string,
  manifest: BackupManifest,
  revocations: Revocations | null,
): Promise<{ readonly sessionsEnded: number; readonly revocationsKept: number | null }> {
  const database = openCopy(file);
  const now = Date.now();
  try {
    database.begin();
    let ended = 0;
    for (const table of ["sessions", "admin_sessions"]) {
      if (!hasTable(database, table)) continue;
      const update = database.prepare(`UPDATE ${table} SET status = 'revoked', revoked_at = ? WHERE status = 'active'`);
      ended += Number(update.run(now).changes);
    }
    const kept = revocations === null ? null : carryRevocations(database, revocations);
    if (manifest.audit.chained && manifest.audit.intact) {
      const writer = {
        actor: { type: "system", id: "restore" },
        clock: { now: () => now, steady: () => performance.now() },
        source: "local",
        correlationId: randomUUID(),
      } as const;
      const details = {
        created_at: manifest.created_at,
        safelight_version: manifest.safelight_version,
        last_id: manifest.audit.last_id,
        sessions_ended: ended,
        revocations_kept: kept,
      };
      const prepare = readingOf(database).prepareRead;
      const tx = { prepare, dialect: prepare.dialect, afterCommit: () => undefined, notify: async () => undefined };
      await appendAudit(writer, tx, { action: "restore_backup", target: null, outcome: "success", details });
    }
    database.commit();
    await closeCopy(database, file);
    return { sessionsEnded: ended, revocationsKept: kept };
  } catch (error) {
    database.close();
    throw error;
  }
}
