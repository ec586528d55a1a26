/** Copies the files that rows name, and finds out about those that are not there or not what they should be. */
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { BackupError, type FaultyFile, isBackupPath } from "./backup-format.ts";
import type { FileList } from "./file-list.ts";
import type { NamedFile } from "./named-files.ts";
import type { PackageWriter } from "./package-writer.ts";

export interface CopyingParts {
  readonly dataDirectory: string;
  /** The database as it goes on meanwhile: whether a missing file was deleted in an orderly way. */
  readonly live: SqliteConnection;
  readonly writer: PackageWriter;
  readonly list: FileList;
  /** Where media lies that is listed and not copied; null where it is copied. */
  readonly bucket: ListedBucket | null;
}

export interface ListedBucket {
  readonly sizes: ReadonlyMap<string, number>;
  readonly list: FileList;
  /** What was noted with the object; null where nothing was. */
  sha256Of(name: string): Promise<string | null>;
}

/** What the manifest names one by one. */
const mostNamed = 1000;

export class FileCopying {
  readonly #parts: CopyingParts;
  /** Rows whose files went with them after the database was copied. */
  readonly gone = { tasks: new Set<string>(), uploads: new Set<string>() };
  /** Tasks whose step picture was replaced since. */
  readonly previews: string[] = [];
  readonly faulty: FaultyFile[] = [];
  faultyCount = 0;

  constructor(parts: CopyingParts) {
    this.#parts = parts;
  }

  async run(files: AsyncGenerator<NamedFile>): Promise<void> {
    const { width } = this.#parts.writer;
    let failed = false;
    const work = async (): Promise<void> => {
      for (let next = await files.next(); next.done !== true && !failed; next = await files.next()) {
        await this.#copy(next.value).catch((error: unknown) => {
          failed = true;
          throw explain(error, next.value.path);
        });
      }
    };
    // All of them have to have ended before somebody tidies up: what still wrote would leave something behind.
    const ends = await Promise.allSettled(Array.from({ length: width }, work));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async #copy(file: NamedFile): Promise<void> {
    const { dataDirectory, list, writer } = this.#parts;
    // A name that could not have come from us leads nowhere.
    if (!isBackupPath(file.path)) return this.#report(file, "gone");
    if (this.#parts.bucket !== null && file.kind !== "source") return this.#list(file, this.#parts.bucket);
    // Once open, it can be read to its end even if it is deleted meanwhile.
    const handle = await open(join(dataDirectory, ...file.path.split("/")), "r").catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return null;
        throw error;
      },
    );
    if (handle === null) return this.#miss(file);
    const { size } = await handle.stat();
    const written = await writer.add(file.path, size, handle.createReadStream({ highWaterMark: 1024 * 1024 }));
    await list.add({ path: file.path, ...written });
    const differs = (file.bytes ?? size) !== size || (file.sha256 ?? written.sha256) !== written.sha256;
    if (differs) this.#report(file, "damaged");
  }

  async #list(file: NamedFile, bucket: ListedBucket): Promise<void> {
    const name = file.path.slice("media/".length);
    const bytes = bucket.sizes.get(name);
    if (bytes === undefined) return this.#miss(file);
    const sha256 = file.sha256 ?? (await bucket.sha256Of(name));
    await bucket.list.add({ path: file.path, bytes, sha256 });
    if ((file.bytes ?? bytes) !== bytes) this.#report(file, "damaged");
  }

  #miss(file: NamedFile): void {
    const { live } = this.#parts;
    const isThere = (sql: string): boolean => live.prepare(sql).get(file.owner) !== undefined;
    if (file.kind === "source") return;
    if (file.kind === "upload") {
      if (isThere("SELECT 1 AS one FROM uploads WHERE id = ?")) this.#report(file, "gone");
      else this.gone.uploads.add(file.owner);
    } else if (!isThere("SELECT 1 AS one FROM tasks WHERE id = ?")) {
      this.gone.tasks.add(file.owner);
    } else if (file.kind === "preview") {
      this.previews.push(file.owner);
    } else this.#report(file, "gone");
  }

  #report(file: NamedFile, fault: FaultyFile["fault"]): void {
    this.faultyCount += 1;
    if (this.faulty.length >= mostNamed) return;
    const task = file.kind === "result" || file.kind === "preview" ? file.owner : null;
    this.faulty.push({ path: file.path, task_id: task, fault });
  }
}

/** Which file it was, where the fault is most likely one of that file. */
function explain(error: unknown, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EIO" && code !== "EACCES" && code !== "EPERM" && code !== "EISDIR") return error;
  return new BackupError(
    `${path} cannot be read (${code}): no backup was made. Mend it, or move it away; then it is named as gone.`,
    { cause: error },
  );
}
