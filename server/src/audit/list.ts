import type { AuditEvent, AuditPage } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Row, SqlValue } from "../database/database.ts";
import { SafelightError } from "../errors.ts";

export interface AuditFilters {
  /** 1 to 500, by default 100. */
  readonly limit?: number;
  readonly cursor?: string;
  readonly action?: string;
  /** A type of actor, or the id of one. */
  readonly actor?: string;
  readonly outcome?: "success" | "failure";
  /** Wall-clock milliseconds, both ends included. */
  readonly from?: number;
  readonly to?: number;
}

/** The audit log, newest first. Errors: `validation_failed` for a cursor that is none of ours. */
export async function listAuditEvents(context: Context, filters: AuditFilters): Promise<AuditPage> {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const add = (condition: string, value: SqlValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  const isType = ["admin", "system", "client"].includes(filters.actor ?? "");
  add("id < ?", filters.cursor === undefined ? undefined : readCursor(filters.cursor));
  add("action = ?", filters.action);
  add(isType ? "actor_type = ?" : "actor_id = ?", filters.actor);
  add("outcome = ?", filters.outcome);
  add("timestamp >= ?", filters.from);
  add("timestamp <= ?", filters.to);
  const limit = filters.limit ?? 100;
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const rows = await context.database
    .prepareRead(`SELECT * FROM audit_events ${where} ORDER BY id DESC LIMIT ?`)
    .all(...values, limit + 1);
  const logs = rows.slice(0, limit).map(describe);
  const last = logs.at(-1);
  const hasMore = rows.length > limit;
  return { logs, has_more: hasMore, next_cursor: hasMore && last !== undefined ? writeCursor(last.id) : null };
}

function describe(row: Row): AuditEvent {
  return {
    id: Number(row.id),
    timestamp: new Date(Number(row.timestamp)).toISOString(),
    actor: { type: row.actor_type as AuditEvent["actor"]["type"], id: String(row.actor_id) },
    source: String(row.source),
    action: String(row.action),
    target: row.target as string | null,
    outcome: row.outcome as AuditEvent["outcome"],
    details: readDetails(String(row.details)),
    correlation_id: String(row.correlation_id),
    previous_hash: row.previous_hash as string | null,
    hash: row.hash as string | null,
  };
}

/** A row that somebody has tampered with must not hide the page that it stands on. */
function readDetails(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { unreadable: text };
  }
}

function writeCursor(id: number): string {
  return Buffer.from(String(id)).toString("base64url");
}

function readCursor(cursor: string): number {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  const id = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(id) && writeCursor(id) === cursor) return id;
  const message = "The cursor is not one that a page of this list has given.";
  throw new SafelightError("validation_failed", message, { fields: [{ field: "cursor", code: "pattern", message }] });
}
