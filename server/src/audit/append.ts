import type { AuditAction } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { encodeRow, hashOf } from "./canonical.ts";

export interface AuditEntry {
  action: AuditAction;
  target: string | null;
  outcome: "success" | "failure";
  /** Never a secret and never a prompt. */
  details?: Readonly<Record<string, unknown>>;
}

/** What a row says of who did it and when. */
export type AuditWriter = Pick<Context, "actor" | "clock" | "correlationId" | "source">;

/**
 * Writes one row in the caller's transaction, so that a change and its record stand or fall together. It follows the last row by its
 * hash; that one is read inside the transaction, where nobody else writes.
 */
export async function appendAudit(context: AuditWriter, tx: Transaction, entry: AuditEntry): Promise<void> {
  const head = await tx.prepare("SELECT id, hash FROM audit_head").get();
  const row = {
    previous_hash: String(head?.hash),
    id: Number(head?.id) + 1,
    timestamp: context.clock.now(),
    actor_type: context.actor.type,
    actor_id: stored(context.actor.id),
    source: stored(context.source),
    action: stored(entry.action),
    target: entry.target === null ? null : stored(entry.target),
    outcome: entry.outcome,
    details: JSON.stringify(entry.details ?? {}),
    correlation_id: stored(context.correlationId),
  };
  await tx
    .prepare(
      `INSERT INTO audit_events
      (id, timestamp, actor_type, actor_id, source, action, target, outcome, details, correlation_id, previous_hash, hash)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      row.id,
      row.timestamp,
      row.actor_type,
      row.actor_id,
      row.source,
      row.action,
      row.target,
      row.outcome,
      row.details,
      row.correlation_id,
      row.previous_hash,
      hashOf(encodeRow(row)),
    );
}

/** Writes one row in a transaction of its own: for refusals and failures, after the rollback. Errors: `storage_unavailable`. */
export function recordAudit(context: Context, entry: AuditEntry): Promise<void> {
  return context.database.write((tx) => appendAudit(context, tx, entry));
}

/** As the database will give it back: half of a surrogate pair cannot be stored, U+0000 not everywhere. (JSON has such halves escaped already.) */
function stored(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\ufffd");
}
