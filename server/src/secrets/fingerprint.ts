/**
 * How a secret is known again without being kept. One that nobody can guess is its SHA-256; one that somebody may have thought up is
 * stretched with the salt of the installation, so that a stolen database does not give it away to a list of words.
 */
import { hash, scrypt } from "node:crypto";

/** From this many characters on a value counts as one that was drawn, not thought up. */
const drawnLength = 32;

export function isDrawn(value: string): boolean {
  return value.length >= drawnLength && new Set(value).size >= 10;
}

/** `sha256:<hex>` or `scrypt:<hex>`. */
export async function fingerprintOf(value: string, salt: string): Promise<string> {
  if (isDrawn(value)) return `sha256:${hash("sha256", value, "hex")}`;
  const stretched = await new Promise<Buffer>((resolve, reject) => {
    scrypt(value, salt, 32, { N: 16_384, r: 8, p: 1 }, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
  return `scrypt:${stretched.toString("hex")}`;
}

/** The SHA-256 of a drawn value; null for the others, which cannot be compared quickly. */
export function quickHashOf(fingerprint: string): string | null {
  return fingerprint.startsWith("sha256:") ? fingerprint.slice("sha256:".length) : null;
}

/** What people are shown: 12 hex digits that tell values apart and give nothing away. */
export function shownId(fingerprint: string): string {
  return hash("sha256", fingerprint, "hex").slice(0, 12);
}
