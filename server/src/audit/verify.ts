import type { AuditCheckpoint, AuditVerification } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Database, Prepare } from "../database/database.ts";
import type { Dialect } from "../database/dialect.ts";
import { encodedRowSql } from "./canonical.ts";
import { ChainCheck, type ChainEnd, type ChainRow } from "./chain-check.ts";
import { readCheckpoints } from "./checkpoint.ts";
import { type AuditKeys, describeKey, type PublicKeys } from "./keys.ts";

/** What the check asks for; a file that nobody serves will do. */
export type Reading = Pick<Database, "prepareRead" | "read">;

/** How long one slice of the work may take, in milliseconds; others are served in between. */
const sliceMs = 4;
const rowsAtOnce = 50;
const checkpointsAtOnce = 8;

/** Checks the whole log as it stands, up to the last row that was written while it went. Reads only. */
export async function verifyAudit(
  context: Pick<Context, "database">,
  keys: AuditKeys,
  signal?: AbortSignal,
): Promise<AuditVerification> {
  const check = new ChainCheck(keys.publicKeys);
  const steps = walk(context.database, check);
  for (let began = performance.now(); (await steps.next()).done !== true; ) {
    if (performance.now() - began < sliceMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    began = performance.now();
  }
  const result = check.result();
  return {
    ...result,
    public_keys: [...keys.publicKeys].map(([id, key]) => ({
      key_id: id,
      public_key: describeKey(key),
      current: id === keys.currentId,
    })),
    cannot_show: whatCannotBeShown(result),
  };
}

/** The same at one go, for as little as a test or a routine has to check. */
export async function verifyAtOnce(database: Reading, keys: PublicKeys): Promise<ReturnType<ChainCheck["result"]>> {
  const check = new ChainCheck(keys);
  for (const steps = walk(database, check); (await steps.next()).done !== true; );
  return check.result();
}

/** A step is a few checkpoints or a few rows. */
async function* walk(database: Reading, check: ChainCheck): AsyncGenerator<void> {
  let sequence = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const checkpoints = await readCheckpoints(database.prepareRead, sequence, checkpointsAtOnce);
    for (const checkpoint of checkpoints) check.addCheckpoint(checkpoint);
    if (checkpoints.length === 0 || check.brokenCheckpoint !== null) break;
    sequence = checkpoints.at(-1)?.sequence ?? sequence;
    yield;
  }
  for (let after = "-9223372036854775808"; ; ) {
    const [from, signed] = [after, sequence];
    // Of one state: a row or a checkpoint written between two of them would look like one that was taken away.
    const { rows, checkpoints, end } = await database.read(async ({ prepare, dialect }) => ({
      rows: await readChainRows(prepare, dialect, from, rowsAtOnce),
      checkpoints: await readCheckpoints(prepare, signed, checkpointsAtOnce),
      end: await readChainEnd(prepare),
    }));
    for (const checkpoint of checkpoints) check.addLateCheckpoint(checkpoint);
    sequence = checkpoints.at(-1)?.sequence ?? sequence;
    if (rows.length === 0 && checkpoints.length === checkpointsAtOnce) continue;
    if (rows.length === 0) return check.finish(end);
    for (const { row } of rows) if (!check.addRow(row)) return;
    after = rows.at(-1)?.id ?? after;
    yield;
  }
}

// The columns are named with their table: by name alone they would be the text, and sort as such.
/** Ids are read as text: one that tampering has made larger than JavaScript's numbers must be found, not fail. */
async function readChainRows(
  prepare: Prepare,
  dialect: Dialect,
  after: string,
  count: number,
): Promise<{ id: string; row: ChainRow }[]> {
  const rows = await prepare(
    `SELECT CAST(id AS TEXT) AS id, previous_hash, hash, ${encodedRowSql(dialect)} AS encoded FROM audit_events
       WHERE audit_events.id > CAST(? AS BIGINT) ORDER BY audit_events.id LIMIT ?`,
  ).all(after, count);
  return rows.map(({ id, previous_hash, hash, encoded }) => ({
    id: String(id),
    row: {
      id: Number(id),
      previousHash: previous_hash as string | null,
      hash: hash as string | null,
      encoded: encoded as Uint8Array,
    },
  }));
}

export async function readChainEnd(prepare: Prepare): Promise<ChainEnd> {
  const row = await prepare(
    "SELECT CAST(id AS TEXT) AS id, hash, CAST(rows AS TEXT) AS rows, CAST(checkpoint AS TEXT) AS checkpoint FROM audit_head",
  ).get();
  // Where even the end was taken away, an empty log is expected, and none is found.
  return {
    id: Number(row?.id ?? 0),
    hash: String(row?.hash ?? ""),
    rows: Number(row?.rows ?? 0),
    checkpoint: Number(row?.checkpoint ?? 0),
  };
}

type Limits = AuditVerification["cannot_show"];

/** Plainly, so that nobody takes the check for more than it is. */
export function whatCannotBeShown({ checkpoints, pruned }: Pick<AuditVerification, "checkpoints" | "pruned">): Limits {
  const limits: Limits = [
    {
      code: "key_holder",
      detail:
        "Whoever holds the database and the signing key can write a new log with new signatures. Only checkpoints that are kept elsewhere show that.",
    },
    {
      code: "older_copy",
      detail:
        "An older copy of the database is intact in itself. Only a checkpoint kept elsewhere shows what is missing at its end.",
    },
  ];
  if (checkpoints.rows_after_last > 0) {
    limits.push({
      code: "after_last_checkpoint",
      detail: `The last ${checkpoints.rows_after_last} rows are not covered by a signature yet: whoever can write the database could replace them without the key.`,
    });
  }
  if (pruned !== null) {
    limits.push({
      code: "pruned",
      detail: `${pruned.rows} rows were removed at the end of their retention: what they said is known only to exports made before.`,
    });
  }
  return limits;
}

/** Whether a checkpoint kept elsewhere is the one that stands here. */
export function isSameCheckpoint(one: AuditCheckpoint, other: AuditCheckpoint): boolean {
  return (Object.keys(one) as (keyof AuditCheckpoint)[]).every((key) => one[key] === other[key]);
}
