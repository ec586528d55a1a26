import { createHash, randomUUID } from "node:crypto";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { Borrowed, HandedOut, MediaStore, Received, StoredSize } from "../context/media-store.ts";
import { SafelightError, StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import { listObjects } from "./bucket-reader.ts";
import { checkMediaName, MediaNotFound, mediaFolders } from "./media-names.ts";
import { S3Condition } from "./s3-condition.ts";
import { explainS3, S3Fault, S3Missing, storageUnavailable } from "./s3-fault.ts";
import { type S3Limits, type S3Options, usualLimits } from "./s3-limits.ts";
import { describePlace, keyOf, objectOf, openClient, openPlace, type S3Place } from "./s3-place.ts";
import { openObject } from "./s3-read.ts";
import { patiently } from "./s3-retry.ts";
import { SeenObjects } from "./s3-seen.ts";
import { S3Spool } from "./s3-spool.ts";
import { type Source, tidyUploads, type UploadParts, upload } from "./s3-upload.ts";

/** How long a signed address holds, in seconds. */
const addressSeconds = 300;
/** How long the size of an object is good, and how long it is believed to be there where nobody depends on it; in milliseconds. */
const statLifetime = 1000;
const seenLifetime = 10 * 60 * 1000;
/** How long a bucket that was there is believed to be, in milliseconds. */
const bucketSeen = 5000;
const tidyEvery = 60 * 60 * 1000;

/**
 * Media in a bucket of an S3 server. An object appears all at once; `put` resolves when the server has said its size and hash. What is on
 * its way lies in a folder of this machine, so that it can be sent again as often as it takes.
 */
export class S3MediaStore implements MediaStore {
  readonly folder = null;
  readonly #place: S3Place;
  readonly #signing: S3Client;
  readonly #spool: S3Spool;
  readonly #limits: S3Limits;
  readonly #log: Log;
  readonly #condition: S3Condition;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #seen = new SeenObjects();
  #bucketSeenAt = Number.NEGATIVE_INFINITY;

  private constructor(options: S3Options, place: S3Place, spool: S3Spool, limits: S3Limits) {
    const { location, keys, log } = options;
    this.#place = place;
    this.#signing =
      location.publicEndpoint === null ? place.client : openClient(location, location.publicEndpoint, keys);
    this.#spool = spool;
    this.#limits = limits;
    this.#log = log;
    this.#condition = new S3Condition({
      place: describePlace(location),
      log,
      probe: () => this.#probe(limits.call),
      probeEvery: limits.probeEvery,
    });
  }

  /** Errors: a StartupError of one line where the bucket cannot be written, read, listed and removed from. */
  static async open(options: S3Options): Promise<S3MediaStore> {
    const limits = { ...usualLimits, ...options.limits };
    const spool = await S3Spool.open(options.spoolFolder).catch((error: NodeJS.ErrnoException) => {
      throw new StartupError(`DATA_DIR: the folder for media on its way cannot be written (${error.code}).`, error);
    });
    const place = openPlace(options.location, options.keys);
    const store = new S3MediaStore(options, place, spool, limits);
    try {
      await store.#probe(limits.start);
    } catch (error) {
      store.close();
      const fault = explainS3(error);
      const why = fault instanceof S3Fault ? fault.message : "it answers that what was stored is not there";
      throw new StartupError(`MEDIA_URL: ${describePlace(options.location)}: ${why}.`);
    }
    void store.#tidy();
    store.#timers.push(setInterval(() => void store.#tidy(), tidyEvery).unref());
    return store;
  }

  /** Ends its connections and what it does by itself. */
  close(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.#condition.close();
    this.#place.client.destroy();
    if (this.#signing !== this.#place.client) this.#signing.destroy();
  }

  async put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }> {
    checkMediaName(name);
    if (bytes instanceof Uint8Array) {
      const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const sha256 = createHash("sha256").update(whole).digest("hex");
      const read = async (start: number, length: number) => whole.subarray(start, start + length);
      await this.#store(name, { bytes: whole.byteLength, sha256, read }, this.#limits.put);
      return { bytes: whole.byteLength, sha256 };
    }
    const received = await this.receive(name, bytes);
    try {
      await this.#storeFile(name, received, this.#limits.put);
    } finally {
      await received.discard();
    }
    return { bytes: received.bytes, sha256: received.sha256 };
  }

  async receive(name: string, bytes: Readable): Promise<Received> {
    checkMediaName(name);
    bytes.on("error", () => undefined);
    const received = await this.#takeIn(bytes);
    const discard = () => this.#spool.remove(received.path);
    const store = async (signal?: AbortSignal): Promise<void> => {
      await this.#storeFile(name, received, this.#limits.keep, signal);
      await discard();
    };
    return { ...received, store, discard };
  }

  async open(name: string, range?: { start: number; end: number }): Promise<Readable> {
    checkMediaName(name);
    const { call, stall } = this.#limits;
    return this.#guarded(async () => {
      try {
        return await openObject(this.#place, name, range, { begin: call, stall });
      } catch (error) {
        if (!(error instanceof S3Missing)) throw error;
        this.#seen.forget(name);
        await this.#mustHaveBucket();
        throw new MediaNotFound(`no such media: ${name}`);
      }
    });
  }

  async borrow(name: string): Promise<Borrowed> {
    checkMediaName(name);
    const found = await this.#guarded(() => this.#head(name));
    if (found === null) throw new MediaNotFound(`no such media: ${name}`);
    const { path, sha256 } = await this.#takeIn(await this.open(name));
    // What was stored by others may come without a hash.
    if ((found.Metadata?.sha256 ?? sha256) !== sha256) {
      await this.#spool.remove(path);
      throw storageUnavailable(new S3Fault("refused", "what came is not what was stored"));
    }
    return { path, [Symbol.asyncDispose]: () => this.#spool.remove(path) };
  }

  async stat(name: string): Promise<StoredSize | null> {
    checkMediaName(name);
    // What is sent is looked at more than once: for its size, and whether it is there.
    const known = this.#seen.get(name, statLifetime);
    if (known !== null) return known;
    const found = await this.#guarded(() => this.#head(name));
    if (found === null) return null;
    const size = { bytes: found.ContentLength ?? 0, modifiedAt: found.LastModified?.getTime() ?? 0 };
    this.#seen.add(name, size);
    return size;
  }

  /** Reading goes on while the server does not answer: what cannot be told is not called gone. */
  async isGone(name: string): Promise<boolean> {
    if (this.#seen.get(name, seenLifetime) !== null) return false;
    return (await this.stat(name).catch(() => undefined)) === null;
  }

  async remove(name: string): Promise<void> {
    checkMediaName(name);
    this.#seen.forget(name);
    await this.#guarded(() => this.#removeKey(keyOf(this.#place.location, name)));
    this.#seen.forget(name);
  }

  async *list(prefix: string): AsyncIterable<string> {
    for await (const { name } of this.entries(prefix)) yield name;
  }

  async *entries(prefix: string): AsyncIterable<StoredSize & { readonly name: string }> {
    // Each folder by itself: beside them lies what is not ours to list.
    for (const folder of mediaFolders) {
      if (!`${folder}/`.startsWith(prefix) && !prefix.startsWith(`${folder}/`)) continue;
      yield* this.#entriesOf(prefix.length > folder.length ? prefix : `${folder}/`);
    }
  }

  async address(name: string, { type, cacheControl, disposition }: HandedOut): Promise<string> {
    checkMediaName(name);
    const command = new GetObjectCommand({
      ...objectOf(this.#place, name),
      ResponseContentType: type,
      ResponseCacheControl: cacheControl,
      ...(disposition === null ? {} : { ResponseContentDisposition: disposition }),
    });
    return this.#guarded(() => getSignedUrl(this.#signing, command, { expiresIn: addressSeconds }));
  }

  fault(): string | null {
    return this.#condition.fault();
  }

  refusal(): string | null {
    return this.#condition.refusal();
  }

  async #takeIn(bytes: Readable): Promise<{ path: string; bytes: number; sha256: string }> {
    let broken: unknown;
    bytes.once("error", (error) => {
      broken = error;
    });
    try {
      return await this.#spool.write(bytes as AsyncIterable<Uint8Array>);
    } catch (error) {
      // The source's own error is the source's; everything else is the folder of this machine.
      throw broken === undefined && !(error instanceof SafelightError) ? storageUnavailable(error) : error;
    } finally {
      bytes.destroy();
    }
  }

  async #storeFile(
    name: string,
    file: { path: string; bytes: number; sha256: string },
    total: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const handle = await open(file.path, "r").catch((error: unknown) => {
      throw storageUnavailable(error);
    });
    try {
      const read = async (start: number, length: number): Promise<Buffer> => {
        const bytes = Buffer.allocUnsafe(length);
        for (let filled = 0; filled < length; ) {
          const { bytesRead } = await handle.read(bytes, filled, length - filled, start + filled);
          if (bytesRead === 0) throw new Error("a file on its way has become shorter");
          filled += bytesRead;
        }
        return bytes;
      };
      await this.#store(name, { bytes: file.bytes, sha256: file.sha256, read }, total, signal);
    } finally {
      await handle.close();
    }
  }

  async #store(name: string, source: Source, total: number, signal?: AbortSignal): Promise<void> {
    this.#seen.forget(name);
    const parts: UploadParts = { place: this.#place, spool: this.#spool, partBytes: this.#limits.partBytes };
    await this.#guarded(() =>
      upload(parts, name, source, { total, one: this.#limits.request, signal }).catch((error: unknown) => {
        // What nobody wants any more says nothing about the server.
        throw signal?.aborted === true ? storageUnavailable(error) : error;
      }),
    );
    this.#seen.forget(name);
    this.#condition.worked();
  }

  async #head(name: string): Promise<HeadObjectCommandOutput | null> {
    try {
      return await this.#call((abortSignal) =>
        this.#place.client.send(new HeadObjectCommand(objectOf(this.#place, name)), { abortSignal }),
      );
    } catch (error) {
      if (!(error instanceof S3Missing)) throw error;
      // The answer has no body that would tell a missing object from a missing bucket.
      await this.#mustHaveBucket();
      return null;
    }
  }

  async *#entriesOf(prefix: string): AsyncIterable<StoredSize & { readonly name: string }> {
    const { call, listed } = this.#limits;
    const found = listObjects(this.#place, prefix, { listed, total: call, one: call });
    for (let next = await this.#guarded(() => found.next()); next.done !== true; ) {
      yield next.value;
      next = await this.#guarded(() => found.next());
    }
  }

  /** Everything that will be needed, once: list, store, read, remove. */
  async #probe(total: number): Promise<void> {
    const { location, client } = this.#place;
    const object = { Bucket: location.bucket, Key: keyOf(location, `partial/probe-${randomUUID()}`) };
    const patience = { total, one: this.#limits.request };
    const step = (what: string, work: (abortSignal: AbortSignal) => Promise<unknown>): Promise<unknown> =>
      patiently(patience, work).catch((error: unknown) => {
        const fault = explainS3(error);
        throw fault instanceof S3Fault && fault.kind === "denied"
          ? new S3Fault("denied", `${fault.code}, ${what}`)
          : fault;
      });
    const Prefix = keyOf(location, "partial/");
    await step("to list", (abortSignal) =>
      client.send(new ListObjectsV2Command({ Bucket: location.bucket, Prefix, MaxKeys: 1 }), { abortSignal }),
    );
    const Body = Buffer.from("May this be written?");
    await step("to write", (abortSignal) => client.send(new PutObjectCommand({ ...object, Body }), { abortSignal }));
    await step("to read", (abortSignal) => client.send(new HeadObjectCommand(object), { abortSignal }));
    await step("to remove", () => this.#removeKey(object.Key));
  }

  async #removeKey(Key: string): Promise<void> {
    const command = new DeleteObjectCommand({ Bucket: this.#place.location.bucket, Key });
    await this.#call((abortSignal) => this.#place.client.send(command, { abortSignal })).catch((error: unknown) => {
      // There are servers that complain of what is not there.
      if (!(error instanceof S3Missing)) throw error;
    });
  }

  async #mustHaveBucket(): Promise<void> {
    if (performance.now() - this.#bucketSeenAt < bucketSeen) return;
    const command = new HeadBucketCommand({ Bucket: this.#place.location.bucket });
    await this.#call((abortSignal) => this.#place.client.send(command, { abortSignal })).catch((error: unknown) => {
      throw error instanceof S3Missing ? new S3Fault("no-bucket", "NoSuchBucket") : error;
    });
    this.#bucketSeenAt = performance.now();
  }

  #call<Result>(work: (abortSignal: AbortSignal) => Promise<Result>): Promise<Result> {
    const { call } = this.#limits;
    return patiently({ total: call, one: call }, work);
  }

  async #tidy(): Promise<void> {
    const { ended, fault } = await tidyUploads({ place: this.#place, spool: this.#spool }, Date.now());
    if (ended > 0) this.#log.info("unfinished uploads ended", { uploads: ended });
    if (fault instanceof S3Fault) this.#log.debug("unfinished uploads cannot be looked for", { fault: fault.message });
  }

  async #guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof MediaNotFound || error instanceof SafelightError) throw error;
      const fault = explainS3(error);
      this.#condition.failed(fault);
      throw storageUnavailable(fault);
    }
  }
}
