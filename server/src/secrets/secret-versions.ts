/** Which values a secret has had, as rows know them: by fingerprint. Every change stands in the transaction of whoever asks for it. */
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Row, Transaction } from "../database/database.ts";
import { shownId } from "./fingerprint.ts";
import type { SecretSource } from "./resolve-secrets.ts";

/** `current` is in force, `former` still counts beside it, `retired` does not any more, `revoked` never will again. */
export type VersionState = "current" | "former" | "retired" | "revoked";

export interface SecretVersion {
  readonly name: string;
  readonly fingerprint: string;
  /** What people are shown. */
  readonly id: string;
  readonly state: VersionState;
  readonly source: SecretSource;
  /** Wall-clock milliseconds, as all times here. */
  readonly madeAt: number;
  readonly replacedAt: number | null;
  /** Until when a former one counts; null: until it is retired. */
  readonly acceptedUntil: number | null;
}

/** Every version of every secret, the newest first. */
export async function readVersions(prepare: Transaction["prepare"]): Promise<SecretVersion[]> {
  return (await prepare("SELECT * FROM secret_versions ORDER BY made_at DESC, fingerprint").all()).map(toVersion);
}

export async function versionsOf(prepare: Transaction["prepare"], name: string): Promise<SecretVersion[]> {
  return (await readVersions(prepare)).filter((version) => version.name === name);
}

export interface Replacement {
  readonly name: string;
  readonly fingerprint: string;
  readonly source: SecretSource;
  /** What becomes of the one that was in force, and of former ones where it is not `former`. */
  readonly old: Exclude<VersionState, "current">;
  /** Of the one that was in force, where it becomes `former`. */
  readonly acceptedUntil: number | null;
}

/** Puts another value in force. One that was in use before may come back, unless it is revoked. */
export async function replaceVersion(context: Context, tx: Transaction, change: Replacement): Promise<void> {
  const now = context.clock.now();
  const states = change.old === "former" ? "('current')" : "('current', 'former')";
  await tx
    .prepare(
      `UPDATE secret_versions SET state = ?, replaced_at = coalesce(replaced_at, ?), accepted_until = ?
     WHERE name = ? AND state IN ${states} AND fingerprint <> ?`,
    )
    .run(change.old, now, change.acceptedUntil, change.name, change.fingerprint);
  await tx
    .prepare(
      `INSERT INTO secret_versions (name, fingerprint, state, source, made_at) VALUES (?, ?, 'current', ?, ?)
     ON CONFLICT (name, fingerprint) DO UPDATE SET state = 'current', source = excluded.source, replaced_at = NULL,
       accepted_until = NULL`,
    )
    .run(change.name, change.fingerprint, change.source, now);
}

/** Former values count no more. Answers how many there were. */
export async function retireFormer(context: Context, tx: Transaction, name: string): Promise<number> {
  return Number(
    (
      await tx
        .prepare(
          `UPDATE secret_versions SET state = 'retired', accepted_until = NULL, replaced_at = coalesce(replaced_at, ?)
         WHERE name = ? AND state = 'former'`,
        )
        .run(context.clock.now(), name)
    ).changes,
  );
}

/** Everything this secret has been so far counts never again. */
export async function revokeAll(context: Context, tx: Transaction, name: string): Promise<void> {
  await tx
    .prepare(
      `UPDATE secret_versions SET state = 'revoked', accepted_until = NULL, replaced_at = coalesce(replaced_at, ?)
     WHERE name = ?`,
    )
    .run(context.clock.now(), name);
}

/** A value as a start finds it, with the fingerprint of the one in force. */
export interface Configured {
  readonly name: string;
  readonly source: SecretSource;
  /** In the order in which they stand in the setting. */
  readonly fingerprints: readonly string[];
  /** Of values that wait in files. */
  readonly waiting: readonly string[];
  readonly writtenAt: number | null;
}

/**
 * Notes what a start finds in the settings. Another value than the one known counts from now on and the former one does not: whoever
 * changes a setting because of a leak must not have to know more. A value that waits in its file stays in force until it is set.
 * `overlap`: how long the former one counts once it has been, in milliseconds.
 */
export async function noteConfigured(
  context: Context,
  tx: Transaction,
  found: Configured,
  overlap: number,
): Promise<void> {
  if (found.fingerprints.length === 0) return;
  const now = context.clock.now();
  await tx
    .prepare(
      `UPDATE secret_versions SET state = 'retired', accepted_until = NULL
     WHERE name = ? AND state = 'former' AND accepted_until <= ?`,
    )
    .run(found.name, now);
  const known = await versionsOf(tx.prepare, found.name);
  const [first = "", ...others] = found.fingerprints;
  const version = known.find(({ fingerprint }) => fingerprint === first);
  // A change without overlap that was cut off has retired what our file still holds: the next step puts the new value there.
  const isCutOff = known.some(({ state, fingerprint }) => state === "current" && found.waiting.includes(fingerprint));
  if (version === undefined || (version.state === "retired" && !isCutOff))
    await takeOver(context, tx, found, first, known);
  else if (version?.state === "current") {
    await tx
      .prepare(
        "UPDATE secret_versions SET accepted_until = ? WHERE name = ? AND state = 'former' AND accepted_until IS NULL",
      )
      .run(others.length > 0 ? null : now + overlap, found.name);
    await tx
      .prepare("UPDATE secret_versions SET source = ? WHERE name = ? AND state = 'current'")
      .run(found.source, found.name);
  }
  for (const other of others) {
    await tx
      .prepare(
        `INSERT INTO secret_versions (name, fingerprint, state, source, made_at, replaced_at)
       VALUES (?, ?, 'former', ?, ?, ?)
       ON CONFLICT (name, fingerprint) DO UPDATE SET state = 'former', accepted_until = NULL
       WHERE secret_versions.state = 'retired'`,
      )
      .run(found.name, other, found.source, found.writtenAt ?? now, now);
  }
}

async function takeOver(
  context: Context,
  tx: Transaction,
  { name, source, writtenAt }: Configured,
  fingerprint: string,
  known: readonly SecretVersion[],
): Promise<void> {
  await replaceVersion(context, tx, { name, fingerprint, source, old: "retired", acceptedUntil: null });
  if (known.length > 0) {
    const details = { secret: name, id: shownId(fingerprint), by: "settings" };
    await appendAudit(context, tx, { action: "rotate_secret", target: name, outcome: "success", details });
  } else if (writtenAt !== null) {
    // A key of an earlier release is as old as its file.
    await tx
      .prepare("UPDATE secret_versions SET made_at = ? WHERE name = ? AND made_at > ?")
      .run(writtenAt, name, writtenAt);
  }
}

function toVersion(row: Row): SecretVersion {
  const fingerprint = String(row.fingerprint);
  return {
    name: String(row.name),
    fingerprint,
    id: shownId(fingerprint),
    state: row.state as VersionState,
    source: row.source as SecretSource,
    madeAt: Number(row.made_at),
    replacedAt: row.replaced_at as number | null,
    acceptedUntil: row.accepted_until as number | null,
  };
}
