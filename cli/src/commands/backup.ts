// `safelight backup` and `safelight restore`: copies of an installation, made and put back on the machine that holds it.
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathOf } from "@safelight/contract";
import {
  BackupError,
  type BackupManifest,
  type Config,
  checkBackup,
  type Environment,
  type Restored,
  readConfig,
  readOwnSecret,
  readServerNote,
  restoreBackup,
  takeBackup,
} from "@safelight/server";
import manifestOfCli from "../../package.json" with { type: "json" };
import { findRunningServer } from "../connection/server-file.ts";
import { CommandError, exitCodes, usageError } from "../failure.ts";

export interface BackupFlags {
  dataDir?: string;
  withSecrets?: boolean;
  json?: boolean;
}

export interface RestoreFlags {
  dataDir?: string;
  replace?: boolean;
  check?: boolean;
  acceptBrokenAudit?: boolean;
  json?: boolean;
}

/** Resolves with the exit code: 0, or 1 where a backup was made of an installation that is itself damaged. */
export async function backup(environment: Environment, target: string, flags: BackupFlags): Promise<number> {
  refuseOnPostgres(environment, "pg_dump --format=custom --file=safelight.dump");
  const config = configOf(environment, flags.dataDir);
  const withSecrets = flags.withSecrets === true;
  const place = await placeOf(target, config);
  const noted = await noteInAudit(config, withSecrets);
  const manifest = await explained(
    takeBackup({
      config,
      target: place,
      withSecrets,
      safelightVersion: manifestOfCli.version,
      onSnapshot: () => void process.stderr.write("The database is copied; files follow.\n"),
    }),
  );
  if (flags.json === true) process.stdout.write(`${JSON.stringify({ backup: place, manifest })}\n`);
  else process.stdout.write(`${[place, ...describe(manifest, withSecrets)].join("\n")}\n`);
  if (noted !== null) process.stderr.write(`note: ${noted}\n`);
  const damaged = manifest.faulty.some(({ fault }) => fault === "damaged") || !manifest.audit.intact;
  return damaged ? exitCodes.failed : 0;
}

/** Resolves with the exit code. */
export async function restore(environment: Environment, source: string, flags: RestoreFlags): Promise<number> {
  if (flags.check !== true) refuseOnPostgres(environment, "pg_restore --clean --if-exists --dbname=…");
  const config = configOf(environment, flags.dataDir);
  const options = { source: resolve(source), config, acceptAudit: flags.acceptBrokenAudit === true };
  if (flags.check === true) {
    const manifest = await explained(checkBackup(options));
    const lines = ["The backup holds.", ...describe(manifest, manifest.secrets.included.length > 0)];
    process.stdout.write(flags.json === true ? `${JSON.stringify({ manifest })}\n` : `${lines.join("\n")}\n`);
    return 0;
  }
  const restored = await explained(restoreBackup({ ...options, replace: flags.replace === true }));
  const lines = tell(restored, config.dataDirectory);
  process.stdout.write(flags.json === true ? `${JSON.stringify(restored)}\n` : `${lines.join("\n")}\n`);
  return 0;
}

/** A data directory is what is copied and put back here; the tools of PostgreSQL do the same with a database, and better. */
function refuseOnPostgres(environment: Environment, instead: string): void {
  const setting = ["DATABASE_URL", "DATABASE_URL_FILE"].find((name) => (environment[name] ?? "").trim() !== "");
  if (setting === undefined) return;
  throw new CommandError(
    exitCodes.usage,
    "usage",
    `${setting} is set: the database is PostgreSQL, and this command copies data directories. Use ${instead} for it, and copy bucket and keys beside it: docs/operations/backup.md, "On PostgreSQL".`,
  );
}

/**
 * As much of the settings as this needs: who runs it at night has the data directory, and not always the server's environment. What else
 * production asks for is not asked for here.
 */
function configOf(environment: Environment, dataDir: string | undefined): Config {
  const names = [
    "DATA_DIR",
    "ADMIN_KEY",
    "ADMIN_KEY_FILE",
    "AUDIT_KEY",
    "AUDIT_KEY_FILE",
    "ENCRYPTION_KEY",
    "ENCRYPTION_KEY_FILE",
    "MEDIA_URL",
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY_ID_FILE",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY_FILE",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
  ];
  const needed = Object.fromEntries(names.map((name) => [name, environment[name]]));
  const given = dataDir === undefined ? {} : { DATA_DIR: resolve(dataDir) };
  const config = readConfig({ ...needed, ...given });
  const name = environment.SAFELIGHT_ENV?.trim().toLowerCase();
  return name === "stage" || name === "prod" ? { ...config, environment: name } : config;
}

/** In a folder that is there a name is made up; any other target is the backup itself. */
async function placeOf(target: string, config: Config): Promise<string> {
  const place = resolve(target);
  const found = await stat(place).catch(() => null);
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(":", "").replace("T", "-");
  if (found?.isDirectory() === true) return join(place, `safelight-${config.environment}-${stamp}`);
  if (found !== null) throw usageError(`${target} is there already.`);
  const parent = await stat(resolve(place, "..")).catch(() => null);
  if (parent?.isDirectory() !== true) throw usageError(`The folder of ${target} does not exist.`);
  return place;
}

/**
 * A server that runs there writes down that it is copied, and signs its audit log, so that the copy ends with a signature. It is copied
 * all the same where that is not possible; the reason is answered.
 */
