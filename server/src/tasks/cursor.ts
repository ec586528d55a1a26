import { SafelightError } from "../errors.ts";
import type { TaskRecord } from "./task-record.ts";

/** A place in the order of lists: the task that stood last on a page. */
export interface Place {
  readonly createdAt: number;
  readonly sequence: number;
}

export function writeCursor({ createdAt, sequence }: Pick<TaskRecord, "createdAt" | "sequence">): string {
  return Buffer.from(`${createdAt}.${sequence}`).toString("base64url");
}

/** Errors: `validation_failed` for what is no cursor of ours. */
export function readCursor(cursor: string): Place {
  const text = Buffer.from(cursor, "base64url").toString("latin1");
  // Decoding passes over what is no base64url; encoding again shows whether there was any.
  const match = Buffer.from(text).toString("base64url") === cursor ? /^(\d{1,16})\.(\d{1,16})$/.exec(text) : null;
  const [createdAt, sequence] = [Number(match?.[1]), Number(match?.[2])];
  if (match !== null && Number.isSafeInteger(createdAt) && Number.isSafeInteger(sequence))
    return { createdAt, sequence };
  const message = "The cursor is not one that a page of this list has given.";
  throw new SafelightError("validation_failed", message, { fields: [{ field: "cursor", code: "pattern", message }] });
}
