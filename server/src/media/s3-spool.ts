/** The folder of this machine where bytes wait that are on their way to or from an S3 server. */
import { createHash, randomUUID } from "node:crypto";
import { type FileHandle, mkdir, open, readdir, readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** An upload in several parts that has begun, as it is noted beside the file. */
export interface BegunUpload {
  readonly key: string;
  readonly uploadId: string;
}

const noteEnd = ".upload";

export class S3Spool {
  readonly folder: string;
  /** Notes of uploads that could not be ended when they should have been. */
  readonly leftNotes: Set<string>;

  private constructor(folder: string, leftNotes: Iterable<string>) {
    this.folder = folder;
    this.leftNotes = new Set(leftNotes);
  }

  /** Makes the folder. What an earlier process left there goes, except for its notes of uploads that have to be ended. */
  static async open(folder: string): Promise<S3Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const begun: string[] = [];
    for (const name of await readdir(folder)) {
      if (name.endsWith(noteEnd)) begun.push(join(folder, name));
      else await unlink(join(folder, name));
    }
    return new S3Spool(folder, begun);
  }

  /** Writes bytes into a new file. What breaks off leaves none. */
  async write(bytes: AsyncIterable<Uint8Array>): Promise<{ path: string; bytes: number; sha256: string }> {
    const path = join(this.folder, randomUUID());
    const hash = createHash("sha256");
    let size = 0;
    const handle = await open(path, "wx", 0o600);
    try {
      for await (const piece of bytes) {
        hash.update(piece);
        size += piece.byteLength;
        await writeWhole(handle, piece);
      }
      await handle.close();
      return { path, bytes: size, sha256: hash.digest("hex") };
    } catch (error) {
      await handle.close().catch(() => undefined);
      await this.remove(path);
      throw error;
    }
  }

  /** Never rejects: leftovers go at the next start. */
  async remove(path: string): Promise<void> {
    await unlink(path).catch(() => undefined);
  }

  /** Answers the note's file. */
  async note(upload: BegunUpload): Promise<string> {
    const file = join(this.folder, `${randomUUID()}${noteEnd}`);
    await writeFile(file, JSON.stringify(upload), { mode: 0o600, flag: "wx", flush: true });
    return file;
  }
}

/** Null where it was cut off: then nothing had been sent yet. */
export async function readNote(file: string): Promise<BegunUpload | null> {
  try {
    const { key, uploadId } = JSON.parse(await readFile(file, "utf8")) as Partial<BegunUpload>;
    return typeof key === "string" && typeof uploadId === "string" ? { key, uploadId } : null;
  } catch {
    return null;
  }
}

async function writeWhole(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let offset = 0; offset < piece.byteLength; ) {
    const { bytesWritten } = await handle.write(piece, offset, piece.byteLength - offset, null);
    offset += bytesWritten;
  }
}
