/**
 * Reference images. An upload is named by the SHA-256 of its bytes, so the same picture sent twice is one file, and an id that
 * a task carries can never come to mean another picture.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Readable, Transform } from "node:stream";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { SafelightError } from "../errors.ts";
import { takeHold } from "../gateways/holds.ts";
import { type ImageType, inspectImage, largestImageBytes } from "./inspect-image.ts";
import { createTurnstile, type Turnstile } from "./turnstile.ts";

export interface Upload {
  /** `sha256-` and 64 hex digits. */
  readonly id: string;
  readonly type: ImageType;
  readonly bytes: number;
  readonly width: number;
  readonly height: number;
}

const idPattern = /^sha256-[0-9a-f]{64}$/;

export function isUploadId(text: string): boolean {
  return idPattern.test(text);
}

/** The id these bytes have or would have. */
export function uploadIdOf(bytes: Uint8Array): string {
  return `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Where the media store keeps an upload. */
export function uploadName(upload: { readonly id: string; readonly type: string }): string {
  return `uploads/${upload.id}.${upload.type.replace("image/", "")}`;
}

/** The upload, or null when it is unknown or its file has gone. */
export async function findUpload(context: Context, id: string): Promise<Upload | null> {
  if (!isUploadId(id)) return null;
  const row = (await context.database
    .prepareRead("SELECT id, type, bytes, width, height FROM uploads WHERE id = ?")
    .get(id)) as unknown as Upload | undefined;
  if (row === undefined || (await context.media.stat(uploadName(row))) === null) return null;
  return { ...row };
}

/**
 * Takes in a file as it arrives, without holding it in memory while the sender is slow.
 * Errors: `payload_too_large` over 20 MB, `invalid_image`, `storage_unavailable`.
 */
export async function receiveUpload(
  context: Context,
  file: { readonly content: Readable; readonly type: string | null },
): Promise<{ upload: Upload; known: boolean }> {
  const incoming = `uploads/incoming-${context.ids.task()}`;
  const limited = file.content.pipe(refuseBeyond(largestImageBytes));
  file.content.once("error", (error) => limited.destroy(error));
  const received = await context.media.receive(incoming, limited);
  try {
    return await storeUpload(context, await readFile(received.path), file.type);
  } finally {
    await received.discard();
  }
}

/**
 * Checks and keeps an image that is in memory already. `known` says that it was here before.
 * Errors: `invalid_image`, `storage_unavailable`.
 */
export async function storeUpload(
  context: Context,
  bytes: Uint8Array,
  declared: string | null,
): Promise<{ upload: Upload; known: boolean }> {
  const id = uploadIdOf(bytes);
  // A row that was used just now keeps its file, so that nothing is held for a picture that is here already.
  const kept = context.database.shared ? await useAgain(context, id, declared) : null;
  if (kept !== null) return { upload: kept, known: true };
  return holdUpload(context, id, async (isStillMine) => {
    const before = await findUpload(context, id);
    const usable = before !== null && (declared === before.type || declared === null);
    // The last task that named it may be deleted in this moment, and the upload with it.
    if (usable && (await touchUpload(context, id))) return { upload: before, known: true };
    const upload: Upload = { id, bytes: bytes.byteLength, ...(await inspectImage(bytes, declared)) };
    // File first, row second: a crash in between leaves a file without a record, which the sweep finds, never the reverse.
    await context.media.put(uploadName(upload), bytes);
    const now = context.clock.now();
    await context.database.write(async (transaction) => {
      if (!(await isStillMine(transaction))) throw new SafelightError("storage_unavailable", tookTooLong);
      await transaction
        .prepare(
          `INSERT INTO uploads (id, type, bytes, width, height, created_at, last_used_at, sent_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (id) DO UPDATE SET last_used_at = excluded.last_used_at, sent_at = excluded.sent_at`,
        )
        .run(id, upload.type, upload.bytes, upload.width, upload.height, now, now, now);
    });
    return { upload, known: before !== null };
  });
}

const tookTooLong = "Storing the picture took too long; send it again.";

async function useAgain(context: Context, id: string, declared: string | null): Promise<Upload | null> {
  const known = await findUpload(context, id);
  if (known === null || (declared !== null && declared !== known.type)) return null;
  return (await touchUpload(context, id)) ? known : null;
}

/**
 * Starts the 24 hours anew, so that an upload about to be named by a task is not swept from under it, nor deleted with an older
 * task. False when there is no such upload (any more).
 */
export async function touchUpload(context: Context, id: string): Promise<boolean> {
  const now = context.clock.now();
  return context.database.write(async (transaction) => {
    const update = transaction.prepare("UPDATE uploads SET last_used_at = ?, sent_at = ? WHERE id = ?");
    return Number((await update.run(now, now, id)).changes) > 0;
  });
}

const locks = new Map<string, { turnstile: Turnstile; users: number }>();

/**
 * Storing and sweeping one upload must not overlap, at whichever gateway: the sweep would remove the file the other has just written.
 * `isStillMine`, in the transaction that relies on it: a gateway that stood still for long may have lost its hold.
 */
export async function holdUpload<Result>(
  context: Context,
  id: string,
  work: (isStillMine: (tx: Transaction) => Promise<boolean>) => Promise<Result>,
): Promise<Result> {
  return uploadLock(id).pass(async () => {
    if (!context.database.shared) return work(() => Promise.resolve(true));
    const hold = await takeHold(context, `upload ${id}`, "alone");
    try {
      return await work((tx) => hold.isMine(tx));
    } finally {
      await hold.release();
    }
  });
}

function uploadLock(id: string): Turnstile {
  return {
    async pass(work) {
      const lock = locks.get(id) ?? { turnstile: createTurnstile(1), users: 0 };
      locks.set(id, lock);
      lock.users += 1;
      try {
        return await lock.turnstile.pass(work);
      } finally {
        lock.users -= 1;
        if (lock.users === 0) locks.delete(id);
      }
    },
  };
}

function refuseBeyond(limit: number): Transform {
  let total = 0;
  return new Transform({
    transform(piece: Uint8Array, _encoding, done) {
      total += piece.byteLength;
      if (total > limit) done(new SafelightError("payload_too_large", "The image is larger than 20 MB."));
      else done(null, piece);
    },
  });
}
