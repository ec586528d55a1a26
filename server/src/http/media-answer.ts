import type { Readable } from "node:stream";
import { create as createDisposition } from "content-disposition";
import type { FastifyReply } from "fastify";
import type { SafelightError } from "../errors.ts";
import { MediaNotFound } from "../media/disk-media-store.ts";
import type { Installation } from "./installation.ts";
import { type ByteRange, isUnchanged, parseRange, rangeApplies } from "./range.ts";
import { type Call, credentialOf } from "./register.ts";

export interface MediaDescription {
  readonly type: string;
  /** Strong, with its quotes. */
  readonly etag: string;
  readonly cacheControl: string;
  /** Name for saving; null sends no Content-Disposition. */
  readonly fileName: string | null;
  readonly asAttachment?: boolean;
}

export interface StoredFile extends MediaDescription {
  /** Name in the media store. */
  readonly name: string;
  readonly whenMissing: SafelightError;
  /** Whether the store itself may hand it out, where the settings say so. */
  readonly large?: boolean;
}

/** Sends a stored file or the part of it that was asked for: 200, 206 or 304. HEAD gets the headers of the same answer. */
export async function sendFile(installation: Installation, call: Call, file: StoredFile): Promise<FastifyReply> {
  const { media } = call.context;
  const size = await sizeOf(call, file.name);
  if (size === null) throw file.whenMissing;
  const elsewhere = await addressOf(installation, call, file);
  if (elsewhere !== null)
    return call.reply.code(302).headers({ location: elsewhere, "cache-control": "no-store" }).send();
  const range = prepareAnswer(call, file, size);
  if (range === "unchanged" || call.request.method === "HEAD") return call.reply.send();
  const content = await media.open(file.name, range ?? undefined).catch(missingIs(file.whenMissing));
  if (range !== null && range.end - range.start < sentAtOnce) return call.reply.send(await readWhole(content));
  return sendStream(installation, call, content);
}

/** Where to send a browser for the file; null where the answer is ours to give. */
async function addressOf(
  { config }: Installation,
  { context, request }: Call,
  file: StoredFile,
): Promise<string | null> {
  // Who follows an address elsewhere takes the headers along: a key in one would be shown to whoever keeps the bucket.
  const carriesKey = request.headers["x-api-key"] !== undefined;
  const isOurs = carriesKey || request.method === "HEAD" || isUnchanged(request.headers["if-none-match"], file.etag);
  if (config.mediaDelivery !== "signed" || file.large !== true || isOurs) return null;
  return context.media.address(file.name, {
    type: file.type,
    cacheControl: file.cacheControl,
    disposition: dispositionOf(file),
  });
}

function dispositionOf({ fileName, asAttachment }: MediaDescription): string | null {
  return fileName === null ? null : createDisposition(fileName, { type: asAttachment ? "attachment" : "inline" });
}

/** Sends a body whose head is prepared. It ends with the credential of the call, and is let go of when the caller leaves. */
export function sendStream(installation: Installation, call: Call, content: Readable): FastifyReply {
  const forget = installation.streams.track(credentialOf(call), () => call.request.raw.socket.destroy());
  const letGo = (): void => {
    forget();
    content.destroy();
  };
  call.reply.raw.once("close", letGo);
  const reply = call.reply.send(content);
  // Who left while the file was looked up closes nothing any more.
  if (call.reply.raw.destroyed) letGo();
  return reply;
}

/** Sizes of files that were just asked for: someone who seeks asks for many parts of one file in a second. */
const knownSizes = new WeakMap<object, Map<string, { readonly bytes: number; readonly goodUntil: number }>>();
const sizesKept = 200;
const sizeLifetime = 1000;

async function sizeOf({ context, request }: Call, name: string): Promise<number | null> {
  const sizes = knownSizes.get(context.media) ?? new Map<string, { bytes: number; goodUntil: number }>();
  knownSizes.set(context.media, sizes);
  // A stored file never changes under its name, and that it has gone is noticed when it is opened.
  const known = request.headers.range === undefined ? undefined : sizes.get(name);
  if (known !== undefined && known.goodUntil > performance.now()) return known.bytes;
  const found = await context.media.stat(name);
  if (sizes.size >= sizesKept) sizes.clear();
  if (found !== null) sizes.set(name, { bytes: found.bytes, goodUntil: performance.now() + sizeLifetime });
  return found?.bytes ?? null;
}

/** Parts up to this many bytes are sent in one piece rather than streamed. */
const sentAtOnce = 512 * 1024;

/** Says what it means here that the store does not have a file. */
export function missingIs(refusal: SafelightError): (error: unknown) => never {
  return (error) => {
    throw error instanceof MediaNotFound ? refusal : error;
  };
}

/** Everything a stream has to give. */
export async function readWhole(content: Readable): Promise<Buffer> {
  const pieces = (await content.toArray()) as Buffer[];
  return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
}

/** The same for bytes that are in memory. */
export function sendBytes(call: Call, bytes: Uint8Array, description: MediaDescription): FastifyReply {
  const range = prepareAnswer(call, description, bytes.byteLength);
  if (range === "unchanged" || call.request.method === "HEAD") return call.reply.send();
  return call.reply.send(range === null ? bytes : bytes.subarray(range.start, range.end + 1));
}

/** Writes the head of an answer of this many bytes, and says which of them are to follow; null: all. Errors: `range_not_satisfiable`. */
export function prepareAnswer(call: Call, file: MediaDescription, size: number): ByteRange | null | "unchanged" {
  const { request, reply } = call;
  reply.headers({
    "content-type": file.type,
    "cache-control": file.cacheControl,
    "accept-ranges": "bytes",
    etag: file.etag,
    "content-security-policy": mediaPolicy,
  });
  const disposition = dispositionOf(file);
  if (disposition !== null) reply.header("content-disposition", disposition);
  if (isUnchanged(request.headers["if-none-match"], file.etag)) {
    reply.code(304).removeHeader("content-type");
    return "unchanged";
  }
  const wanted = rangeApplies(firstOf(request.headers["if-range"]), file.etag) ? request.headers.range : undefined;
  const range = parseRange(wanted, size);
  reply.header("content-length", String(range === null ? size : range.end - range.start + 1));
  if (range !== null) reply.code(206).header("content-range", `bytes ${range.start}-${range.end}/${size}`);
  return range;
}

// A picture or film that is opened by its address shows itself and can do nothing else.
const mediaPolicy = "default-src 'none'; img-src 'self'; media-src 'self'; frame-ancestors 'none'";

function firstOf(value: string | string[] | undefined): string | undefined {
  return typeof value === "string" ? value : value?.[0];
}
