/**
 * The log as a file that proves itself: NDJSON, every line an object with a `type`.
 *
 *     header      format, version, exported_at, public_keys
 *     checkpoint  as GET /admin/logs/verify has them, from the first
 *     row         the columns as they are stored: timestamp in milliseconds, details as text
 *     end         how many rows and checkpoints there were, and where the chain ends
 */
import type { AuditCheckpoint } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Database } from "../database/database.ts";
import { readCheckpoints } from "./checkpoint.ts";
import { type AuditKeys, describeKey } from "./keys.ts";

export const exportFormat = "safelight-audit-export";
export const exportVersion = 1;

const rowsAtOnce = 100;
const checkpointsAtOnce = 100;

/** Lines up to the last row that `until` covers, in pieces of some kilobytes; nothing but the piece is held. */
export async function* exportLines(
  context: Pick<Context, "database" | "clock">,
  keys: AuditKeys,
  until: AuditCheckpoint,
): AsyncGenerator<string> {
  yield line({
    type: "header",
    format: exportFormat,
    version: exportVersion,
    exported_at: new Date(context.clock.now()).toISOString(),
    public_keys: [...keys.publicKeys].map(([id, key]) => ({ key_id: id, public_key: describeKey(key) })),
  });
  yield* checkpointLines(context.database, until);
  const rows = yield* rowLines(context.database, until.last_id);
  yield line({
    type: "end",
    exported_rows: rows,
    last_id: until.last_id,
    hash: until.hash,
    rows: until.rows,
    checkpoint: until.sequence,
  });
}

async function* checkpointLines(
  database: Pick<Database, "prepareRead">,
  until: AuditCheckpoint,
): AsyncGenerator<string> {
  for (let after = 0; after < until.sequence; ) {
    const checkpoints = await readCheckpoints(
      database.prepareRead,
      after,
      Math.min(checkpointsAtOnce, until.sequence - after),
    );
    if (checkpoints.length === 0) return;
    yield checkpoints.map((checkpoint) => line({ type: "checkpoint", ...checkpoint })).join("");
    after = checkpoints.at(-1)?.sequence ?? until.sequence;
  }
}

/** Answers how many rows there were. Rows are read as they are, also where the log is broken: the file has to show it. */
async function* rowLines(database: Pick<Database, "prepareRead">, lastId: number): AsyncGenerator<string, number> {
  let count = 0;
  for (let after = Number.MIN_SAFE_INTEGER; ; ) {
    const rows = await database
      .prepareRead(
        `SELECT id, CAST(timestamp AS TEXT) AS timestamp, actor_type, actor_id, source, action, target, outcome, details,
           correlation_id, previous_hash, hash
         FROM audit_events WHERE id > ? AND id <= ? ORDER BY id LIMIT ?`,
      )
      .all(after, lastId, rowsAtOnce);
    const last = rows.at(-1);
    if (last === undefined) return count;
    yield rows.map((row) => line({ type: "row", ...row, timestamp: Number(row.timestamp) })).join("");
    count += rows.length;
    after = Number(last.id);
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
