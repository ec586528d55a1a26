import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { type AuditKeys, parseAuditKeys } from "../audit/keys.ts";
import { verifyAtOnce } from "../audit/verify.ts";
import { sayBytes } from "../byte-size.ts";
import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import { readingOf } from "../database/sqlite/file-reading.ts";
import { migrations } from "../database/sqlite/migrations/all.ts";
import { readSecret, secretFile } from "../secrets/resolve-secrets.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";

/** Reads of the database as it stands; nothing is written. */
export interface Reading extends Pick<Database, "prepareRead" | "read"> {
  readonly close: () => void;
}

const restore = "Stop the server, keep a copy of the data directory, and restore the last backup (safelight restore).";

/**
 * Opens the database for reading. One that nobody uses and that was closed in order is opened as a file that does not change, which
 * leaves no file behind; otherwise as another reader beside the server.
 */
export function openForReading(config: Config, held: boolean): { reading: Reading | null; findings: Finding[] } {
  const file = join(config.dataDirectory, "safelight.sqlite");
  if (!existsSync(file)) {
    return { reading: null, findings: [warning("database", "There is none yet.", "The first start makes it.")] };
  }
  const address = pathToFileURL(file);
  if (!held && !existsSync(`${file}-wal`)) address.searchParams.set("immutable", "1");
  try {
    const database = new DatabaseSync(address, { readOnly: true, timeout: 5000 });
    database.function("fold", { deterministic: true }, (text) => String(text).toLowerCase());
    database.prepare("SELECT count(*) FROM sqlite_schema").get();
    return { reading: { ...readingOf(database), close: () => database.close() }, findings: [] };
  } catch (error) {
    return { reading: null, findings: [problem("database", `It cannot be read (${reasonOf(error)}).`, restore)] };
  }
}

/** Every page and every reference. A large one takes a while: about a second for each 200 MB. */
export async function lookAtPages({ prepareRead }: Reading, { dataDirectory }: Config): Promise<Finding[]> {
  const findings: Finding[] = [];
  const file = join(dataDirectory, "safelight.sqlite");
  try {
    const faults = await prepareRead("PRAGMA integrity_check(5)").all();
    const texts = faults.map((row) => String(row.integrity_check)).filter((text) => text !== "ok");
    const lost = (await prepareRead("PRAGMA foreign_key_check").all()).length;
    if (texts.length > 0) findings.push(problem("database", `It is damaged: ${texts.join("; ")}.`, restore));
    else if (lost > 0) findings.push(problem("database", `${lost} rows refer to rows that are gone.`, restore));
    else findings.push(ok("database", `${sayBytes(sizeOf(file) + sizeOf(`${file}-wal`))}, every page is whole.`));
  } catch (error) {
    findings.push(problem("database", `It is damaged (${reasonOf(error)}).`, restore));
  }
  const log = sizeOf(`${file}-wal`);
  if (log > 256 * 1024 * 1024) {
    const mend = "Some reader holds it for long (a backup, a shell): end it; a restart of the server empties it.";
    findings.push(warning("database log", `The write-ahead log has grown to ${sayBytes(log)}.`, mend));
  }
  return findings;
}

export async function lookAtSchema({ prepareRead }: Reading): Promise<Finding> {
  const applied = await prepareRead("SELECT number, checksum FROM migrations ORDER BY number").all();
  const foreign = migrations.findIndex(({ sql }, index) => {
    const row = applied[index];
    return row !== undefined && row.checksum !== createHash("sha256").update(sql).digest("hex");
  });
  if (foreign >= 0) {
    const detail = `Step ${foreign + 1} of the schema is that of another build.`;
    return problem("schema", detail, "Start the build that made it, or set another DATA_DIR.");
  }
  if (applied.length > migrations.length) {
    const detail = `A newer release has used it (step ${applied.length}; this one knows ${migrations.length}).`;
    return warning("schema", detail, "That does no harm; go back to the newer release when you can.");
  }
  if (applied.length < migrations.length) {
    const detail = `It stands at step ${applied.length} of ${migrations.length}.`;
    return warning("schema", detail, "The next start brings it up to date; make a backup before.");
  }
  return ok("schema", `Step ${applied.length}, as this release has it.`);
}

/** Data belongs to the environment it was made in: elsewhere the server does not start on it. */
export async function lookAtEnvironment(
  { prepareRead }: Reading,
  { environment, adoptEnvironment }: Config,
): Promise<Finding[]> {
  const isMarked = (await prepareRead("SELECT 1 FROM sqlite_schema WHERE name = 'installation'").get()) !== undefined;
  const made =
    isMarked && (await prepareRead("SELECT value FROM installation WHERE name = 'environment'").get())?.value;
  if (typeof made !== "string" || made === environment || made === adoptEnvironment) return [];
  const detail = `SAFELIGHT_ENV is ${environment}, and the data was made in ${made}: the server does not start.`;
  return [problem("settings", detail, `Correct SAFELIGHT_ENV or DATA_DIR, or set ADOPT_ENVIRONMENT=${made} once.`)];
}

/** The audit log from its first row to its last. */
export async function lookAtAudit(reading: Reading, config: Config): Promise<Finding> {
  const keys = await readAuditKeys(config);
  if (keys === null) {
    return problem(
      "audit log",
      "The key that signs it is missing or unreadable.",
      "Put AUDIT_KEY or secrets/audit-key back.",
    );
  }
  const { intact, checked, first_broken: row, checkpoints } = await verifyAtOnce(reading, keys.publicKeys);
  if (intact) return ok("audit log", `${checked} rows hold, and ${checkpoints.checked} checkpoints.`);
  const detail = row?.detail ?? checkpoints.first_broken?.detail ?? "It does not hold.";
  return problem("audit log", detail, "Keep a copy of the data directory, and find out who could write to it.");
}

async function readAuditKeys(config: Config): Promise<AuditKeys | null> {
  const text = config.auditKey ?? (await readSecret(secretFile(config.dataDirectory, "audit-key")).catch(() => null));
  return text === null ? null : parseAuditKeys(text);
}

/** Rows from the future were written while the clock went wrong. */
export async function lookAtClock({ prepareRead }: Reading, now = Date.now()): Promise<Finding> {
  const newest = Number((await prepareRead("SELECT max(created_at) AS at FROM tasks").get())?.at ?? 0);
  const ahead = Math.round((newest - now) / 1000);
  if (ahead <= 60) return ok("clock", `${new Date(now).toISOString()}, not behind what was written.`);
  const detail = `The newest task is ${ahead} seconds ahead of this machine's clock.`;
  return warning("clock", detail, "Set the clock (timedatectl set-ntp true).");
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
