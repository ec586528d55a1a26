import type { Actor } from "../context/context.ts";
import type { ProvenKey } from "../secrets/secret-book.ts";

/** Who a request comes from, once that is proven. */
export interface Credential {
  readonly kind: "api-key" | "session" | "admin-session" | "metrics-token";
  readonly actor: Actor;
  /** Tells credentials apart, for idempotency keys and open streams; not a secret. */
  readonly id: string;
  /** Of an API key: which of its values was shown. */
  readonly proof?: string;
  /** May look and download, and nothing else. */
  readonly readsOnly?: boolean;
}

/** What a request presents; the first one that is there decides, a later and better one does not help. */
export type Presented =
  | { readonly kind: "api-key"; readonly value: string }
  | { readonly kind: "session"; readonly value: string };

export function apiKeyCredential({ id, actorId, scope, proof }: ProvenKey): Credential {
  return { kind: "api-key", actor: { type: "client", id: actorId }, id, proof, readsOnly: scope === "read_only" };
}

/** Whoever collects metrics; good for nothing else. */
export const metricsCredential: Credential = {
  kind: "metrics-token",
  actor: { type: "client", id: "metrics-token" },
  id: "metrics-token",
};

export function sessionCredential(sessionId: string): Credential {
  return {
    kind: "session",
    actor: { type: "client", id: `session:${sessionId.slice(0, 8)}` },
    id: `session:${sessionId}`,
  };
}

export function adminCredential(sessionId: string): Credential {
  return {
    kind: "admin-session",
    actor: { type: "admin", id: `admin-session:${sessionId.slice(0, 8)}` },
    id: `admin-session:${sessionId}`,
  };
}
