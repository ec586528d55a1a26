/**
 * A copy of an installation that can be restored: taken from its data directory, whether a server runs there or not. The database
 * first, at one moment; then every file its rows name. Files never change under their names, so that the two fit together.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { Readable } from "node:stream";
import type { Config } from "../config.ts";
import { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";
import { readAuditPublicKeys, readAuditState } from "./audit-state.ts";
import {
  BackupError,
  type BackupManifest,
  backupFormat,
  backupVersion,
  databaseName,
  isBackupPath,
  listName,
  manifestName,
  objectsName,
  sealManifest,
} from "./backup-format.ts";
import { describeDatabase } from "./describe-database.ts";
import { FileCopying, type ListedBucket } from "./file-copying.ts";
import { FileList } from "./file-list.ts";
import { namedFiles } from "./named-files.ts";
import { openPackage, type PackageWriter } from "./package-writer.ts";
import { closeCopy, copyDatabase, forget, forgetPreviews, mustBeSound, openCopy } from "./snapshot.ts";

export interface BackupOptions {
  readonly config: Pick<Config, "dataDirectory" | "environment" | "auditKey" | "mediaBucket">;
  /** Where the backup will stand: a folder, or a file whose name ends in .tar. It must not exist; its parent must. */
  readonly target: string;
  /** Whether the files of `secrets/` go in too. */
  readonly withSecrets: boolean;
  readonly safelightVersion: string;
  /** Called once the database has been copied, before the files are: what was there before this is in the backup. */
  readonly onSnapshot?: () => void | Promise<void>;
}

/** Takes a backup. Resolves when all of it is on disk under its name. Errors: BackupError; those of the file system. */
export async function takeBackup(options: BackupOptions): Promise<BackupManifest> {
  const { config, target } = options;
  const liveFile = join(config.dataDirectory, databaseName);
  if ((await stat(liveFile).catch(() => null)) === null) {
    throw new BackupError(`${config.dataDirectory} holds no installation: there is no ${databaseName} in it.`);
  }
  if ((await stat(target).catch(() => null)) !== null) throw new BackupError(`${target} is there already.`);
  const began = Date.now();
  const writer = await openPackage(target, randomBytes(4).toString("hex"), began);
  try {
    const manifest = await writeAll(options, writer, liveFile, began);
    await writer.finish();
    return manifest;
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

async function writeAll(
  options: BackupOptions,
  writer: PackageWriter,
  liveFile: string,
  began: number,
): Promise<BackupManifest> {
  const { config } = options;
  const copyFile = join(writer.workFolder, databaseName);
  await copyDatabase(liveFile, copyFile);
  await options.onSnapshot?.();
  const copy = openCopy(copyFile);
  const live = new SqliteConnection(liveFile, { readOnly: true, timeout: 5000 });
  const list = await FileList.create(join(writer.workFolder, listName));
  try {
    mustBeSound(copy);
    await using bucket = await openBucket(config, join(writer.workFolder, objectsName));
    const copying = new FileCopying({ dataDirectory: config.dataDirectory, live, writer, list, bucket });
    await copying.run(namedFiles(copy, config.dataDirectory));
    const deleted = forget(copy, copying.gone);
    forgetPreviews(copy, copying.previews);
    const publicKeys = await readAuditPublicKeys(config);
    const audit = { ...(await readAuditState(copy, publicKeys)), public_keys: publicKeys };
    const described = describeDatabase(copy);
    await closeCopy(copy, copyFile);
    const secrets = options.withSecrets ? await copySecrets(config.dataDirectory, writer, list) : [];
    await addFile(writer, list, databaseName, copyFile);
    const objects = (await bucket?.list.close()) ?? null;
    if (bucket !== null) await addFile(writer, list, objectsName, bucket.list.file);
    const files = await list.close();
    await addFile(writer, null, listName, list.file);
    const text = sealManifest({
      format: backupFormat,
      version: backupVersion,
      created_at: new Date(began).toISOString(),
      safelight_version: options.safelightVersion,
      environment: config.environment,
      schema: described.schema,
      tasks: described.tasks,
      files,
      ...(bucket === null || objects === null
        ? {}
        : { objects: { place: bucket.place, count: objects.count, bytes: objects.bytes } }),
      faulty: copying.faulty,
      faulty_count: copying.faultyCount,
      deleted_meanwhile: deleted,
      audit,
      secrets: { included: secrets, needed_encryption_keys: described.encryptionKeys },
    });
    const bytes = Buffer.from(text);
    await writer.add(manifestName, bytes.byteLength, Readable.from([bytes]));
    return JSON.parse(text) as BackupManifest;
  } finally {
    await list.close();
    live.close();
    copy.close();
  }
}

interface OpenBucket extends ListedBucket, AsyncDisposable {
  readonly place: string;
}

/** What lies in the bucket once the database is copied: objects never change under their names. Errors: BackupError. */
async function openBucket({ mediaBucket }: BackupOptions["config"], listFile: string): Promise<OpenBucket | null> {
  if (mediaBucket === null) return null;
  const { BucketReader } = await import("../media/bucket-reader.ts");
  const reader = new BucketReader(mediaBucket);
  try {
    const sizes = await reader.sizes();
    const list = await FileList.create(listFile);
    return {
      place: reader.place,
      sizes,
      list,
      sha256Of: (name) => reader.sha256Of(name).catch(() => null),
      [Symbol.asyncDispose]: async () => {
        await list.close();
        reader.close();
      },
    };
  } catch (error) {
    reader.close();
    const why = error instanceof Error ? error.message : "it cannot be read";
    throw new BackupError(`No backup was made, as the media cannot be listed: ${reader.place}: ${why}.`);
  }
}

async function copySecrets(dataDirectory: string, writer: PackageWriter, list: FileList): Promise<string[]> {
  const folder = join(dataDirectory, "secrets");
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  // Half-written ones carry names that are none of ours.
  const names = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((name) => isBackupPath(`secrets/${name}`))
    .sort();
  for (const name of names) await addFile(writer, list, `secrets/${name}`, join(folder, name));
  return names;
}

async function addFile(writer: PackageWriter, list: FileList | null, path: string, file: string): Promise<void> {
  const handle: FileHandle = await open(file, "r");
  const { size } = await handle.stat();
  const written = await writer.add(path, size, handle.createReadStream({ highWaterMark: 1024 * 1024 }));
  await list?.add({ path, ...written });
}
