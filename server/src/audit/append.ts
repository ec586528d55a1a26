import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";

export interface AuditEntry {
  action: string;
  target: string | null;
  outcome: "success" | "failure";
  /** Never a secret and never a prompt. */
  details?: Readonly<Record<string, unknown>>;
}

/** Writes one row in the caller's transaction, so that a change and its record stand or fall together. */
export function appendAudit(context: Context, tx: Transaction, entry: AuditEntry): void {
  tx.prepare(
    `INSERT INTO audit_events
      (timestamp, actor_type, actor_id, source, action, target, outcome, details, correlation_id)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    context.clock.now(),
    context.actor.type,
    context.actor.id,
    context.source,
    entry.action,
    entry.target,
    entry.outcome,
    JSON.stringify(entry.details ?? {}),
    context.correlationId,
  );
}

/** Writes one row in a transaction of its own: for refusals and failures, after the rollback. Errors: `storage_unavailable`. */
export function recordAudit(context: Context, entry: AuditEntry): Promise<void> {
  return context.database.write((tx) => appendAudit(context, tx, entry));
}
