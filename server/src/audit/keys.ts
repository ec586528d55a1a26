/** Keys that sign checkpoints, Ed25519. The first of them signs; the others, private or public, still check what they have signed. */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import { hashOf } from "./canonical.ts";

export interface AuditKeys {
  readonly currentId: string;
  /** Ed25519 signature in base64. */
  sign(statement: string): string;
  readonly publicKeys: PublicKeys;
}

/** Public keys by their ids. */
export type PublicKeys = ReadonlyMap<string, KeyObject>;

/** PKCS #8 in base64, on one line. */
export function makeAuditKey(): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  return privateKey.export({ format: "der", type: "pkcs8" }).toString("base64");
}

/** Keys in base64 (PKCS #8, after the first also SubjectPublicKeyInfo), separated by commas; null where the text is none. */
export function parseAuditKeys(text: string): AuditKeys | null {
  const [first = "", ...others] = text.split(",").map((part) => part.trim());
  const signing = readKey(first);
  const checking = others.map(readKey);
  if (signing?.type !== "private" || checking.includes(null)) return null;
  const publicKeys = new Map<string, KeyObject>();
  for (const key of [signing, ...checking]) {
    if (key === null) continue;
    const publicKey = key.type === "private" ? createPublicKey(key) : key;
    publicKeys.set(keyIdOf(publicKey), publicKey);
  }
  return {
    currentId: keyIdOf(createPublicKey(signing)),
    sign: (statement) => sign(null, Buffer.from(statement), signing).toString("base64"),
    publicKeys,
  };
}

/** A public key in base64 (SubjectPublicKeyInfo) or PEM; null where the text is none. */
export function parsePublicKey(text: string): KeyObject | null {
  const key = readKey(text.replaceAll(/-----(?:BEGIN|END) PUBLIC KEY-----|\s/g, ""));
  return key?.type === "public" ? key : null;
}

/** SubjectPublicKeyInfo in base64. */
export function describeKey(key: KeyObject): string {
  return key.export({ format: "der", type: "spki" }).toString("base64");
}

/** Names a key: 12 hex digits of the SHA-256 of its public half. */
export function keyIdOf(publicKey: KeyObject): string {
  return hashOf(publicKey.export({ format: "der", type: "spki" })).slice(0, 12);
}

/** Whether this key made the signature over the statement. */
export function isSignedBy(key: KeyObject, statement: string, signature: string): boolean {
  const bytes = Buffer.from(signature, "base64");
  // Base64 is read generously; written back it must be what was signed, or one signature could stand in many forms.
  return bytes.toString("base64") === signature && verify(null, Buffer.from(statement), key, bytes);
}

function readKey(base64: string): KeyObject | null {
  const key = Buffer.from(base64, "base64");
  for (const read of [
    () => createPrivateKey({ key, format: "der", type: "pkcs8" }),
    () => createPublicKey({ key, format: "der", type: "spki" }),
  ]) {
    try {
      const found = read();
      if (found.asymmetricKeyType === "ed25519") return found;
    } catch {
      // The other form, or no key at all.
    }
  }
  return null;
}
