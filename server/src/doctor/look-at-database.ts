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
import { migrations as sqliteMigrations } from "../database/sqlite/migrations/all.ts";
import { StartupError } from "../errors.ts";
import { livingGateways } from "../gateways/presence.ts";
import { readSecret, secretFile } from "../secrets/resolve-secrets.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";

/** Reads of the database as it stands; nothing is written. */
export interface Reading extends Pick<Database, "prepareRead" | "read"> {
  readonly close: () => void | Promise<void>;
  /** Where the database is; null for the file in the data directory. */
  readonly place: string | null;
}

const restore = "Stop the server, keep a copy of the data directory, and restore the last backup (safelight restore).";

/**
 * Opens the database for reading. One that nobody uses and that was closed in order is opened as a file that does not change, which
 * leaves no file behind; otherwise as another reader beside the server.
 */
export async function openForReading(config: Config, held: boolean): Promise<Opened> {
  return config.databaseUrl === null ? openFile(config, held) : openAddress(config.databaseUrl);
}

interface Opened {
  readonly reading: Reading | null;
  readonly findings: readonly Finding[];
}

async function openAddress(url: string): Promise<Opened> {
  // Loaded where it is needed, as it takes a moment.
  const { openPostgresReading } = await import("../database/postgres/reading.ts");
  try {
    const { described, ...reading } = await openPostgresReading(url);
    const made = await reading.prepareRead("SELECT to_regclass('migrations') AS name").get();
    if (made?.name !== null) return { reading: { ...reading, place: described }, findings: [] };
    await reading.close();
    const empty = warning("database", `${described}, is empty.`, "The first start makes the schema.");
    return { reading: null, findings: [empty] };
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    const mend = "Correct DATABASE_URL, or start the database; the server does not start until then.";
    return { reading: null, findings: error.problems.map((line) => problem("database", line, mend)) };
  }
}

function openFile(config: Config, held: boolean): Opened {
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
    return { reading: { ...readingOf(database), place: null, close: () => database.close() }, findings: [] };
  } catch (error) {
    return { reading: null, findings: [problem("database", `It cannot be read (${reasonOf(error)}).`, restore)] };
  }
}

/** Every page and every reference. A large one takes a while: about a second for each 200 MB. */
export async function lookAtPages(reading: Reading, { dataDirectory }: Config): Promise<Finding[]> {
  const { prepareRead } = reading;
  if (reading.place !== null) return [await lookAtServer(reading, reading.place)];
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

/** Its pages are the server's own care. */
async function lookAtServer({ prepareRead }: Reading, place: string): Promise<Finding> {
  const row = await prepareRead(
    "SELECT pg_database_size(current_database()) AS bytes, pg_is_in_recovery() AS follows, current_setting('server_version') AS release",
  ).get();
  if (Number(row?.follows) === 1) {
    return problem("database", `${place}, is a standby and can only be read.`, "Name the server that writes.");
  }
  return ok("database", `${place}, PostgreSQL ${String(row?.release)}, ${sayBytes(Number(row?.bytes))}.`);
}

export async function lookAtSchema({ prepareRead, place }: Reading): Promise<Finding> {
  const migrations =
    place === null ? sqliteMigrations : (await import("../database/postgres/migrations/all.ts")).postgresMigrations;
  const applied = await prepareRead("SELECT number, checksum FROM migrations ORDER BY number").all();
  const foreign = migrations.findIndex(({ sql }, index) => {
    const row = applied[index];
    return row !== undefined && row.checksum !== createHash("sha256").update(sql).digest("hex");
  });
  if (foreign >= 0) {
    const detail = `Step ${foreign + 1} of the schema is that of another build.`;
    return problem(
      "schema",
      detail,
      place === null ? "Start the build that made it, or set another DATA_DIR." : "Start the build that made it.",
    );
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
  { prepareRead, place }: Reading,
  { environment, adoptEnvironment }: Config,
): Promise<Finding[]> {
  const marked =
    place === null
      ? "SELECT 1 FROM sqlite_schema WHERE name = 'installation'"
      : "SELECT 1 WHERE to_regclass('installation') IS NOT NULL";
  const isMarked = (await prepareRead(marked).get()) !== undefined;
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
export async function lookAtClock({ prepareRead, place }: Reading, now = Date.now()): Promise<Finding> {
  if (place !== null) return compareClocks(prepareRead, now);
  const newest = Number((await prepareRead("SELECT max(created_at) AS at FROM tasks").get())?.at ?? 0);
  const ahead = Math.round((newest - now) / 1000);
  if (ahead <= 60) return ok("clock", `${new Date(now).toISOString()}, not behind what was written.`);
  const detail = `The newest task is ${ahead} seconds ahead of this machine's clock.`;
  return warning("clock", detail, "Set the clock (timedatectl set-ntp true).");
}

/** Gateways go by the time of their database; people and certificates by that of the machine. */
async function compareClocks(prepareRead: Reading["prepareRead"], now: number): Promise<Finding> {
  const row = await prepareRead("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS at").get();
  const ahead = Math.round((Number(row?.at) - now) / 1000);
  if (Math.abs(ahead) <= 60) return ok("clock", `${new Date(now).toISOString()}, as the database has it.`);
  const detail = `The database is ${Math.abs(ahead)} seconds ${ahead > 0 ? "ahead of" : "behind"} this machine.`;
  return warning("clock", detail, "Set both by NTP (timedatectl set-ntp true).");
}

/** Which gateways serve the installation, and whether they are of one version. */
export async function lookAtGateways({ prepareRead }: Reading): Promise<Finding> {
  const row = await prepareRead("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS at").get();
  const made = await prepareRead("SELECT to_regclass('gateways') AS name").get();
  if (made?.name === null) return ok("gateways", "An earlier release made the schema, which has no list of them.");
  const living = await livingGateways({ prepareRead }, Number(row?.at));
  const versions = new Set(living.map(({ version }) => version));
  const named = living.map(({ url, version }) => `${url ?? "one that starts"} (${version})`).join(", ");
  if (versions.size > 1) return warning("gateways", `Of several versions: ${named}.`, "End the rolling upgrade.");
  return ok("gateways", living.length === 0 ? "None serves this installation." : `${living.length}: ${named}.`);
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}
