/**
 * What all gateways on a database have let through, one row for each caller under each rule. Times are those of the database's clock, which
 * all of them go by. Rows are swept by their age, whoever wrote them.
 */
import { hash } from "node:crypto";
import type { Prepare, Transaction } from "../database/database.ts";
import type { RuleName } from "./rules.ts";
import type { LogRow, Window } from "./sliding-log.ts";

interface NamedRule extends Window {
  readonly name: RuleName;
}

/** Counts one request where all of them let it through. Answers what they have let through by then, and how long it has to wait, 0 where not. */
export async function countEverywhere(
  tx: Transaction,
  rule: NamedRule,
  key: string,
  now: number,
): Promise<{ hits: readonly number[]; wait: number }> {
  const known = await readHits(tx, rule, key, now);
  if (known.length >= rule.most) return { hits: known, wait: Math.max(1, (known[0] ?? now) + rule.window - now) };
  const hits = [...known, now];
  await writeHits(tx, rule, key, hits);
  return { hits, wait: 0 };
}

/** Adds what one gateway has let through. Answers what all have, by caller: the newest where it is more than the rule says. */
export async function addEverywhere(
  tx: Transaction,
  rule: NamedRule,
  rows: readonly Pick<LogRow, "key" | "fresh">[],
  now: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const all = new Map<string, readonly number[]>();
  for (const { key, fresh } of rows) {
    const known = await readHits(tx, rule, key, now);
    const hits = [...known, ...fresh].sort((one, other) => one - other).slice(-rule.most);
    if (fresh.length > 0) await writeHits(tx, rule, key, hits);
    all.set(key, hits);
  }
  return all;
}

/** The callers that were let through last, the last one at the end. */
export async function readEverywhere(
  prepare: Prepare,
  { name, window }: NamedRule,
  now: number,
  most: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = await prepare(
    "SELECT key, hits FROM rate_limits WHERE rule = ? AND last_at > ? ORDER BY last_at DESC LIMIT ?",
  ).all(name, now - window, most);
  return new Map(rows.reverse().map(({ key, hits }) => [String(key), parse(String(hits), now, window)]));
}

async function readHits(tx: Transaction, { name, window }: NamedRule, key: string, now: number): Promise<number[]> {
  const row = await tx.prepare("SELECT key, hits FROM rate_limits WHERE rule = ? AND slot = ?").get(name, slotOf(key));
  return row?.key === key ? parse(String(row.hits), now, window) : [];
}

async function writeHits(tx: Transaction, { name }: NamedRule, key: string, hits: readonly number[]): Promise<void> {
  await tx
    .prepare(
      `INSERT INTO rate_limits (rule, slot, key, hits, last_at) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (rule, slot) DO UPDATE SET key = excluded.key, hits = excluded.hits, last_at = excluded.last_at`,
    )
    .run(name, slotOf(key), key, hits.join(" "), Math.ceil(hits.at(-1) ?? 0));
}

/** A time that lies ahead counts as now: it locks nobody out for longer than the rule says. */
function parse(text: string, now: number, window: number): number[] {
  return text
    .split(" ")
    .map((hit) => Math.min(Number(hit), now))
    .filter((hit) => hit > now - window);
}

/** Where there is one memory a slot is a place in it; here it is drawn from the caller, wide enough that two never meet. */
function slotOf(key: string): number {
  return hash("sha256", key, "buffer").readUIntBE(0, 6);
}
