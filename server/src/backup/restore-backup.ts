/** Puts a backup back into a data directory: checked in full beside what is there, then exchanged for it. */
import { randomBytes } from "node:crypto";
import { cp, lchown, mkdir, mkdtemp, readdir, rm, stat, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeAuditKey } from "../audit/keys.ts";
import { type Config, parseEncryptionKey } from "../config.ts";
import { restoreMark, takeDataDirectory } from "../database/data-directory.ts";
import { keyIdOf } from "../keys/keyring.ts";
import { readSecret, secretFile, writeSecretOnce } from "../secrets/resolve-secrets.ts";
import { readAuditPublicKeys } from "./audit-state.ts";
import { BackupError, type BackupManifest, databaseName } from "./backup-format.ts";
import { readRevocations } from "./carry-revocations.ts";
import { exchangeContent, finishExchange } from "./exchange-content.ts";
import { type PackageReader, readPackage } from "./package-reader.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { checkDatabase, checkFiles, unpackBackup } from "./unpack-backup.ts";

type RestoreConfig = Pick<Config, "dataDirectory" | "auditKey" | "encryptionKey">;

export interface RestoreOptions {
  readonly source: string;
  readonly config: RestoreConfig;
  /** Whether what is in the data directory may be put aside. */
  readonly replace: boolean;
  /** Whether a backup is taken whose audit log does not hold. */
  readonly acceptAudit: boolean;
}

export interface Restored {
  /** Null where a restore that had been interrupted was finished instead. */
  readonly manifest: BackupManifest | null;
  /** Where the former content lies, absolute; null where there was none. */
  readonly aside: string | null;
  readonly secretsFrom: "backup" | "former" | "elsewhere";
  /** Keys that stored credentials of workers need and that are not here. */
  readonly missingEncryptionKeys: readonly string[];
  /** Sessions of browsers and operators that were ended. */
  readonly sessionsEnded: number;
  /** Revocations that the backup did not know of; null where there was no former database that could be read. */
  readonly revocationsKept: number | null;
}

const stagedPrefix = ".restore-";
/** Left free on the disk, in bytes. */
const spare = 64 * 1024 * 1024;

/** Checks a backup from end to end and leaves nothing behind. Errors: BackupError. */
export async function checkBackup(
  options: Pick<RestoreOptions, "source" | "config" | "acceptAudit">,
): Promise<BackupManifest> {
  const reader = await readPackage(options.source);
  const folder = await mkdtemp(join(tmpdir(), "safelight-check-"));
  try {
    await unpackBackup(reader, folder, (path) => path === databaseName);
    await checkDatabase(folder, reader.manifest, { publicKeys: await readAuditPublicKeys(options.config), ...options });
    return reader.manifest;
  } finally {
    await rm(folder, { recursive: true, force: true });
    await reader.close();
  }
}

