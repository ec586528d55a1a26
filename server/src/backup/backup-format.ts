/**
 * What a backup is: a folder, or one tar file, with these names in it. The manifest is written last: what has none was never finished.
 *
 *     safelight.sqlite        the database, as it was at one moment
 *     media/results/…         every file that a row of that database names (media/previews, media/uploads, deployments/sources)
 *     objects.ndjson          in place of media/… where that lies in a bucket: path, bytes, sha256 of what stays there
 *     secrets/…               only where it was asked for
 *     files.ndjson            one line for each of the above: path, bytes, sha256
 *     manifest.json           what this is, and the hash of files.ndjson
 */
import { createHash } from "node:crypto";

export const backupFormat = "safelight.backup";
export const backupVersion = 1;
export const manifestName = "manifest.json";
export const listName = "files.ndjson";
export const objectsName = "objects.ndjson";
export { databaseName } from "../database/data-directory.ts";

export interface ListedFile {
  /** Path inside the backup, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** 64 lower-case hex digits. */
  readonly sha256: string;
}

/** Why a file that a row names is not in the backup as that row says. */
export interface FaultyFile {
  readonly path: string;
  readonly task_id: string | null;
  /** `gone`: it was missing before; `damaged`: it is in, but is not what was stored. */
  readonly fault: "gone" | "damaged";
}

export interface AuditState {
  /** False where the chain had not begun, in a database of an early release. */
  readonly chained: boolean;
  readonly intact: boolean;
  /** What broke first, in words; null where nothing did. */
  readonly detail: string | null;
  readonly last_id: number;
  readonly hash: string;
  readonly rows: number;
  readonly checkpoint: number;
}

export interface BackupManifest {
  readonly format: typeof backupFormat;
  readonly version: typeof backupVersion;
  readonly created_at: string;
  readonly safelight_version: string;
  readonly environment: string;
  /** The last step of the schema. */
  readonly schema: { readonly number: number; readonly name: string };
  readonly tasks: { readonly total: number; readonly done: number; readonly unfinished: number };
  readonly files: { readonly count: number; readonly bytes: number; readonly sha256: string };
  /** Media that is not in the backup, as it lies in a bucket; without it media is among the files. */
  readonly objects?: { readonly place: string; readonly count: number; readonly bytes: number };
  /** At most a thousand of them; `faulty_count` has all. */
  readonly faulty: readonly FaultyFile[];
  readonly faulty_count: number;
  /** Rows that were deleted while the files were copied, and are not in the backup either. */
  readonly deleted_meanwhile: number;
  readonly audit: AuditState & { readonly public_keys: readonly string[] };
  readonly secrets: {
    /** Names of the files in `secrets/`; empty where they were left out. */
    readonly included: readonly string[];
    /** Ids of the keys that rows of the database are encrypted with. */
    readonly needed_encryption_keys: readonly string[];
  };
  /** SHA-256 of the manifest without this field, so that a torn or edited one is found. */
  readonly sha256: string;
}

/** A backup, or a folder to restore into, that cannot be used; the text says why and what to do. */
export class BackupError extends Error {
  override readonly name = "BackupError";
}

/** The manifest as it is written. */
export function sealManifest(manifest: Omit<BackupManifest, "sha256">): string {
  return `${JSON.stringify({ ...manifest, sha256: sealOf(manifest) }, null, 2)}\n`;
}

/** Reads a manifest. Errors: BackupError. */
export function parseManifest(text: string): BackupManifest {
  let value: Partial<BackupManifest>;
  try {
    value = JSON.parse(text) as Partial<BackupManifest>;
  } catch (error) {
    throw new BackupError(`${manifestName} is no JSON: the backup is damaged.`, { cause: error });
  }
  if (typeof value !== "object" || value === null || value.format !== backupFormat) {
    throw new BackupError(`${manifestName} is not that of a Safelight backup.`);
  }
  if (value.version !== backupVersion) {
    throw new BackupError(
      `The backup has the version ${JSON.stringify(value.version)}; this release reads ${backupVersion}.`,
    );
  }
  const { sha256, ...rest } = value;
  if (sha256 !== sealOf(rest)) throw new BackupError(`${manifestName} was changed or cut off: the backup is damaged.`);
  return value as BackupManifest;
}

/** One line of the list, checked: nothing in it can lead out of the folder it is unpacked into. Errors: BackupError. */
export function parseListedFile(line: string): ListedFile {
  let value: Partial<ListedFile> = {};
  try {
    value = JSON.parse(line) as Partial<ListedFile>;
  } catch {
    // Said below.
  }
  const { path, bytes, sha256 } = value;
  const fits =
    typeof path === "string" &&
    isBackupPath(path) &&
    Number.isSafeInteger(bytes) &&
    Number(bytes) >= 0 &&
    typeof sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(sha256);
  if (!fits) throw new BackupError(`${listName} has a line that is none of its own: the backup is damaged.`);
  return { path, bytes: Number(bytes), sha256 };
}

const pathPattern =
  /^(?:safelight\.sqlite|objects\.ndjson|media\/(?:results|previews|uploads)\/[A-Za-z0-9][A-Za-z0-9._-]{0,199}|deployments\/sources\/[0-9a-f]{64}|secrets\/(?:next\/)?[a-z0-9][A-Za-z0-9._:-]{0,149})$/;

export function isBackupPath(path: string): boolean {
  return pathPattern.test(path) && !path.includes("..");
}

function sealOf(manifest: object): string {
  return createHash("sha256").update(JSON.stringify(manifest)).digest("hex");
}
