/** Signatures in the form of Standard Webhooks, so that receivers can use any library of it. */
import { createHmac } from "node:crypto";

/** The bytes of a secret: base64 behind `whsec_`, any other text as it is. */
export function webhookKey(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice("whsec_".length), "base64") : Buffer.from(secret);
}

/** The three headers of one try; `at` is wall-clock milliseconds. A receiver refuses what is older than a few minutes. */
export function signatureHeaders(secret: string, id: string, body: string, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const signature = createHmac("sha256", webhookKey(secret)).update(`${id}.${timestamp}.${body}`).digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}