/**
 * Restores. Until all of the backup has been checked nothing is changed that was there; then what was there is put aside, not removed.
 * Errors: BackupError; StartupError where a server runs there; those of the file system.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { dataDirectory } = options.config;
  const directory = await takeDataDirectory(dataDirectory, "restore");
  try {
    const finished = await finishExchange(dataDirectory);
    if (finished !== undefined) return interrupted(dataDirectory, finished.aside);
    const reader = await readPackage(options.source);
    try {
      return await restoreFrom(reader, options);
    } finally {
      await reader.close();
    }
  } finally {
    await directory.release();
  }
}

function interrupted(dataDirectory: string, aside: string | null): Restored {
  const place = aside === null ? null : join(dataDirectory, aside);
  return {
    manifest: null,
    aside: place,
    secretsFrom: "elsewhere",
    missingEncryptionKeys: [],
    sessionsEnded: 0,
    revocationsKept: null,
  };
}

async function restoreFrom(reader: PackageReader, options: RestoreOptions): Promise<Restored> {
  const { config, replace } = options;
  const { dataDirectory } = config;
  const { manifest } = reader;
  const present = (await readdir(dataDirectory)).filter((name) => !isOfRestore(name));
  if (present.length > 0 && !replace) {
    throw new BackupError(`${dataDirectory} is not empty. With --replace its content is put aside, not removed.`);
  }
  await mustHaveRoom(dataDirectory, manifest);
  for (const name of await readdir(dataDirectory)) {
    if (name.startsWith(stagedPrefix)) await rm(join(dataDirectory, name), { recursive: true });
  }
  const staged = `${stagedPrefix}${randomBytes(4).toString("hex")}`;
  const folder = join(dataDirectory, staged);
  await mkdir(folder, { mode: 0o700 });
  try {
    await unpackBackup(reader, folder, () => true);
    await checkDatabase(folder, manifest, { publicKeys: await readAuditPublicKeys(config), ...options });
    await checkFiles(folder, manifest);
    const secretsFrom = await provideSecrets(folder, manifest, config);
    const revocations = await readRevocations(join(dataDirectory, databaseName));
    const ended = await prepareDatabase(join(folder, databaseName), manifest, revocations);
    const missingEncryptionKeys = await findMissingKeys(folder, manifest, config);
    await giveToOwner(dataDirectory, staged);
    const aside = present.length === 0 ? null : asideName(present);
    await exchangeContent(dataDirectory, staged, aside);
    const former = aside === null ? null : join(dataDirectory, aside);
    return { manifest, aside: former, secretsFrom, missingEncryptionKeys, ...ended };
  } catch (error) {
    // Once the mark stands, the next restore needs what is staged.
    const begun = (await stat(join(dataDirectory, restoreMark)).catch(() => null)) !== null;
    if (!begun) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    throw error;
  }
}

/** Root restores what another user's server has to be able to write: it becomes whose the data directory is. */
async function giveToOwner(dataDirectory: string, staged: string): Promise<void> {
  const { uid, gid } = await stat(dataDirectory);
  if (process.getuid?.() !== 0 || uid === 0) return;
  const names = await readdir(join(dataDirectory, staged), { recursive: true });
  for (const name of [".", ...names]) await lchown(join(dataDirectory, staged, name), uid, gid);
  await lchown(join(dataDirectory, "lock.sqlite"), uid, gid);
}

function isOfRestore(name: string): boolean {
  return name.startsWith("lock.sqlite") || name.startsWith(stagedPrefix) || name.startsWith(restoreMark);
}

async function mustHaveRoom(dataDirectory: string, { files }: BackupManifest): Promise<void> {
  const { bavail, bsize } = await statfs(dataDirectory);
  const free = bavail * bsize;
  if (free >= files.bytes + spare) return;
  throw new BackupError(
    `The disk of ${dataDirectory} has ${free} bytes left, the backup needs ${files.bytes + spare}.`,
  );
}

/** Those of the backup, else those that are here now; where there are neither, the settings have them or the start makes new ones. */
async function provideSecrets(
  folder: string,
  manifest: BackupManifest,
  config: RestoreConfig,
): Promise<Restored["secretsFrom"]> {
  const target = join(folder, "secrets");
  let from: Restored["secretsFrom"] = manifest.secrets.included.length > 0 ? "backup" : "elsewhere";
  const former = join(config.dataDirectory, "secrets");
  const names = from === "backup" ? [] : await readdir(former).catch(() => []);
  if (names.length > 0) {
    await cp(former, target, { recursive: true });
    from = "former";
  }
  const auditKey = secretFile(folder, "audit-key");
  if (config.auditKey === null && manifest.audit.public_keys.length > 0 && (await readSecret(auditKey)) === null) {
    // A new key signs from now on; with the public halves of the former ones the log from before can still be checked.
    await writeSecretOnce(auditKey, [makeAuditKey(), ...manifest.audit.public_keys].join(","));
  }
  return from;
}

async function findMissingKeys(folder: string, manifest: BackupManifest, config: RestoreConfig): Promise<string[]> {
  const text = config.encryptionKey ?? (await readSecret(secretFile(folder, "encryption-key"))) ?? "";
  const here = new Set(
    text
      .split(",")
      .flatMap((part) => parseEncryptionKey(part.trim()) ?? [])
      .map(keyIdOf),
  );
  return manifest.secrets.needed_encryption_keys.filter((id) => !here.has(id));
}

/** A name that nothing there has: two restores may follow each other within a second. */
function asideName(present: readonly string[]): string {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  const name = `before-restore-${stamp}`;
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`;
    if (!present.includes(candidate)) return candidate;
  }
}