async function noteInAudit(config: Config, withSecrets: boolean): Promise<string | null> {
  const url = await findRunningServer(config.dataDirectory);
  if (url === null) return null;
  const unsigned = "the running server was not asked to note it in the audit log";
  // Who may read the data directory may speak for it: the running server has left a key for that in it.
  const localKey = (await readServerNote(config.dataDirectory))?.local_key ?? null;
  const adminKey = localKey ?? config.adminKey ?? (await ownAdminKey(config));
  if (adminKey === null) return `${unsigned}: the admin key is not known here (ADMIN_KEY).`;
  try {
    const ask = (path: string, method: string, headers: Record<string, string>, body?: string) =>
      fetch(url + path, {
        method,
        headers,
        signal: AbortSignal.timeout(10_000),
        ...(body === undefined ? {} : { body }),
      });
    const session = await ask(pathOf("createAdminSession"), "POST", { "x-admin-key": adminKey });
    if (!session.ok) return `${unsigned}: it answers ${session.status}.`;
    const cookie = (session.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
    const headers = { cookie, "content-type": "application/json" };
    const answer = await ask(pathOf("noteBackup"), "POST", headers, JSON.stringify({ with_secrets: withSecrets }));
    await ask(pathOf("deleteAdminSession"), "DELETE", { cookie });
    return answer.ok ? null : `${unsigned}: it answers ${answer.status}.`;
  } catch (error) {
    return `${unsigned} (${(error as Error).message}).`;
  }
}

function ownAdminKey(config: Config): Promise<string | null> {
  return readOwnSecret(config.dataDirectory, "admin-key").catch(() => null);
}

/** What a backup holds, what it lacks, and what that means. */
export function describe(manifest: BackupManifest, withSecrets: boolean): string[] {
  const { audit, files, secrets, tasks } = manifest;
  const lines = [
    `taken ${manifest.created_at} by version ${manifest.safelight_version} (${manifest.environment}, schema step ${manifest.schema.number})`,
    `${tasks.total} tasks, ${tasks.done} done, ${tasks.unfinished} unfinished; ${files.count} files, ${files.bytes} bytes, each with its hash`,
    audit.chained
      ? `audit log: ${audit.rows} rows, ends with row ${audit.last_id}`
      : "audit log: from before it was chained",
  ];
  if (manifest.objects !== undefined) {
    const { count, bytes, place } = manifest.objects;
    lines.push(
      `Media is NOT in it: ${count} objects, ${bytes} bytes, listed with their hashes in objects.ndjson, stay in ${place}. Keep a copy of the bucket as well.`,
    );
  }
  if (manifest.deleted_meanwhile > 0)
    lines.push(`${manifest.deleted_meanwhile} tasks were deleted meanwhile and are not in it`);
  for (const { path, fault } of manifest.faulty.slice(0, 10))
    lines.push(`WARNING: ${path} was ${fault} in the installation already`);
  if (manifest.faulty_count > 10)
    lines.push(`WARNING: ${manifest.faulty_count} such files in all; manifest.json names them`);
  if (!audit.intact) lines.push(`WARNING: the audit log is broken in the installation: ${audit.detail ?? ""}`);
  if (withSecrets) {
    lines.push(
      `Secrets are in it (${secrets.included.join(", ") || "there were none"}): whoever reads it can act as this installation.`,
    );
  } else {
    lines.push("Secrets are not in it: keep DATA_DIR/secrets, or what your settings name, somewhere else as well.");
    const keys = secrets.needed_encryption_keys;
    if (keys.length > 0) {
      lines.push(
        `Without the encryption key ${keys.join(", ")} credentials of workers have to be entered again; nothing else is lost.`,
      );
    }
  }
  return lines;
}

function tell(restored: Restored, dataDirectory: string): string[] {
  const { aside, manifest, missingEncryptionKeys, revocationsKept, secretsFrom, sessionsEnded } = restored;
  const kept = aside === null ? [] : [`What was there lies in ${aside}; remove it when you no longer need it.`];
  if (manifest === null) return [`A restore into ${dataDirectory} had been interrupted: it is finished now.`, ...kept];
  const origin = {
    backup: "Secrets: those of the backup. What was rotated since then has to be rotated again.",
    former: "Secrets: those that were here stay.",
    elsewhere:
      "Secrets: none in the backup and none here. They come from the settings, or the first start makes new ones.",
  }[secretsFrom];
  const lines = [
    `Restored into ${dataDirectory}: ${manifest.tasks.total} tasks as of ${manifest.created_at}.`,
    ...kept,
    origin,
  ];
  if (missingEncryptionKeys.length > 0) {
    lines.push(
      `WARNING: the encryption key ${missingEncryptionKeys.join(", ")} is not here: enter the credentials of workers again.`,
    );
  }
  if (revocationsKept === null) lines.push("What was revoked after the backup is not known here: revoke it again.");
  else if (revocationsKept > 0) lines.push(`${revocationsKept} revocations made after the backup were kept.`);
  lines.push(`${sessionsEnded} sessions were ended. Start the server, then run: safelight smoke`);
  return lines;
}

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof BackupError) throw new CommandError(exitCodes.failed, "backup", error.message, error);
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC") throw new CommandError(exitCodes.failed, "disk_full", `The disk is full: ${message}`, error);
    throw error;
  }
}
