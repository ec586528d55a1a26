/**
 * Generation sessions: what a browser holds instead of an API key. The token is 256 random bits and known to the browser only; the
 * database keeps a hash that a secret outside it goes into. A session lives 24 hours from its last use, and a revoked one never comes
 * back.
 */
import type { Context } from "../context/context.ts";
import { SafelightError } from "../errors.ts";
import { findByToken, findEndedProof, isOpenById, refuseEndedProof } from "./kept-tokens.ts";

/** 24 hours, in milliseconds. */
export const sessionLifetime = 24 * 60 * 60 * 1000;
/** Use renews a session at most this often (5 minutes), so that a page that polls does not write with every read. */
export const renewalInterval = 5 * 60 * 1000;
/** Ended sessions are remembered for 30 days, so that their owners read "expired" and not "unknown". */
const remembered = 30 * 24 * 60 * 60 * 1000;

export interface OpenSession {
  /** Names the session; stays the same when its token is kept under another secret. */
  readonly id: string;
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
  /** True when this check moved the expiry: the browser's cookie has to follow. */
  readonly renewed: boolean;
}

export interface SessionClient {
  readonly hint: string | null;
  /** What it was opened with, where that was asked for: the session ends with it. */
  readonly madeWith?: string | null;
}

/** Starts a session. The token is returned once and stored nowhere. Errors: `auth_unavailable`, those of `refuseEndedProof`. */
export async function createSession(
  context: Context,
  client: SessionClient,
): Promise<{ token: string; id: string; expiresAt: number }> {
  const token = context.ids.token();
  const tokenHash = context.tokens.hash(token);
  const now = context.clock.now();
  const expiresAt = now + sessionLifetime;
  const clientContext = JSON.stringify({ ip: context.source, client: client.hint?.slice(0, 200) ?? null });
  const ended = await guarded(() =>
    context.database.write(async (transaction) => {
      const proof = await findEndedProof(context, transaction, "sessions", client.madeWith ?? null);
      if (proof !== undefined) return proof;
      await transaction
        .prepare(
          `INSERT INTO sessions (token_hash, status, issued_at, expires_at, client_context, session_id, secret_id, made_with)
           VALUES (?, 'active', ?, ?, ?, ?, ?, ?)`,
        )
        .run(tokenHash, now, expiresAt, clientContext, tokenHash, context.tokens.currentId, client.madeWith ?? null);
      return undefined;
    }),
  );
  refuseEndedProof(ended);
  return { token, id: tokenHash, expiresAt };
}

/**
 * The session of this token, renewed by the use when that is due.
 * Errors: `session_required` for an unknown token, `session_expired` for an ended one, `auth_unavailable`.
 */
export async function checkSession(context: Context, token: string): Promise<OpenSession> {
  const row = await guarded(() => findByToken(context, "sessions", token));
  if (row === undefined) throw new SafelightError("session_required", "This session is not known here.");
  const now = context.clock.now();
  const { expiresAt, keyEndsAt } = row;
  const endsAt = Math.min(expiresAt, keyEndsAt ?? expiresAt);
  if (row.status !== "active" || endsAt <= now) throw new SafelightError("session_expired", "This session has ended.");
  if (expiresAt - now > sessionLifetime - renewalInterval) return { id: row.id, expiresAt: endsAt, renewed: false };
  const renewed = await renew(context, { id: row.id, token }, expiresAt, now);
  return { ...renewed, expiresAt: Math.min(renewed.expiresAt, keyEndsAt ?? renewed.expiresAt) };
}

/** True while the session can still be used; neither renews it nor counts as use. */
export async function isSessionOpen(context: Context, id: string): Promise<boolean> {
  return isOpenById(context, "sessions", id);
}

/** Ends a session for good. Ending an ended one changes nothing. Errors: `auth_unavailable`. */
export async function revokeSession(context: Context, id: string): Promise<void> {
  await guarded(() =>
    context.database.write(async (transaction) => {
      await transaction
        .prepare("UPDATE sessions SET status = 'revoked', revoked_at = ? WHERE session_id = ? AND status = 'active'")
        .run(context.clock.now(), id);
    }),
  );
}

/** Marks sessions past their expiry and forgets those that ended long ago. Answers how many rows changed. */
export async function sweepSessions(context: Context): Promise<number> {
  const now = context.clock.now();
  return context.database.write(async (transaction) => {
    const expired = await transaction
      .prepare("UPDATE sessions SET status = 'expired' WHERE status = 'active' AND expires_at <= ?")
      .run(now);
    const forgotten = await transaction
      .prepare("DELETE FROM sessions WHERE status <> 'active' AND expires_at < ?")
      .run(now - remembered);
    return Number(expired.changes) + Number(forgotten.changes);
  });
}

async function renew(
  context: Context,
  { id, token }: { readonly id: string; readonly token: string },
  expiresAt: number,
  now: number,
): Promise<OpenSession> {
  const next = now + sessionLifetime;
  try {
    // The state is named again: a session revoked since it was read must not live on.
    const changed = await context.database.write(
      async (transaction) =>
        (
          await transaction
            .prepare(
              `update sessions set expires_at = ?, token_hash = ?, secret_id = ?
             where session_id = ? and status = 'active' and expires_at > ?`,
            )
            .run(next, context.tokens.hash(token), context.tokens.currentId, id, now)
        ).changes,
    );
    if (Number(changed) === 0) throw new SafelightError("session_expired", "This session has ended.");
    return { id, expiresAt: next, renewed: true };
  } catch (error) {
    if (error instanceof SafelightError && error.code === "session_expired") throw error;
    // The session is good, only its extension could not be written: a full disk must not lock everybody out of reading.
    context.log.warn("a session could not be renewed", { error });
    return { id, expiresAt, renewed: false };
  }
}

/** Without its session storage the server lets nobody in (FR-023). */
async function guarded<Result>(work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new SafelightError("auth_unavailable", "Sign-in cannot be checked at the moment.", { cause: error });
  }
}
