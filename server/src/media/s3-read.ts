/** Reading objects: what breaks in the middle goes on where it broke, so that whoever listens notices a pause and nothing else. */

import { Readable } from "node:stream";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { S3BeyondEnd, S3Fault } from "./s3-fault.ts";
import { objectOf, type S3Place } from "./s3-place.ts";
import { patiently } from "./s3-retry.ts";

export interface ReadLimits {
  /** Milliseconds that the first byte may take, with all tries. */
  readonly begin: number;
  /** Milliseconds that an answer which has begun may stand still, and again as long until it goes on. */
  readonly stall: number;
}

/** How often one reading may be taken up again. */
const mostResumed = 100;
const buffered = 256 * 1024;

interface Part {
  readonly body: Readable;
  readonly start: number;
  /** Inclusive; `start - 1` where there is nothing. */
  readonly end: number;
  readonly etag: string | undefined;
}

/** Opens an object or the inclusive part of it. Rejects with S3Missing; a part behind the end is empty. */
export async function openObject(
  place: S3Place,
  name: string,
  range: { start: number; end: number } | undefined,
  limits: ReadLimits,
): Promise<Readable> {
  const patience = { total: limits.begin, one: limits.begin };
  const first = await patiently(patience, (signal) => requestPart(place, name, range, undefined, signal)).catch(
    (error: unknown) => {
      if (error instanceof S3BeyondEnd) return null;
      throw error;
    },
  );
  if (first === null) return Readable.from([]);
  const reading = new Reading(place, name, first, limits);
  const stream = Readable.from(reading.pieces(), { objectMode: false, highWaterMark: buffered });
  // What is closed before anybody read a byte has never entered the generator.
  return stream.once("close", () => reading.end());
}

async function requestPart(
  place: S3Place,
  name: string,
  range: { start: number; end: number } | undefined,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<Part> {
  // The limit is for the head of the answer; the body may take as long as it moves.
  const head = new AbortController();
  const abort = (): void => head.abort();
  signal.addEventListener("abort", abort);
  try {
    const wanted = range === undefined ? {} : { Range: `bytes=${range.start}-${range.end}` };
    const same = etag === undefined ? {} : { IfMatch: etag };
    const answer = await place.client.send(new GetObjectCommand({ ...objectOf(place, name), ...wanted, ...same }), {
      abortSignal: head.signal,
    });
    const body = answer.Body as Readable;
    const [start, end] = boundsOf(range, answer.ContentRange, answer.ContentLength) ?? [0, -2];
    if (end >= start - 1) return { body, start, end, etag: answer.ETag };
    body.destroy();
    throw new S3Fault("unreachable", "other bytes than asked for");
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/** First and last byte of an answer; null where it is not what was asked for. Of one that goes on for longer the beginning is taken. */
function boundsOf(
  range: { start: number; end: number } | undefined,
  contentRange: string | undefined,
  length: number | undefined,
): [start: number, end: number] | null {
  if (length === undefined) return null;
  if (range === undefined) return [0, length - 1];
  const [start = -1, end = -1, size = -1] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange ?? "") ?? [])
    .slice(1)
    .map(Number);
  if (start !== range.start || end - start + 1 !== length || end < Math.min(range.end, size - 1)) return null;
  return [start, Math.min(end, range.end)];
}

class Reading {
  readonly #place: S3Place;
  readonly #name: string;
  readonly #limits: ReadLimits;
  readonly #first: Part;
  readonly #over = new AbortController();
  #body: Readable;

  constructor(place: S3Place, name: string, first: Part, limits: ReadLimits) {
    this.#place = place;
    this.#name = name;
    this.#first = first;
    this.#limits = limits;
    this.#body = this.#take(first.body);
  }

  async *pieces(): AsyncGenerator<Buffer, void, undefined> {
    const { start, end } = this.#first;
    let at = start;
    let iterator = this.#body[Symbol.asyncIterator]();
    for (let resumed = 0; at <= end; ) {
      const piece = await this.#next(iterator);
      if (piece !== null) {
        const wanted = piece.subarray(0, end + 1 - at);
        at += wanted.byteLength;
        yield wanted;
        continue;
      }
      // Cut off, or standing still: what is missing is asked for anew.
      this.#body.destroy();
      resumed += 1;
      if (resumed > mostResumed) throw new S3Fault("unreachable", "the answer breaks off again and again");
      this.#body = this.#take((await this.#request(at, end)).body);
      iterator = this.#body[Symbol.asyncIterator]();
    }
  }

  end(): void {
    this.#over.abort();
    this.#body.destroy();
  }

  /** An answer may break while nobody reads it; reading it will tell. */
  #take(body: Readable): Readable {
    return body.on("error", () => undefined);
  }

  /** The next bytes; null where none come any more, for whatever reason. */
  async #next(iterator: NodeJS.AsyncIterator<Buffer>): Promise<Buffer | null> {
    const timer = setTimeout(() => this.#body.destroy(), this.#limits.stall);
    try {
      const next = await iterator.next();
      return next.done === true ? null : next.value;
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Of the same object only: bytes of two versions make none. */
  #request(start: number, end: number): Promise<Part> {
    const { stall } = this.#limits;
    return patiently({ total: stall, one: stall, signal: this.#over.signal }, (signal) =>
      requestPart(this.#place, this.#name, { start, end }, this.#first.etag, signal),
    );
  }
}
