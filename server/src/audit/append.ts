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
export function appendAudit(_context: Context, _tx: Transaction, _entry: AuditEntry): void {
  throw new Error("not built yet");
}

/** Writes one row in a transaction of its own: for refusals and failures, after the rollback. */
export function recordAudit(_context: Context, _entry: AuditEntry): Promise<void> {
  throw new Error("not built yet");
}
