import type { CheckedRequest } from "@safelight/catalog";
import type { Context } from "../context/context.ts";

/** Body of a 202; URLs are absolute when PUBLIC_BASE_URL is set. */
export interface GenerateAnswer {
  task_id: string;
  status: "pending";
  status_url: string;
  result_url: string;
  preview_url: string;
  cancel_url: string;
  events_url: string;
}

export interface IdempotencyClaim {
  /** Who sent the key: the actor's id, never the credential itself. */
  credential: string;
  key: string;
  /** Hash of the canonical body after defaults. */
  bodyHash: string;
}

export interface Submission {
  /** Already checked; picture parameters hold upload ids. */
  request: CheckedRequest;
  idempotency: IdempotencyClaim | null;
  /** Largest number of pending tasks. */
  queueLimit: number;
}

export function submitTask(_context: Context, _submission: Submission): Promise<{ answer: GenerateAnswer; replayed: boolean }> {
  throw new Error("not built yet");
}

export function findReplay(_context: Context, _claim: IdempotencyClaim): Promise<GenerateAnswer | null> {
  throw new Error("not built yet");
}
