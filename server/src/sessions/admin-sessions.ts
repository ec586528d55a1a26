/**
 * Sessions of operators, kept like those of browsers: a token of 256 random bits that only the browser knows, its SHA-256 in the
 * database. One ends after twelve hours without use, and revocation is final.
 */
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { adminCredential, hashToken } from "./credential.ts";

/** 12 hours, in milliseconds. */
export const adminIdleTime = 12 * 60 * 60 * 1000;
/** Use is written down at most this often (1 minute), so that a page that polls does not write with every read. */
export const activityInterval = 60 * 1000;
/** Ended sessions are remembered for 30 days, so that their owners read "expired" and not "unknown". */
const remembered = 30 * 24 * 60 * 60 * 1000;

export interface OpenAdminSession {
  readonly tokenHash: string;
  /** Wall-clock milliseconds. */
  readonly lastActivityAt: number;
  /** True when this use was written down: the browser's cookie has to follow. */
  readonly renewed: boolean;
}

/** Starts a session, for whoever has shown the admin key. The token is returned once. Errors: `auth_unavailable`. */
export async function createAdminSession(
  context: Context,
  client: { readonly hint: string | null },
): Promise<{ token: string; tokenHash: string }> {
  const token = context.ids.token();
  const tokenHash = hashToken(token);
  const now = context.clock.now();
  const operator: Context = { ...context, actor: adminCredential(tokenHash).actor };
  const clientContext = JSON.stringify({ ip: context.source, client: client.hint?.slice(0, 200) ?? null });
  await guarded(() =>
    context.database.write((tx) => {
      tx.prepare(
        `INSERT INTO admin_sessions (token_hash, status, issued_at, expires_at, last_activity_at, client_context)
         VALUES (?, 'active', ?, ?, ?, ?)`,
      ).run(tokenHash, now, now + adminIdleTime, now, clientContext);
      appendAudit(operator, tx, { action: "admin_session_create", target: operator.actor.id, outcome: "success" });
    }),
  );
  return { token, tokenHash };
}

/**
 * The session of this token; `use` counts as activity, looking does not.
 * Errors: `session_required` for an unknown token, `session_expired` for an ended one, `auth_unavailable`.
 */
export async function checkAdminSession(
  context: Context,
  token: string,
  purpose: "use" | "look",
): Promise<OpenAdminSession> {
  const tokenHash = hashToken(token);
  const row = await guarded(() =>
    context.database
      .prepareRead("SELECT status, expires_at, last_activity_at FROM admin_sessions WHERE token_hash = ?")
      .get(tokenHash),
  );
  if (row === undefined) throw new SafelightError("session_required", "This admin session is not known here.");
  const now = context.clock.now();
  if (row.status !== "active" || Number(row.expires_at) <= now) throw ended();
  const lastActivityAt = Number(row.last_activity_at);
  // A clock that was set back makes the last use lie ahead; it is written anew then too.
  const isDue = Math.abs(now - lastActivityAt) >= activityInterval;
  if (purpose === "look" || !isDue) return { tokenHash, lastActivityAt, renewed: false };
  return noteActivity(context, tokenHash, lastActivityAt, now);
}

/** True while the session can still be used; neither renews it nor counts as use. Throws where the database cannot be read. */
export function isAdminSessionOpen(context: Context, tokenHash: string): boolean {
  const row = context.database
    .prepareRead("SELECT status, expires_at FROM admin_sessions WHERE token_hash = ?")
    .get(tokenHash);
  return row?.status === "active" && Number(row.expires_at) > context.clock.now();
}

/** Ends a session for good. Errors: `auth_unavailable`. */
export async function revokeAdminSession(context: Context, tokenHash: string): Promise<void> {
  await guarded(() =>
    context.database.write((tx) => {
      tx.prepare(
        "UPDATE admin_sessions SET status = 'revoked', revoked_at = ? WHERE token_hash = ? AND status = 'active'",
      ).run(context.clock.now(), tokenHash);
      const target = adminCredential(tokenHash).actor.id;
      appendAudit(context, tx, { action: "admin_session_delete", target, outcome: "success" });
    }),
  );
}

/** Marks sessions past their expiry and forgets those that ended long ago. Answers how many rows changed. */
export function sweepAdminSessions(context: Context): Promise<number> {
  const now = context.clock.now();
  return context.database.write((tx) => {
    const expired = tx
      .prepare("UPDATE admin_sessions SET status = 'expired' WHERE status = 'active' AND expires_at <= ?")
      .run(now);
    const forgotten = tx
      .prepare("DELETE FROM admin_sessions WHERE status <> 'active' AND expires_at < ?")
      .run(now - remembered);
    return Number(expired.changes) + Number(forgotten.changes);
  });
}

async function noteActivity(
  context: Context,
  tokenHash: string,
  lastActivityAt: number,
  now: number,
): Promise<OpenAdminSession> {
  try {
    // The state is named again: a session revoked since it was read must not live on.
    const changed = await context.database.write(
      (tx) =>
        tx
          .prepare(
            `UPDATE admin_sessions SET last_activity_at = ?, expires_at = ?
             WHERE token_hash = ? AND status = 'active' AND expires_at > ?`,
          )
          .run(now, now + adminIdleTime, tokenHash, now).changes,
    );
    if (Number(changed) === 0) throw ended();
    return { tokenHash, lastActivityAt: now, renewed: true };
  } catch (error) {
    if (error instanceof SafelightError && error.code === "session_expired") throw error;
    // The session is good, only its use could not be written down: a full disk must not lock operators out of looking.
    context.log.warn("the use of an admin session could not be written down", { error });
    return { tokenHash, lastActivityAt, renewed: false };
  }
}

function ended(): SafelightError {
  return new SafelightError("session_expired", "This admin session has ended.");
}

/** Without its session storage the server lets nobody in (FR-023). */
async function guarded<Result>(work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new SafelightError("auth_unavailable", "The admin session cannot be checked at the moment.", {
      cause: error,
    });
  }
}
