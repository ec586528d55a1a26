import { hash, timingSafeEqual } from "node:crypto";

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

/** The same where only the SHA-256 of the secret is known, in hex. */
export function createHashCheck(sha256: string): (presented: string) => boolean {
  const expected = Buffer.from(sha256, "hex");
  return (presented) => timingSafeEqual(hash("sha256", presented, "buffer"), expected);
}
