import { hash, timingSafeEqual } from "node:crypto";
import type { Actor } from "../context/context.ts";

/** Who a request comes from, once that is proven. */
export interface Credential {
  readonly kind: "api-key" | "session" | "admin-session" | "metrics-token";
  readonly actor: Actor;
  /** Tells credentials apart, for idempotency keys and open streams; not a secret. */
  readonly id: string;
}

/** What a request presents; the first one that is there decides, a later and better one does not help. */
export type Presented =
  | { readonly kind: "api-key"; readonly value: string }
  | { readonly kind: "session"; readonly value: string };

export const apiKeyCredential: Credential = {
  kind: "api-key",
  actor: { type: "client", id: "api-key" },
  id: "api-key",
};

/** Whoever collects metrics; good for nothing else. */
export const metricsCredential: Credential = {
  kind: "metrics-token",
  actor: { type: "client", id: "metrics-token" },
  id: "metrics-token",
};

export function sessionCredential(tokenHash: string): Credential {
  return {
    kind: "session",
    actor: { type: "client", id: `session:${tokenHash.slice(0, 8)}` },
    id: `session:${tokenHash}`,
  };
}

export function adminCredential(tokenHash: string): Credential {
  return {
    kind: "admin-session",
    actor: { type: "admin", id: `admin-session:${tokenHash.slice(0, 8)}` },
    id: `admin-session:${tokenHash}`,
  };
}

/** SHA-256 in hex; what the database keeps of a token. */
export function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}

/**
 * A comparison with one secret that takes the same time wherever the two differ. Another length is compared too, the secret with
 * itself, so that it is no faster than a wrong value of the right one.
 */
export function createSecretCheck(secret: string): (presented: string) => boolean {
  const expected = Buffer.from(secret);
  return (presented) => {
    const bytes = Buffer.from(presented);
    const sameLength = bytes.length === expected.length;
    return timingSafeEqual(sameLength ? bytes : expected, expected) && sameLength;
  };
}
