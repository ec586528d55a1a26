import { hash } from "node:crypto";

/**
 * What the database keeps in place of the token of a session. The secret that goes into it lies outside the database: whoever can write
 * rows cannot make up a session. The port stands here because sessions are given it with their context.
 */
export interface TokenHashes {
  /** Id of the secret in force; null where there is none. */
  readonly currentId: string | null;
  /** Hex; made with the secret in force. */
  hash(token: string): string;
  /** What the same token was kept as under secrets that still count. */
  formerHashes(token: string): readonly string[];
  /** Whether what this secret has made still counts; null: what was made without one. */
  counts(secretId: string | null): boolean;
}

/** Without a secret: SHA-256. */
export const plainTokenHashes: TokenHashes = {
  currentId: null,
  hash: (token) => hash("sha256", token, "hex"),
  formerHashes: () => [],
  counts: () => true,
};
