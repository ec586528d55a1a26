/**
 * Sessions of operators, kept like those of browsers: a token of 256 random bits that only the browser knows, a hash of it in the
 * database. One ends after twelve hours without use, and revocation is final.
 */
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { adminCredential } from "./credential.ts";
import { findByToken, findEndedProof, isOpenById, refuseEndedProof } from "./kept-tokens.ts";
import type { SessionClient } from "./sessions.ts";

/** 12 hours, in milliseconds. */
export const adminIdleTime = 12 * 60 * 60 * 1000;
/** Use is written down at most this often (1 minute), so that a page that polls does not write with every read. */
export const activityInterval = 60 * 1000;
/** Ended sessions are remembered for 30 days, so that their owners read "expired" and not "unknown". */
const remembered = 30 * 24 * 60 * 60 * 1000;

/** What a session says it was opened with when somebody with the rights of the server's own user opened it. */
export const localOperator = "local";

export interface OpenAdminSession {
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly lastActivityAt: number;
  /** True when this use was written down: the browser's cookie has to follow. */
  readonly renewed: boolean;
}

/** Starts a session, for whoever has shown the admin key. The token is returned once. Errors: `auth_unavailable`, `invalid_api_key`. */
export async function createAdminSession(
  context: Context,
  client: SessionClient,
): Promise<{ token: string; id: string }> {
  const token = context.ids.token();
  const tokenHash = context.tokens.hash(token);
  const now = context.clock.now();
  const operator: Context = { ...context, actor: adminCredential(tokenHash).actor };
  const clientContext = JSON.stringify({ ip: context.source, client: client.hint?.slice(0, 200) ?? null });
  const ended = await guarded(() =>
    context.database.write(async (tx) => {
      const proof = await findEndedProof(context, tx, "admin_sessions", client.madeWith ?? null);
      if (proof !== undefined) return proof;
      await tx
        .prepare(
          `INSERT INTO admin_sessions (token_hash, status, issued_at, expires_at, last_activity_at, client_context, session_id,
           secret_id, made_with)
         VALUES (?, 'active', ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          tokenHash,
          now,
          now + adminIdleTime,
          now,
          clientContext,
          tokenHash,
          context.tokens.currentId,
          client.madeWith ?? null,
        );
      const details = client.madeWith === localOperator ? { by: localOperator } : {};
      const target = operator.actor.id;
      await appendAudit(operator, tx, { action: "admin_session_create", target, outcome: "success", details });
      return undefined;
    }),
  );
  refuseEndedProof(ended);
  return { token, id: tokenHash };
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
  const row = await guarded(() => findByToken(context, "admin_sessions", token));
  if (row === undefined) throw new SafelightError("session_required", "This admin session is not known here.");
  const now = context.clock.now();
  if (row.status !== "active" || row.expiresAt <= now) throw hasEnded();
  const { id, lastActivityAt } = row;
  // A clock that was set back makes the last use lie ahead; it is written anew then too.
  const isDue = Math.abs(now - lastActivityAt) >= activityInterval;
  if (purpose === "look" || !isDue) return { id, lastActivityAt, renewed: false };
  return noteActivity(context, { id, token }, lastActivityAt, now);
}

/** Names the session of this token while it can still be used; neither renews it nor counts as use. Throws like the next one. */
export async function findAdminSession(context: Context, token: string): Promise<string | null> {
  const row = await findByToken(context, "admin_sessions", token);
  return row?.status === "active" && row.expiresAt > context.clock.now() ? row.id : null;
}

/** True while the session can still be used; neither renews it nor counts as use. Throws where the database cannot be read. */
export async function isAdminSessionOpen(context: Context, id: string): Promise<boolean> {
  return isOpenById(context, "admin_sessions", id);
}

/** Ends a session for good. Errors: `auth_unavailable`. */
export async function revokeAdminSession(context: Context, id: string): Promise<void> {
  await guarded(() =>
    context.database.write(async (tx) => {
      await tx
        .prepare(
          "UPDATE admin_sessions SET status = 'revoked', revoked_at = ? WHERE session_id = ? AND status = 'active'",
        )
        .run(context.clock.now(), id);
      const target = adminCredential(id).actor.id;
      await appendAudit(context, tx, { action: "admin_session_delete", target, outcome: "success" });
    }),
  );
}

/** Marks sessions past their expiry and forgets those that ended long ago. Answers how many rows changed. */
export function sweepAdminSessions(context: Context): Promise<number> {
  const now = context.clock.now();
  return context.database.write(async (tx) => {
    const expired = await tx
      .prepare("UPDATE admin_sessions SET status = 'expired' WHERE status = 'active' AND expires_at <= ?")
      .run(now);
    const forgotten = await tx
      .prepare("DELETE FROM admin_sessions WHERE status <> 'active' AND expires_at < ?")
      .run(now - remembered);
    return Number(expired.changes) + Number(forgotten.changes);
  });
}

async function noteActivity(
  context: Context,
  { id, token }: { readonly id: string; readonly token: string },
  lastActivityAt: number,
  now: number,
): Promise<OpenAdminSession> {
  try {
    // The state is named again: a session revoked since it was read must not live on.
    const changed = await context.database.write(
      async (tx) =>
        (
          await tx
            .prepare(
              `UPDATE admin_sessions SET last_activity_at = ?, expires_at = ?, token_hash = ?, secret_id = ?
             WHERE session_id = ? AND status = 'active' AND expires_at > ?`,
            )
            .run(now, now + adminIdleTime, context.tokens.hash(token), context.tokens.currentId, id, now)
        ).changes,
    );
    if (Number(changed) === 0) throw hasEnded();
    return { id, lastActivityAt: now, renewed: true };
  } catch (error) {
    if (error instanceof SafelightError && error.code === "session_expired") throw error;
    // The session is good, only its use could not be written down: a full disk must not lock operators out of looking.
    context.log.warn("the use of an admin session could not be written down", { error });
    return { id, lastActivityAt, renewed: false };
  }
}

function hasEnded(): SafelightError {
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
