/** Messages for the operator's own address. What is written here in a transaction is sent after it, come what may; see `sender.ts`. */
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Row, Transaction } from "../database/database.ts";
import { channels } from "../gateways/channels.ts";

/** Messages that may wait at one time; beyond it the oldest go, each with a row in the audit log. */
export const outboxLimit = 1000;

export interface WebhookMessage {
  /** Such as `worker_account.failed`. */
  readonly type: string;
  /** What it is about; messages about one thing arrive in their order. */
  readonly target: string;
  /** Never a secret and never a prompt. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A message on its way. */
export interface OutboxRow {
  readonly sequence: number;
  readonly id: string;
  readonly type: string;
  readonly target: string;
  /** The JSON that is sent, byte for byte the same at every try. */
  readonly body: string;
  /** Tries so far. */
  readonly attempts: number;
}

/** Leaves a message with the change it tells of. Does nothing where no address is set. */
export async function enqueueWebhook(
  context: Context,
  tx: Transaction,
  { type, target, data }: WebhookMessage,
): Promise<void> {
  if (context.config.webhook === null) return;
  const now = context.clock.now();
  const body = JSON.stringify({ type, timestamp: new Date(now).toISOString(), data });
  await tx
    .prepare(
      "INSERT INTO webhook_outbox (id, type, target, body, next_attempt_at, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    )
    .run(`msg_${context.ids.task().replaceAll("-", "")}`, type, target, body, now, now);
  await tx.notify(channels.webhooks);
  await dropOldest(context, tx);
}

async function dropOldest(context: Context, tx: Transaction): Promise<void> {
  const tooMany = (
    await tx.prepare("SELECT * FROM webhook_outbox ORDER BY sequence DESC LIMIT 100 OFFSET ?").all(outboxLimit)
  ).map(toOutboxRow);
  for (const row of tooMany) await endMessage(context, tx, row, { outcome: "failure", reason: "too_many_waiting" });
}

/** The messages that may be sent now, oldest first: of each target the first, once its time has come. */
export async function dueMessages(context: Context, most: number): Promise<OutboxRow[]> {
  return (
    await context.database
      .prepareRead(
        `SELECT * FROM webhook_outbox AS one WHERE next_attempt_at <= ? AND NOT EXISTS (
         SELECT 1 FROM webhook_outbox AS earlier WHERE earlier.target = one.target AND earlier.sequence < one.sequence
       ) ORDER BY sequence LIMIT ?`,
      )
      .all(context.clock.now(), most)
  ).map(toOutboxRow);
}

/** When the next message is due, wall milliseconds; null when none waits. */
export async function nextDue(context: Context): Promise<number | null> {
  const row = await context.database
    .prepareRead(
      `SELECT min(next_attempt_at) AS due FROM webhook_outbox AS one WHERE NOT EXISTS (
         SELECT 1 FROM webhook_outbox AS earlier WHERE earlier.target = one.target AND earlier.sequence < one.sequence)`,
    )
    .get();
  return typeof row?.due === "number" ? row.due : null;
}

/** How many messages are on their way. */
export async function countWaiting(context: Context): Promise<number> {
  return Number((await context.database.prepareRead("SELECT count(*) AS count FROM webhook_outbox").get())?.count ?? 0);
}

/** A try has failed; the next one comes after `pause` milliseconds. */
export function postponeMessage(context: Context, row: OutboxRow, pause: number): Promise<void> {
  return context.database.write(async (tx) => {
    await tx
      .prepare("UPDATE webhook_outbox SET attempts = ?, next_attempt_at = ? WHERE sequence = ?")
      .run(row.attempts + 1, context.clock.now() + pause, row.sequence);
  });
}

export interface MessageEnd {
  readonly outcome: "success" | "failure";
  /** Status of the answer, or a code of the transport. */
  readonly reason: string;
}

/** The message has arrived or is given up: it goes, and the audit log keeps what became of it. */
export async function endMessage(
  context: Context,
  tx: Transaction,
  row: OutboxRow,
  { outcome, reason }: MessageEnd,
): Promise<void> {
  await tx.prepare("DELETE FROM webhook_outbox WHERE sequence = ?").run(row.sequence);
  const details = { message: row.id, type: row.type, attempts: row.attempts, reason };
  await appendAudit(context, tx, { action: "send_webhook", target: row.target, outcome, details });
}

function toOutboxRow(row: Row): OutboxRow {
  return {
    sequence: Number(row.sequence),
    id: String(row.id),
    type: String(row.type),
    target: String(row.target),
    body: String(row.body),
    attempts: Number(row.attempts),
  };
}
