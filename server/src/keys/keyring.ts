/**
 * Ciphers for what rests in the database. AES-256-GCM; each ciphertext names the key it was made with, so that several keys can be in
 * use while rows are re-encrypted, and is bound to the place it stands in: moved to another row or column it no longer opens.
 */
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from "node:crypto";

/** Where a ciphertext belongs; all of it is authenticated. */
export interface CipherPlace {
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

/** A ciphertext that does not open: another key, another place, or damage. The text says which, and nothing of the content. */
export class CipherError extends Error {
  readonly reason: "unknown_key" | "damaged";

  constructor(reason: CipherError["reason"], detail: string) {
    super(detail);
    this.name = "CipherError";
    this.reason = reason;
  }
}

export interface Keyring {
  /** Id of the key that new ciphertexts are made with; no secret. */
  readonly currentKeyId: string;
  encrypt(plaintext: string, place: CipherPlace): string;
  /** Errors: CipherError. */
  decrypt(ciphertext: string, place: CipherPlace): string;
  /** Whether a ciphertext was made with the current key; others are due to be made anew. */
  isCurrent(ciphertext: string): boolean;
}

const version = "sl1";
const pattern = /^sl1\.([0-9a-f]{12})\.([A-Za-z0-9_-]{16})\.([A-Za-z0-9_-]+)$/;
const tagBytes = 16;

/** `keys`: 32 bytes each; the first encrypts, all of them decrypt. */
export function createKeyring(keys: readonly [Uint8Array, ...Uint8Array[]]): Keyring {
  const byId = new Map(keys.map((key) => [keyIdOf(key), subkeyOf(key)]));
  const currentKeyId = keyIdOf(keys[0]);
  const currentKey = subkeyOf(keys[0]);
  return {
    currentKeyId,
    encrypt(plaintext, place) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv("aes-256-gcm", currentKey, nonce, { authTagLength: tagBytes });
      cipher.setAAD(associatedData(currentKeyId, place));
      const sealed = Buffer.concat([cipher.update(plaintext, "utf8"), cipher.final(), cipher.getAuthTag()]);
      return [version, currentKeyId, nonce.toString("base64url"), sealed.toString("base64url")].join(".");
    },
    decrypt(ciphertext, place) {
      const [, keyId = "", nonce = "", sealed = ""] = pattern.exec(ciphertext) ?? [];
      if (keyId === "") throw new CipherError("damaged", "This is no ciphertext of this installation.");
      const key = byId.get(keyId);
      if (key === undefined) {
        throw new CipherError(
          "unknown_key",
          `It was encrypted with the key ${keyId}, which is not among ENCRYPTION_KEY.`,
        );
      }
      return open(key, keyId, Buffer.from(nonce, "base64url"), Buffer.from(sealed, "base64url"), place);
    },
    isCurrent: (ciphertext) => pattern.exec(ciphertext)?.[1] === currentKeyId,
  };
}

/** A keyring whose keys are changed while others hold it: what is encrypted from then on is encrypted with the new first one. */
export class ChangingKeyring implements Keyring {
  #ring: Keyring;

  constructor(keys: readonly [Uint8Array, ...Uint8Array[]]) {
    this.#ring = createKeyring(keys);
  }

  get currentKeyId(): string {
    return this.#ring.currentKeyId;
  }

  replace(keys: readonly [Uint8Array, ...Uint8Array[]]): void {
    this.#ring = createKeyring(keys);
  }

  encrypt(plaintext: string, place: CipherPlace): string {
    return this.#ring.encrypt(plaintext, place);
  }

  decrypt(ciphertext: string, place: CipherPlace): string {
    return this.#ring.decrypt(ciphertext, place);
  }

  isCurrent(ciphertext: string): boolean {
    return this.#ring.isCurrent(ciphertext);
  }
}

function open(key: Buffer, keyId: string, nonce: Buffer, sealed: Buffer, place: CipherPlace): string {
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes });
    decipher.setAAD(associatedData(keyId, place));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(0, -tagBytes)), decipher.final()]).toString("utf8");
  } catch {
    throw new CipherError("damaged", "It was changed, or belongs to another row.");
  }
}

/** Names a key without giving anything of it away. */
export function keyIdOf(key: Uint8Array): string {
  return createHash("sha256").update("safelight key id\0").update(key).digest("hex").slice(0, 12);
}

/** The key itself is never used twice for different purposes; what it encrypts with is derived from it. */
function subkeyOf(key: Uint8Array): Buffer {
  return Buffer.from(hkdfSync("sha256", key, "", "safelight rows at rest", 32));
}

function associatedData(keyId: string, { table, row, column }: CipherPlace): Buffer {
  return Buffer.from(JSON.stringify([version, keyId, table, row, column]));
}
