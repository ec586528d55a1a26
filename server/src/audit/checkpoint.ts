/**
 * Signed statements of what the log held. Each names the one before, so that none of them can be taken out. The statement that is signed
 * is written like a row (see canonical.ts):
 *
 *     "safelight.audit-checkpoint.1" sequence kind created_at last_id hash rows previous key_id
 *
 * with `created_at` in milliseconds since the epoch, and `previous` the SHA-256 of statement and signature of the one before.
 */
import type { KeyObject } from "node:crypto";
import type { AuditCheckpoint, BrokenCheckpointCode } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Prepare, Row, Transaction } from "../database/database.ts";
import { encodeFields, genesis, hashOf } from "./canonical.ts";
import { type AuditKeys, isSignedBy, type PublicKeys } from "./keys.ts";

// As text: numbers beyond what JavaScript holds, which only tampering leaves, would make reading fail instead of the check.
const columns = ["sequence", "created_at", "last_id", "rows"]
  .map((column) => `CAST(${column} AS TEXT) AS ${column}`)
  .concat("kind", "hash", "previous", "key_id", "signature")
  .join(", ");

export type CheckpointKind = AuditCheckpoint["kind"];

type Unsigned = Omit<AuditCheckpoint, "signature">;

export function statementOf(checkpoint: Unsigned): string {
  const { sequence, kind, last_id: lastId, hash, rows, previous, key_id: keyId } = checkpoint;
  const createdAt = Date.parse(checkpoint.created_at);
  return encodeFields(["safelight.audit-checkpoint.1", sequence, kind, createdAt, lastId, hash, rows, previous, keyId]);
}

/** What the next checkpoint names as its previous one. */
export function digestOf(checkpoint: AuditCheckpoint): string {
  return hashOf(statementOf(checkpoint) + encodeFields([checkpoint.signature]));
}

/** Signs what `covered` says, or else the whole chain as it stands in this transaction; told to the log once it is on disk. */
export async function writeCheckpoint(
  context: Context,
  tx: Transaction,
  keys: AuditKeys,
  kind: CheckpointKind,
  covered?: Pick<AuditCheckpoint, "last_id" | "hash" | "rows">,
): Promise<AuditCheckpoint> {
  const head = await tx.prepare("SELECT id AS last_id, hash, rows, checkpoint FROM audit_head").get();
  const before = await tx
    .prepare(`SELECT ${columns} FROM audit_checkpoints WHERE sequence = ?`)
    .get(head?.checkpoint ?? 0);
  const unsigned: Unsigned = {
    sequence: Number(head?.checkpoint) + 1,
    kind,
    created_at: new Date(context.clock.now()).toISOString(),
    last_id: covered?.last_id ?? Number(head?.last_id),
    hash: covered?.hash ?? String(head?.hash),
    rows: covered?.rows ?? Number(head?.rows),
    previous: before === undefined ? genesis : digestOf(describeCheckpoint(before)),
    key_id: keys.currentId,
  };
  const checkpoint = { ...unsigned, signature: keys.sign(statementOf(unsigned)) };
  const { sequence, last_id: lastId, hash, rows, previous, key_id: keyId, signature } = checkpoint;
  await tx
    .prepare("INSERT INTO audit_checkpoints VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .run(sequence, kind, Date.parse(unsigned.created_at), lastId, hash, rows, previous, keyId, signature);
  // Whoever collects the log keeps checkpoints where this database is not.
  tx.afterCommit(() => context.log.info("audit checkpoint", { checkpoint }));
  return checkpoint;
}

/** Up to `count` checkpoints after the one of this sequence. */
export async function readCheckpoints(prepare: Prepare, after: number, count: number): Promise<AuditCheckpoint[]> {
  return (
    await prepare(
      `SELECT ${columns} FROM audit_checkpoints WHERE sequence > ? ORDER BY audit_checkpoints.sequence LIMIT ?`,
    ).all(after, count)
  ).map(describeCheckpoint);
}

export function describeCheckpoint(row: Row): AuditCheckpoint {
  return {
    sequence: Number(row.sequence),
    kind: row.kind as CheckpointKind,
    created_at: timeOf(Number(row.created_at)),
    last_id: Number(row.last_id),
    hash: String(row.hash),
    rows: Number(row.rows),
    previous: String(row.previous),
    key_id: String(row.key_id),
    signature: String(row.signature),
  };
}

/** A time that no date has becomes the first one, which nobody has signed. */
function timeOf(milliseconds: number): string {
  const date = new Date(milliseconds);
  return (Number.isNaN(date.getTime()) ? new Date(0) : date).toISOString();
}

export interface BrokenCheckpoint {
  readonly sequence: number;
  readonly code: BrokenCheckpointCode;
  readonly detail: string;
}

/** What is wrong with a checkpoint that stands after `before` (null for the first), or null. */
export function judgeCheckpoint(
  checkpoint: AuditCheckpoint,
  before: AuditCheckpoint | null,
  keys: PublicKeys,
): BrokenCheckpoint | null {
  const { sequence, key_id: keyId } = checkpoint;
  const expected = (before?.sequence ?? 0) + 1;
  const broken = (code: BrokenCheckpointCode, detail: string) => ({ sequence, code, detail });
  if (sequence !== expected) {
    return { sequence: expected, code: "missing", detail: `Checkpoint ${expected} is missing.` };
  }
  const key = keys.get(keyId);
  if (key === undefined) {
    return broken("unknown_key", `Checkpoint ${sequence} was signed with the key ${keyId}, which is not known here.`);
  }
  if (!isSigned(checkpoint, key)) {
    return broken("signature", `Checkpoint ${sequence} is not what the key ${keyId} has signed.`);
  }
  if (checkpoint.previous !== (before === null ? genesis : digestOf(before))) {
    return broken("not_linked", `Checkpoint ${sequence} does not follow the one before it.`);
  }
  return null;
}

/** Whether this key signed all fields as they stand. */
export function isSigned(checkpoint: AuditCheckpoint, key: KeyObject): boolean {
  try {
    return isSignedBy(key, statementOf(checkpoint), checkpoint.signature);
  } catch {
    // A number or a time that cannot be written was never signed.
    return false;
  }
}
