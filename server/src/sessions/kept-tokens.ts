/** Finding sessions by their token, and ending many of them at once. */
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import type { SessionSecrets } from "../secrets/session-secrets.ts";

const tables = ["sessions", "admin_sessions"] as const;
export type SessionTable = (typeof tables)[number];

export interface KeptSession {
  readonly id: string;
  readonly status: string;
  /** Wall-clock milliseconds. */
  readonly expiresAt: number;
  /** Of operators' sessions; 0 for the others. */
  readonly lastActivityAt: number;
  /** When the API key ends that it was opened with, and the session with it; null where none does. */
  readonly keyEndsAt: number | null;
}

/** End of the API key that a row names first in `made_with`, as `api-key:<id>`. */
const keyEndsAt =
  "(SELECT api_keys.expires_at FROM api_keys WHERE api_keys.id = substr(made_with, 9, 36)) AS key_ends_at";

/** What a session was opened with, as one text; the key first. */
export function joinProofs(key: string | null, password: string | null): string | null {
  return [key, password].filter((proof) => proof !== null).join(" ") || null;
}

/** Each of what a session was opened with. */
export function proofsIn(madeWith: string | null): readonly string[] {
  return madeWith === null ? [] : madeWith.split(" ");
}

/**
 * What a session is to be opened with and does not count any more, in the transaction that opens it; undefined when all of it does. It may
 * have been revoked since it was shown, and the sessions that were to end with it have ended by then.
 */
export async function findEndedProof(
  { clock }: Context,
  tx: Transaction,
  table: SessionTable,
  madeWith: string | null,
): Promise<string | undefined> {
  const now = clock.now();
  for (const proof of proofsIn(madeWith)) {
    const [kind, name = ""] = proof.split(/:(.*)/s);
    if (kind === "api-key") {
      const key = await tx
        .prepare(
          "SELECT 1 AS one FROM api_keys WHERE id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)",
        )
        .get(name, now);
      if (key === undefined) return proof;
    } else if (kind === "value" || kind === "password") {
      const secret = kind === "password" ? "access-password" : table === "sessions" ? "api-key" : "admin-key";
      const version = await tx
        .prepare(
          `SELECT 1 AS one FROM secret_versions WHERE name = ? AND fingerprint = ?
             AND (state = 'current' OR state = 'former' AND (accepted_until IS NULL OR accepted_until > ?))`,
        )
        .get(secret, name, now);
      if (version === undefined) return proof;
    }
  }
  return undefined;
}

/** Errors: `invalid_password` and `invalid_api_key`, for what has ended since it was shown. */
export function refuseEndedProof(proof: string | undefined): void {
  if (proof === undefined) return;
  if (proof.startsWith("password:")) {
    throw new SafelightError("invalid_password", "This password was replaced a moment ago.");
  }
  throw new SafelightError("invalid_api_key", "This key has ended a moment ago.");
}

/** The session of this token in any state, or undefined. Tokens are looked for under the secret in force first. */
export async function findByToken(
  context: Context,
  table: SessionTable,
  token: string,
): Promise<KeptSession | undefined> {
  const activity = table === "sessions" ? "0" : "last_activity_at";
  const statement = context.database.prepareRead(
    `SELECT coalesce(session_id, token_hash) AS id, status, expires_at, ${activity} AS last_activity_at, ${keyEndsAt}
     FROM ${table} WHERE token_hash = ?`,
  );
  let row = await statement.get(context.tokens.hash(token));
  for (const hash of row === undefined ? context.tokens.formerHashes(token) : []) row ??= await statement.get(hash);
  if (row === undefined) return undefined;
  return {
    id: String(row.id),
    status: String(row.status),
    expiresAt: Number(row.expires_at),
    lastActivityAt: Number(row.last_activity_at),
    keyEndsAt: row.key_ends_at as number | null,
  };
}

/** Whether the session of this name can still be used. Throws where the database cannot be read. */
export async function isOpenById(context: Context, table: SessionTable, id: string): Promise<boolean> {
  const row = await context.database
    .prepareRead(`SELECT status, expires_at, secret_id, ${keyEndsAt} FROM ${table} WHERE session_id = ?`)
    .get(id);
  const now = context.clock.now();
  const endsAt = Math.min(Number(row?.expires_at), Number(row?.key_ends_at ?? Number.POSITIVE_INFINITY));
  const isActive = row?.status === "active" && endsAt > now;
  return isActive && context.tokens.counts(row.secret_id as string | null);
}

/** Which sessions end: all of one kind or of both, or those that were opened with one credential. */
export interface Ending {
  readonly table?: SessionTable;
  /** Told what a session was opened with; null where that was not asked for, or is of an earlier release. */
  readonly madeWith?: (madeWith: string | null) => boolean;
}

/** Ends sessions in the caller's transaction; the caller has the streams of them looked at afterwards. Answers how many there were. */
export async function endSessions(context: Context, tx: Transaction, { table, madeWith }: Ending): Promise<number> {
  let ended = 0;
  for (const one of table === undefined ? tables : [table]) {
    const end = tx.prepare(
      `UPDATE ${one} SET status = 'revoked', revoked_at = ? WHERE token_hash = ? AND status = 'active'`,
    );
    for (const row of await tx.prepare(`SELECT token_hash, made_with FROM ${one} WHERE status = 'active'`).all()) {
      if (madeWith !== undefined && !madeWith(row.made_with as string | null)) continue;
      ended += Number((await end.run(context.clock.now(), String(row.token_hash))).changes);
    }
  }
  return ended;
}

/**
 * Sessions of an earlier release are kept without a secret. Where the secret was made by this very start they are taken over; later ones
 * were not written by a server that had it, and end. So do sessions of a secret that does not count any more.
 */
export async function adoptSessions(context: Context, secrets: SessionSecrets, isFirst: boolean): Promise<void> {
  const isDue = async (table: SessionTable) =>
    (await context.database.prepareRead(`SELECT 1 AS one FROM ${table} WHERE secret_id IS NULL LIMIT 1`).get()) !==
    undefined;
  if (!(await Promise.all(tables.map(isDue))).includes(true)) return;
  await context.database.write(async (tx) => {
    for (const table of tables) {
      for (const row of await tx.prepare(`SELECT token_hash FROM ${table} WHERE secret_id IS NULL`).all()) {
        const old = String(row.token_hash);
        if (!isFirst) await tx.prepare(`DELETE FROM ${table} WHERE token_hash = ?`).run(old);
        else {
          await tx
            .prepare(
              `UPDATE ${table} SET token_hash = ?, session_id = coalesce(session_id, ?), secret_id = ? WHERE token_hash = ?`,
            )
            .run(secrets.adopt(old), old, secrets.currentId, old);
        }
      }
    }
  });
}
