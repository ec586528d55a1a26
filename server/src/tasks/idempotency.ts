import type { GenerateAnswer } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { generateAnswer } from "./generate-answer.ts";
import type { Prepare } from "./read.ts";
import { IDEMPOTENCY_MS } from "./time-limits.ts";

/** A caller's promise that requests under this key are the same request. */
export interface IdempotencyClaim {
  /** Who sent the key: the actor's id, never the credential itself. */
  credential: string;
  key: string;
  /** Hash of the canonical body after defaults. */
  bodyHash: string;
}

/**
 * The answer given before to this key, or null when the key is new. To be asked before capacity is looked at, so that a
 * repeated request is answered even when the queue is full. Errors: `idempotency_conflict`.
 */
export async function findReplay(context: Context, claim: IdempotencyClaim): Promise<GenerateAnswer | null> {
  return replayFor(context, context.database.prepareRead, claim);
}

/** The same inside the submitting transaction, where of two racing twins the second finds the first. */
export async function replayFor(
  context: Context,
  prepare: Prepare,
  claim: IdempotencyClaim,
): Promise<GenerateAnswer | null> {
  const kept = await prepare(
    "SELECT body_hash, task_id, response FROM idempotency WHERE credential = ? AND key = ?",
  ).get(claim.credential, claim.key);
  if (kept === undefined) return null;
  if (kept.body_hash !== claim.bodyHash) {
    throw new SafelightError("idempotency_conflict", "This Idempotency-Key was used before with another request.");
  }
  if (typeof kept.response === "string") return JSON.parse(kept.response) as GenerateAnswer;
  // The task was deleted since and took the answer with it; the answer follows from the id.
  return generateAnswer(context.config, String(kept.task_id));
}

export async function keepAnswer(
  context: Context,
  tx: Transaction,
  claim: IdempotencyClaim,
  answer: GenerateAnswer,
): Promise<void> {
  await tx
    .prepare(
      `INSERT INTO idempotency (credential, key, body_hash, task_id, status, response, created_at)
     VALUES (?, ?, ?, ?, 202, ?, ?)`,
    )
    .run(claim.credential, claim.key, claim.bodyHash, answer.task_id, JSON.stringify(answer), context.clock.now());
}

/** Forgets keys older than they are kept. Returns how many. */
export async function pruneIdempotency(tx: Transaction, now: number): Promise<number> {
  return Number((await tx.prepare("DELETE FROM idempotency WHERE created_at < ?").run(now - IDEMPOTENCY_MS)).changes);
}
