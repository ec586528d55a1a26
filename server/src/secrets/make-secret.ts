/** How new secrets look: 256 random bits, and for keys that people hand around a prefix that says what they are and where they belong. */
import { randomBytes } from "node:crypto";
import type { EnvironmentName } from "../config.ts";

export const ownSecretNames = ["api-key", "admin-key", "session-secret", "encryption-key"] as const;
/** Secrets that this installation can make anew. */
export type OwnSecretName = (typeof ownSecretNames)[number];

export function makeApiKey(environment: EnvironmentName): string {
  return `sl_${environment}_${randomBytes(32).toString("base64url")}`;
}

/** The environment that a key of ours says it belongs to; null for keys of another form. */
export function environmentOfKey(key: string): string | null {
  return /^sl(?:admin)?_(dev|stage|prod)_[A-Za-z0-9_-]{43}$/.exec(key)?.[1] ?? null;
}

export function makeSecret(name: OwnSecretName, environment: EnvironmentName): string {
  switch (name) {
    case "api-key":
      return makeApiKey(environment);
    case "admin-key":
      return `sladmin_${environment}_${randomBytes(32).toString("base64url")}`;
    case "session-secret":
    case "encryption-key":
      return randomBytes(32).toString("base64");
  }
}
