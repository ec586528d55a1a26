/**
 * Storing: in one request, or in parts that become an object all at once. Either way there is nothing to see before all of it is there,
 * and it is only believed to be there when the server has said its size and the hash that was sent with it.
 */
import { createHash } from "node:crypto";
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  PutObjectCommand,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { isMediaName } from "./media-names.ts";
import { S3Fault, S3Missing } from "./s3-fault.ts";
import { keyOf, type S3Place } from "./s3-place.ts";
import { type Patience, patiently } from "./s3-retry.ts";
import { readNote, type S3Spool } from "./s3-spool.ts";
import { createTurnstile } from "./turnstile.ts";

export interface Source {
  readonly bytes: number;
  readonly sha256: string;
  /** Reads this part of it into memory. */
  read(start: number, length: number): Promise<Buffer>;
}

export interface UploadParts {
  readonly place: S3Place;
  readonly spool: S3Spool;
  /** Bytes of one part; the server takes none below 5 MiB but the last. */
  readonly partBytes: number;
}

/** What is sent in one request, and the least that a part has. */
export const usualPart = 8 * 1024 * 1024;
// Servers take 10,000.
const mostParts = 9000;
const atOnce = 3;
const sending = createTurnstile(4);
/** Uploads that nobody ended and that began this long ago are left over, in milliseconds. */
const leftOver = 24 * 60 * 60 * 1000;

const types: Readonly<Record<string, string>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  jpg: "image/jpeg",
  webp: "image/webp",
  mp4: "video/mp4",
  webm: "video/webm",
};

/** Stores all of it under the name. Rejects with an S3Fault; then there is what was there before. */
export async function upload(parts: UploadParts, name: string, source: Source, patience: Patience): Promise<void> {
  const { place } = parts;
  const facts = {
    Bucket: place.location.bucket,
    Key: keyOf(place.location, name),
    ContentType: types[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream",
    Metadata: { sha256: source.sha256 },
  };
  const etag = await (source.bytes > parts.partBytes ? uploadInParts : uploadAtOnce)(parts, facts, source, patience);
  await mustBeThere(place, { ...facts, etag }, source, patience);
}

/** Answers the tag that the server gave it. */
function uploadAtOnce(
  { place }: UploadParts,
  facts: Facts,
  source: Source,
  patience: Patience,
): Promise<string | null> {
  return sending.pass(async () => {
    const body = await source.read(0, source.bytes);
    const command = { ...facts, Body: body, ContentLength: body.byteLength, ContentMD5: md5Of(body) };
    const answer = await patiently(patience, (abortSignal) =>
      place.client.send(new PutObjectCommand(command), { abortSignal }),
    );
    return answer.ETag ?? null;
  });
}

interface Facts {
  readonly Bucket: string;
  readonly Key: string;
  readonly ContentType: string;
  readonly Metadata: Readonly<Record<string, string>>;
}

async function mustBeThere(
  place: S3Place,
  { Bucket, Key, etag }: Facts & { readonly etag: string | null },
  source: Source,
  patience: Patience,
): Promise<void> {
  await patiently(patience, async (abortSignal) => {
    const found = await place.client
      .send(new HeadObjectCommand({ Bucket, Key }), { abortSignal })
      .catch((error: unknown) => {
        throw isMissing(error) ? new S3Fault("unreachable", "what was stored is not there") : error;
      });
    if (found.ContentLength === source.bytes && found.Metadata?.sha256 === source.sha256) return;
    // It took ours whole, and somebody has stored something else under this name since.
    if (etag !== null && found.ETag !== undefined && found.ETag !== etag) return;
    throw new S3Fault("unreachable", "what was stored is not what was sent");
  });
}

function isMissing(error: unknown): boolean {
  return (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 404;
}

async function uploadInParts(
  parts: UploadParts,
  facts: Facts,
  source: Source,
  patience: Patience,
): Promise<string | null> {
  const { client } = parts.place;
  const { Bucket, Key } = facts;
  const { UploadId = "" } = await patiently(patience, (abortSignal) =>
    client.send(new CreateMultipartUploadCommand(facts), { abortSignal }),
  );
  const note = await parts.spool.note({ key: Key, uploadId: UploadId }).catch(async (error: unknown) => {
    await abortUpload(parts.place, Key, UploadId).catch(() => undefined);
    throw error;
  });
  try {
    const sent = await sendParts(parts, { Bucket, Key, UploadId }, source, patience);
    const command = { Bucket, Key, UploadId, MultipartUpload: { Parts: sent } };
    const answer = await patiently(patience, (abortSignal) =>
      client.send(new CompleteMultipartUploadCommand(command), { abortSignal }),
    ).catch((error: unknown) => {
      // An earlier try may have been done and its answer lost; whether all is there is looked at next.
      if (error instanceof S3Missing) return null;
      throw error;
    });
    await parts.spool.remove(note);
    return answer?.ETag ?? null;
  } catch (error) {
    // What cannot be ended now stays noted, and is ended by tidyUploads().
    await abortUpload(parts.place, Key, UploadId).then(
      () => parts.spool.remove(note),
      () => parts.spool.leftNotes.add(note),
    );
    throw error;
  }
}

type PartOf = { readonly Bucket: string; readonly Key: string; readonly UploadId: string };

async function sendParts(parts: UploadParts, of: PartOf, source: Source, patience: Patience) {
  const size = Math.max(parts.partBytes, Math.ceil(source.bytes / mostParts));
  const count = Math.ceil(source.bytes / size);
  const sent: { PartNumber: number; ETag: string }[] = [];
  let broken: { readonly error: unknown } | null = null;
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count && broken === null && patience.signal?.aborted !== true) {
      const index = next++;
      const PartNumber = index + 1;
      const answer = await sending.pass(async () => {
        const Body = await source.read(index * size, Math.min(size, source.bytes - index * size));
        const command = { ...of, PartNumber, Body, ContentLength: Body.byteLength, ContentMD5: md5Of(Body) };
        return patiently(patience, (abortSignal) =>
          parts.place.client.send(new UploadPartCommand(command), { abortSignal }),
        );
      });
      sent.push({ PartNumber, ETag: answer.ETag ?? "" });
    }
  };
  const watched = () =>
    work().catch((error: unknown) => {
      broken ??= { error };
    });
  // All have to have ended before the upload is: a part that comes after its end would stay.
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, watched));
  throwIf(broken);
  if (sent.length < count) throw new S3Fault("unreachable", "no longer wanted");
  return sent.sort((one, other) => one.PartNumber - other.PartNumber);
}

