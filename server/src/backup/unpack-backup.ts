/** Unpacks a backup into an empty folder and believes nothing: every byte is hashed, every row's file looked for. */
import { createHash } from "node:crypto";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { readAuditState } from "./audit-state.ts";
import {
  BackupError,
  type BackupManifest,
  databaseName,
  type ListedFile,
  listName,
  parseListedFile,
} from "./backup-format.ts";
import { namedFiles } from "./named-files.ts";
import type { PackageReader } from "./package-reader.ts";
import { copyExactly, flushFolder, writeWhole } from "./package-writer.ts";

/** Checks the list against the manifest and every file against the list, and writes those that are wanted. Errors: BackupError. */
export async function unpackBackup(
  reader: PackageReader,
  folder: string,
  wanted: (path: string) => boolean,
): Promise<void> {
  await checkList(reader);
  const folders = new Set<string>([folder]);
  let hasDatabase = false;
  for await (const file of listedFiles(reader)) {
    hasDatabase ||= file.path === databaseName;
    const place = wanted(file.path) ? join(folder, ...file.path.split("/")) : null;
    if (place !== null) folders.add(dirname(place));
    await unpackOne(reader, file, place);
  }
  if (!hasDatabase) throw new BackupError(`The backup has no ${databaseName}.`);
  for (const each of folders) await flushFolder(each);
}

/**
 * Checks the unpacked database: its pages, that nobody changed the audit log since, and that every file its rows name was in the
 * backup, unless the manifest says that it was missing even then. Errors: BackupError.
 */
export async function checkDatabase(
  folder: string,
  manifest: BackupManifest,
  options: { readonly publicKeys: readonly string[]; readonly acceptAudit: boolean },
): Promise<void> {
  const database = new SqliteConnection(join(folder, databaseName), { readOnly: true, timeout: 1000 });
  try {
    const verdict = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
    if (verdict !== "ok") throw new BackupError(`The database of the backup is damaged (${String(verdict)}).`);
    await checkAudit(database, manifest, options);
  } finally {
    database.close();
  }
}

async function checkAudit(
  database: SqliteConnection,
  { audit: noted }: BackupManifest,
  { publicKeys, acceptAudit }: { readonly publicKeys: readonly string[]; readonly acceptAudit: boolean },
): Promise<void> {
  const found = await readAuditState(database, [...noted.public_keys, ...publicKeys]);
  const isNoted = (["chained", "last_id", "hash", "rows", "checkpoint"] as const).every(
    (key) => found[key] === noted[key],
  );
  if (!isNoted)
    throw new BackupError("The audit log of the backup does not end as its manifest says: one of them was changed.");
  if (found.intact || acceptAudit) return;
  throw new BackupError(
    `The audit log of the backup is broken: ${found.detail ?? "it does not say where"} Restore another backup, or accept it with --accept-broken-audit; see docs/operations/recovery.md.`,
  );
}

/** Throws when a row names a file that did not come along and that the manifest does not name as missing. */
export async function checkFiles(folder: string, manifest: BackupManifest): Promise<void> {
  const database = new SqliteConnection(join(folder, databaseName), { readOnly: true, timeout: 1000 });
  let missing = 0;
  let first = "";
  try {
    for await (const file of namedFiles(database, folder)) {
      if (manifest.objects !== undefined && file.kind !== "source") continue;
      if ((await stat(join(folder, ...file.path.split("/"))).catch(() => null)) !== null) continue;
      missing += 1;
      first ||= file.path;
    }
  } finally {
    database.close();
  }
  // More may have been in place of a name on the list than of one beyond its thousand; their number has to fit all the same.
  if (missing > manifest.faulty_count)
    throw new BackupError(`The backup lacks ${first}, which a row of its database names.`);
}

async function checkList(reader: PackageReader): Promise<void> {
  const content = await mustOpen(reader, listName);
  const hash = createHash("sha256");
  for await (const piece of content) hash.update(piece);
  if (hash.digest("hex") !== reader.manifest.files.sha256) {
    throw new BackupError(`${listName} is not the one that the manifest names: the backup is damaged.`);
  }
}

async function* listedFiles(reader: PackageReader): AsyncGenerator<ListedFile> {
  const input = Readable.from(await mustOpen(reader, listName));
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line !== "") yield parseListedFile(line);
  }
}

async function unpackOne(reader: PackageReader, file: ListedFile, place: string | null): Promise<void> {
  const content = await mustOpen(reader, file.path);
  const written = await (place === null ? hashOnly(content, file) : writeFile(content, file, place)).catch(
    (error: unknown) => {
      // What the disk says is told as it is; what the content says is a fault of the backup.
      if ((error as NodeJS.ErrnoException).code !== undefined) throw error;
      throw new BackupError(`${file.path} of the backup is damaged (${(error as Error).message}).`, { cause: error });
    },
  );
  if (written.sha256 !== file.sha256) throw new BackupError(`${file.path} of the backup is damaged: its hash differs.`);
}

function hashOnly(content: AsyncIterable<Uint8Array>, file: ListedFile) {
  return copyExactly(content, file.bytes, file.path, async () => undefined);
}

async function writeFile(content: AsyncIterable<Uint8Array>, file: ListedFile, place: string) {
  await mkdir(dirname(place), { recursive: true, mode: 0o700 });
  const handle = await open(place, "wx", 0o600);
  try {
    const written = await copyExactly(content, file.bytes, file.path, (piece) => writeWhole(handle, piece));
    await handle.sync();
    return written;
  } finally {
    await handle.close();
  }
}

async function mustOpen(reader: PackageReader, path: string): Promise<AsyncIterable<Uint8Array>> {
  const content = await reader.open(path);
  if (content === null) throw new BackupError(`The backup lacks ${path}.`);
  return content;
}
