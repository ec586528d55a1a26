import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { appendAudit } from "./append.ts";
import { encodeRow, hashOf, type RowFields } from "./canonical.ts";
import { writeCheckpoint } from "./checkpoint.ts";
import type { AuditKeys } from "./keys.ts";

/** Rows that one transaction takes in. */
const portion = 500;

/**
 * The one routine that gives hashes to rows that have none: those of before there was a chain, and those that an earlier release wrote
 * when it ran again in between. It ends with a row that says how many there were, `start_audit_chain` the first time and `chain_rows`
 * later. Cut off, it goes on where it was at the next start. Before anything else is written. Errors: `storage_unavailable`.
 */
export async function startChain(context: Context, keys: AuditKeys): Promise<void> {
  const read = (sql: string) => context.database.prepareRead(sql).get();
  const isNew = Number((await read("SELECT checkpoint FROM audit_head"))?.checkpoint) === 0;
  const waiting = Number((await read("SELECT count(*) AS n FROM audit_events WHERE hash IS NULL"))?.n);
  if (!isNew && waiting === 0) return;
  while ((await context.database.write((tx) => takeIn(tx))) > 0);
  const action = isNew ? "start_audit_chain" : "chain_rows";
  await context.database.write(async (tx) => {
    // Of gateways that start at once one has begun the chain.
    const { checkpoint } = (await tx.prepare("SELECT checkpoint FROM audit_head").get()) ?? {};
    if (isNew && Number(checkpoint) > 0) return;
    await appendAudit(context, tx, {
      action,
      target: null,
      outcome: "success",
      details: { rows_without_hash: waiting },
    });
    await writeCheckpoint(context, tx, keys, isNew ? "start" : "planned");
  });
  if (!isNew) context.log.warn("audit rows without a hash were taken into the chain", { rows: waiting });
}

async function takeIn(tx: Transaction): Promise<number> {
  const rows = await tx.prepare("SELECT * FROM audit_events WHERE hash IS NULL ORDER BY id LIMIT ?").all(portion);
  let previous = String((await tx.prepare("SELECT hash FROM audit_head").get())?.hash);
  const update = tx.prepare("UPDATE audit_events SET previous_hash = ?, hash = ? WHERE id = ?");
  for (const row of rows) {
    const hash = hashOf(encodeRow({ ...row, previous_hash: previous } as unknown as RowFields));
    await update.run(previous, hash, row.id ?? null);
    previous = hash;
  }
  return rows.length;
}
