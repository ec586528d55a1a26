import type { Readable } from "node:stream";

/** Size in bytes, and wall time of the last change in milliseconds. */
export interface StoredSize {
  readonly bytes: number;
  readonly modifiedAt: number;
}

/** Bytes that were taken in whole, lie in a file of this machine and are not stored yet. */
export interface Received {
  readonly bytes: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
  /** The file, until it is stored or thrown away. */
  readonly path: string;
  /**
   * Stores it under its name; durable when resolved. Can be tried again where it failed. A store elsewhere is asked for a minute before
   * it is given up, or until `signal` fires.
   */
  store(signal?: AbortSignal): Promise<void>;
  /** Throws away what was not stored; never rejects. */
  discard(): Promise<void>;
}

/** A stored file as a file of this machine, until it is given back. */
export interface Borrowed extends AsyncDisposable {
  readonly path: string;
}

/** What a browser is to be told by a store that hands a file out itself. */
export interface HandedOut {
  readonly type: string;
  readonly cacheControl: string;
  /** Value of Content-Disposition; null sends none. */
  readonly disposition: string | null;
}

/**
 * The seam to where media bytes lie: a disk, or a bucket of an S3 server. The port stands here because every verb is
 * handed a store with its context; the implementations stand in `media/`.
 *
 * Names: `results/<task>-<attempt>.<ext>`, `previews/<task>-<version>.webp`, `uploads/<sha256-…>.<ext>`,
 * `thumbnails/<task>.webp`.
 * Every method rejects with `storage_unavailable` when the store itself fails.
 */
export interface MediaStore {
  /** The folder of this machine that the files take their room from; null where they lie elsewhere. */
  readonly folder: string | null;
  /** Stores the bytes whole or not at all; durable when resolved. An existing name is replaced. */
  put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }>;
  /** Takes bytes in that are to be looked at before they are stored. What breaks off leaves nothing. */
  receive(name: string, bytes: Readable): Promise<Received>;
  /** Opens a stored file, or the inclusive byte range of it. */
  open(name: string, range?: { start: number; end: number }): Promise<Readable>;
  /** For what needs a file rather than a stream. Rejects with MediaNotFound. */
  borrow(name: string): Promise<Borrowed>;
  /** Null when there is no such name. */
  stat(name: string): Promise<StoredSize | null>;
  /** Whether there is certainly no such name any more. Cheap: a store elsewhere may answer from what it has seen a while ago. */
  isGone(name: string): Promise<boolean>;
  /** Removes a name; removing what is not there is no error. */
  remove(name: string): Promise<void>;
  /** Every stored name that starts with the prefix, such as `results/`. */
  list(prefix: string): AsyncIterable<string>;
  /** The same with their sizes, which costs a store elsewhere no more. */
  entries(prefix: string): AsyncIterable<StoredSize & { readonly name: string }>;
  /** An address that hands the file out for a few minutes to whoever has it; null where the store has none. */
  address(name: string, answer: HandedOut): Promise<string | null>;
  /** Why it does not take or give files at the moment, for operators; null while all is well as far as is known. */
  fault(): string | null;
  /** The same once it is certain or has lasted: then nothing new should be begun. */
  refusal(): string | null;
}
