import type { Context } from "../context/context.ts";
import type { Row, Transaction } from "../database/database.ts";
import { isHeld } from "../gateways/holds.ts";
import { appendAudit } from "./append.ts";
import { encodedRowSql, genesis, hashOf } from "./canonical.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { AuditKeys } from "./keys.ts";

/** Held by whoever reads the log from end to end, at any gateway: nothing is removed meanwhile. */
export const readersHold = "audit-readers";
/** Rows that one transaction, and one checkpoint, removes. */
const portion = 500;
const day = 24 * 60 * 60 * 1000;

/** Rows that are due to be removed are not what was written: they stay, for whoever finds out what happened. */
export class BrokenPrefix extends Error {
  constructor(id: number) {
    super(`row ${id} of the audit log is not what was written; nothing is removed`);
    this.name = "BrokenPrefix";
  }
}

/**
 * The one routine that removes rows: the beginning of the log, up to the first row that is younger than AUDIT_RETENTION_DAYS. What is
 * removed is checked before; a row of the log tells of it, and a signed checkpoint holds the hash that the rest follows, all in the
 * transaction that removes. Answers how many are gone; 0 when there is nothing left to do, or while another gateway reads the log. Errors: BrokenPrefix, `storage_unavailable`.
 */
export async function pruneAudit(context: Context, keys: AuditKeys): Promise<number> {
  const before = context.clock.now() - context.config.auditRetentionDays * day;
  const oldest = await context.database.prepareRead("SELECT timestamp FROM audit_events ORDER BY id LIMIT 1").get();
  if (oldest === undefined || Number(oldest.timestamp) >= before) return Promise.resolve(0);
  return context.database.write(async (tx) => {
    if (context.database.shared && (await isHeld(context, tx, readersHold))) return 0;
    const rows = await tx
      .prepare(
        `SELECT id, timestamp, previous_hash, hash, ${encodedRowSql(tx.dialect)} AS encoded FROM audit_events ORDER BY id LIMIT ?`,
      )
      .all(portion);
    const young = rows.findIndex(({ timestamp }) => Number(timestamp) >= before);
    const due = young === -1 ? rows : rows.slice(0, young);
    const last = due.at(-1);
    if (last === undefined) return 0;
    await remove(context, tx, keys, due, last);
    return due.length;
  });
}

async function remove(
  context: Context,
  tx: Transaction,
  keys: AuditKeys,
  due: readonly Row[],
  last: Row,
): Promise<void> {
  const removed = await tx
    .prepare("SELECT hash, rows FROM audit_checkpoints WHERE kind = 'prune' ORDER BY sequence DESC LIMIT 1")
    .get();
  const lastId = Number(last.id);
  const signed = await tx
    .prepare("SELECT last_id, hash FROM audit_checkpoints WHERE kind <> 'prune' AND last_id BETWEEN ? AND ?")
    .all(Number(due[0]?.id), lastId);
  refuseBroken(due, String(removed?.hash ?? genesis), new Map(signed.map((row) => [row.last_id, row.hash])));
  const details = {
    rows: due.length,
    from_id: Number(due[0]?.id),
    to_id: lastId,
    from: timeOf(due[0]?.timestamp),
    to: timeOf(last.timestamp),
  };
  await appendAudit(context, tx, { action: "prune_logs", target: null, outcome: "success", details });
  const rows = Number(removed?.rows ?? 0) + due.length;
  await writeCheckpoint(context, tx, keys, "prune", { last_id: lastId, hash: String(last.hash), rows });
  await tx.prepare("INSERT INTO audit_pruning VALUES (?)").run(lastId);
  if (!tx.dialect.prunesAudit) await tx.prepare("DELETE FROM audit_events WHERE id <= ?").run(lastId);
  await tx.prepare("DELETE FROM audit_pruning").run();
}

/** `signed`: hashes that checkpoints name, by the ids of their rows. */
function refuseBroken(rows: readonly Row[], start: string, signed: ReadonlyMap<unknown, unknown>): void {
  let previous = start;
  for (const { id, previous_hash, hash, encoded } of rows) {
    const holds = previous_hash === previous && hashOf(encoded as Uint8Array) === hash;
    if (!holds || (signed.get(id) ?? hash) !== hash) throw new BrokenPrefix(Number(id));
    previous = String(hash);
  }
}

function timeOf(milliseconds: Row[string] | undefined): string {
  return new Date(Number(milliseconds)).toISOString();
}
