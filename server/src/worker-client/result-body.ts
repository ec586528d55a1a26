/** The bytes of a result on their way, and what must be so before the last of them is let through. */
import { createHash } from "node:crypto";
import { type WorkerResult, workerHeaders } from "@safelight/contract/worker";
import { typeOf } from "./answer-checks.ts";
import { brokenProtocol, fromTransport } from "./worker-error.ts";

/** First and last byte, both included. */
export interface ResultPart {
  readonly start: number;
  readonly end: number;
}

/** Whether the head of the answer says what the status said, and of a part that it is this one. */
export function isAnnounced({ headers }: Response, facts: WorkerResult, part: ResultPart | null): boolean {
  const isFile =
    typeOf({ headers }) === facts.content_type &&
    Number(headers.get(workerHeaders.size)) === facts.bytes &&
    headers.get(workerHeaders.sha256) === facts.sha256;
  return isFile && (part === null || headers.get("content-range") === `bytes ${part.start}-${part.end}/${facts.bytes}`);
}

/**
 * Passes the bytes on, and breaks off where they are not those announced: what was taken in until then is worthless. The last piece is
 * held back until all is proven, so that whoever passes the bytes on has never passed on a whole file that is wrong.
 */
export async function* checkedBytes(
  body: ReadableStream<Uint8Array>,
  bytes: number,
  sha256: string | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = sha256 === null ? null : createHash("sha256");
  let count = 0;
  let held: Uint8Array | null = null;
  try {
    for await (const piece of body) {
      count += piece.byteLength;
      hash?.update(piece);
      if (held !== null) yield held;
      held = piece;
    }
  } catch (error) {
    throw fromTransport(error, signal);
  }
  if (count !== bytes) throw brokenProtocol(`The result ended after ${count} of ${bytes} bytes.`);
  if (hash !== null && hash.digest("hex") !== sha256) {
    throw brokenProtocol("The result does not have the hash that was announced.");
  }
  if (held !== null) yield held;
}
