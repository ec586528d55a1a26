import { createHmac, hash } from "node:crypto";
import type { TokenHashes } from "../context/token-hashes.ts";

interface Secret {
  readonly id: string;
  readonly value: string;
}

/** Tokens of sessions are kept as HMAC-SHA256 with a secret that lies outside the database; former secrets find what they have made. */
export class SessionSecrets implements TokenHashes {
  #current: Secret;
  #former: readonly Secret[] = [];

  /** The value that a start has found; which name it has is told once rows are read. */
  constructor(value: string) {
    this.#current = { id: "", value };
  }

  get currentId(): string {
    return this.#current.id;
  }

  counts(secretId: string | null): boolean {
    return [this.#current, ...this.#former].some(({ id }) => id === secretId);
  }

  replace(current: Secret, former: readonly Secret[]): void {
    this.#current = current;
    this.#former = former;
  }

  hash(token: string): string {
    return keyed(this.#current, hash("sha256", token, "hex"));
  }

  formerHashes(token: string): readonly string[] {
    if (this.#former.length === 0) return [];
    const plain = hash("sha256", token, "hex");
    return this.#former.map((secret) => keyed(secret, plain));
  }

  /** What the secret in force makes of a SHA-256 that an earlier release has kept. */
  adopt(plainHash: string): string {
    return keyed(this.#current, plainHash);
  }
}

function keyed({ value }: Secret, plainHash: string): string {
  return createHmac("sha256", Buffer.from(value, "base64")).update(plainHash).digest("hex");
}
