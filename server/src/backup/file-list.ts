import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import type { BackupManifest, ListedFile } from "./backup-format.ts";
import { writeWhole } from "./package-writer.ts";

/** The list of a backup's files as it grows, on disk and not in memory. */
export class FileList {
  readonly file: string;
  readonly #handle: FileHandle;
  readonly #hash = createHash("sha256");
  #count = 0;
  #bytes = 0;
  #closed: BackupManifest["files"] | null = null;
  #last: Promise<void> = Promise.resolve();

  private constructor(file: string, handle: FileHandle) {
    this.file = file;
    this.#handle = handle;
  }

  static async create(file: string): Promise<FileList> {
    return new FileList(file, await open(file, "wx", 0o600));
  }

  /** One line after the other, also where several files end at once. */
  add(entry: Omit<ListedFile, "sha256"> & { readonly sha256: string | null }): Promise<void> {
    const line = Buffer.from(`${JSON.stringify({ path: entry.path, bytes: entry.bytes, sha256: entry.sha256 })}\n`);
    this.#last = this.#last.then(async () => {
      this.#hash.update(line);
      this.#count += 1;
      this.#bytes += entry.bytes;
      await writeWhole(this.#handle, line);
    });
    return this.#last;
  }

  /** What the list holds. Calling it again answers the same. */
  async close(): Promise<BackupManifest["files"]> {
    if (this.#closed === null) {
      await this.#last.catch(() => undefined);
      await this.#handle.close();
      this.#closed = { count: this.#count, bytes: this.#bytes, sha256: this.#hash.digest("hex") };
    }
    return this.#closed;
  }
}