function throwIf(broken: { readonly error: unknown } | null): void {
  if (broken !== null) throw broken.error;
}

/** Ends an upload, of which then nothing is left. One that is not there any more is no fault. */
async function abortUpload(place: S3Place, key: string, uploadId: string): Promise<void> {
  const command = { Bucket: place.location.bucket, Key: key, UploadId: uploadId };
  await patiently({ total: 5000, one: 5000 }, (abortSignal) =>
    place.client.send(new AbortMultipartUploadCommand(command), { abortSignal }),
  ).catch((error: unknown) => {
    if (!(error instanceof S3Missing)) throw error;
  });
}

/** Ends uploads that an earlier process or a failing server left. Answers how many, and what kept it from ending others. */
export async function tidyUploads(
  { place, spool }: Pick<UploadParts, "place" | "spool">,
  now: number,
): Promise<{ ended: number; fault: unknown }> {
  let ended = 0;
  let fault: unknown = null;
  for (const file of spool.leftNotes) {
    const begun = await readNote(file);
    try {
      if (begun !== null) await abortUpload(place, begun.key, begun.uploadId);
      await spool.remove(file);
      spool.leftNotes.delete(file);
      ended += 1;
    } catch (error) {
      fault = error;
    }
  }
  try {
    for await (const { key, uploadId, begunAt } of listUploads(place)) {
      if (now - begunAt < leftOver || !isMediaName(key.slice(keyOf(place.location, "").length))) continue;
      await abortUpload(place, key, uploadId);
      ended += 1;
    }
  } catch (error) {
    fault = error;
  }
  return { ended, fault };
}

async function* listUploads({ client, location: { bucket, prefix } }: S3Place) {
  let from: Pick<ListMultipartUploadsCommandInput, "KeyMarker" | "UploadIdMarker"> | null = {};
  while (from !== null) {
    const command: ListMultipartUploadsCommandInput = {
      Bucket: bucket,
      Prefix: prefix === "" ? "" : `${prefix}/`,
      ...from,
    };
    const page: ListMultipartUploadsCommandOutput = await patiently({ total: 5000, one: 5000 }, (abortSignal) =>
      client.send(new ListMultipartUploadsCommand(command), { abortSignal }),
    );
    for (const { Key: key = "", UploadId: uploadId = "", Initiated } of page.Uploads ?? []) {
      yield { key, uploadId, begunAt: Initiated?.getTime() ?? Number.POSITIVE_INFINITY };
    }
    const { IsTruncated, NextKeyMarker = "", NextUploadIdMarker = "" } = page;
    from = IsTruncated === true ? { KeyMarker: NextKeyMarker, UploadIdMarker: NextUploadIdMarker } : null;
  }
}

function md5Of(bytes: Uint8Array): string {
  // No protection against anybody: it lets the server notice what was damaged on the way.
  return createHash("md5").update(bytes).digest("base64");
}
