import type { CheckedRequest } from "@safelight/catalog";
import type { GenerateAnswer } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { appendEvent } from "../events/append.ts";
import { statusBody } from "./describe.ts";
import { generateAnswer } from "./generate-answer.ts";
import { type IdempotencyClaim, keepAnswer, replayFor } from "./idempotency.ts";
import { insertTask } from "./insert.ts";
import { typicalDuration } from "./outlook.ts";
import { insertReferences, referencesIn } from "./references.ts";

export interface Submission {
  /** Already checked; picture parameters hold upload ids. */
  request: CheckedRequest;
  idempotency: IdempotencyClaim | null;
  /** Largest number of tasks that may wait. */
  queueLimit: number;
}

/**
 * Makes a task. It is on disk, and so in the queue, when this resolves (FR-002): a row that is pending *is* enqueued.
 * A key seen before gives the first answer and makes nothing.
 * Errors: `idempotency_conflict`, `queue_full` with retryAfter, `validation_failed` for an unknown upload.
 */
export function submitTask(
  context: Context,
  submission: Submission,
): Promise<{ answer: GenerateAnswer; replayed: boolean }> {
  const { request, idempotency, queueLimit } = submission;
  return context.database.write(async (tx) => {
    const { prepare } = tx;
    const kept = idempotency === null ? null : await replayFor(context, prepare, idempotency);
    if (kept !== null) return { answer: kept, replayed: true };
    await refuseWhenFull(tx, queueLimit, request);
    const task = await insertTask(context, tx, request);
    await insertReferences(tx, task.id, referencesIn(task.parameters), task.createdAt);
    const answer = generateAnswer(context.config, task.id);
    if (idempotency !== null) await keepAnswer(context, tx, idempotency, answer);
    const data = await statusBody(context, prepare, task);
    await appendEvent(context, tx, { taskId: task.id, type: "task.updated", data, signal: "waiting" });
    return { answer, replayed: false };
  });
}

async function refuseWhenFull(tx: Transaction, queueLimit: number, request: CheckedRequest): Promise<void> {
  const waiting = Number((await tx.prepare("SELECT waiting FROM queue_size").get())?.waiting ?? 0);
  if (waiting < queueLimit) return;
  const typical = (await typicalDuration(tx.prepare, request.model, request.mode)) ?? 10_000;
  throw new SafelightError("queue_full", "Too many tasks are waiting; try again in a little while.", {
    retryAfter: Math.min(60, Math.max(1, Math.ceil(typical / 1000))),
  });
}
