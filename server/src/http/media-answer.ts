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
}

/** Sends a stored file or the part of it that was asked for: 200, 206 or 304. HEAD gets the headers of the same answer. */
export async function sendFile(installation: Installation, call: Call, file: StoredFile): Promise<FastifyReply> {
  const { media } = call.context;
  const found = await media.stat(file.name);
  if (found === null) throw file.whenMissing;
  const range = prepareAnswer(call, file, found.bytes);
  if (range === "unchanged" || call.request.method === "HEAD") return call.reply.send();
  const content = await media.open(file.name, range ?? undefined).catch((error: unknown) => {
    throw error instanceof MediaNotFound ? file.whenMissing : error;
  });
  const forget = installation.streams.track(credentialOf(call), () => call.request.raw.socket.destroy());
  call.reply.raw.once("close", () => {
    forget();
    content.destroy();
  });
  return call.reply.send(content);
}

/** The same for bytes that are in memory. */
export function sendBytes(call: Call, bytes: Uint8Array, description: MediaDescription): FastifyReply {
  const range = prepareAnswer(call, description, bytes.byteLength);
  if (range === "unchanged" || call.request.method === "HEAD") return call.reply.send();
  return call.reply.send(range === null ? bytes : bytes.subarray(range.start, range.end + 1));
}

function prepareAnswer(call: Call, file: MediaDescription, size: number): ByteRange | null | "unchanged" {
  const { request, reply } = call;
  reply.headers({
    "content-type": file.type,
    "cache-control": file.cacheControl,
    "accept-ranges": "bytes",
    etag: file.etag,
    "content-security-policy": mediaPolicy,
  });
  if (file.fileName !== null) {
    reply.header(
      "content-disposition",
      createDisposition(file.fileName, { type: file.asAttachment ? "attachment" : "inline" }),
    );
  }
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
