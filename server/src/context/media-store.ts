import type { Readable } from "node:stream";

/**
 * The seam to where media bytes lie (a disk, later an object store). The port stands here because every verb is
 * handed a store with its context; the implementations stand in `media/`.
 *
 * Names: `results/<task>-<attempt>.<ext>`, `previews/<task>-<version>.webp`, `uploads/<sha256-…>.<ext>`,
 * `thumbnails/<task>.webp`.
 * Every method rejects with `storage_unavailable` when the store itself fails.
 */
export interface MediaStore {
  /** Stores the bytes whole or not at all; durable when resolved. An existing name is replaced. */
  put(name: string, bytes: Readable | Uint8Array): Promise<{ bytes: number; sha256: string }>;
  /** Opens a stored file, or the inclusive byte range of it. */
  open(name: string, range?: { start: number; end: number }): Promise<Readable>;
  /** The file's place in the file system; a store without one throws. */
  path(name: string): string;
  /** Size in bytes and wall time of the last change in milliseconds, or null when there is no such name. */
  stat(name: string): Promise<{ bytes: number; modifiedAt: number } | null>;
  /** Removes a name; removing what is not there is no error. */
  remove(name: string): Promise<void>;
  /** Every stored name that starts with the prefix, such as `results/`. */
  list(prefix: string): AsyncIterable<string>;
}
