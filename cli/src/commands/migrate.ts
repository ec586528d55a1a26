// `safelight migrate`: an installation on SQLite and disk is copied to PostgreSQL and, where that is asked for, its media to a bucket.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, type Environment, type Moved, moveInstallation, readConfig, silentLog } from "@safelight/server";
import { usageError } from "../failure.ts";

export interface MigrateFlags {
  to?: string;
  toFile?: string;
  media?: string;
  dataDir?: string;
  json?: boolean;
}

/** Who runs it has the data directory, and not always the server's environment: what else a server needs is not asked for. */
const sourceSettings = [
  "DATA_DIR",
  ...["API_KEY", "ADMIN_KEY", "ENCRYPTION_KEY", "SESSION_SECRET", "AUDIT_KEY"].flatMap((name) => [
    name,
    `${name}_FILE`,
  ]),
];
const bucketSettings = [
  "MEDIA_URL",
  ...["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"].flatMap((name) => [name, `${name}_FILE`]),
  "AWS_REGION",
];

/** Resolves with the exit code. */
export async function migrate(environment: Environment, flags: MigrateFlags): Promise<number> {
  const chosen = (names: readonly string[]) => Object.fromEntries(names.map((name) => [name, environment[name]]));
  const dataDir = flags.dataDir === undefined ? {} : { DATA_DIR: resolve(flags.dataDir) };
  const config = readConfig({ ...chosen(sourceSettings), ...chosen(bucketSettings), ...dataDir });
  const media =
    flags.media === undefined ? null : readConfig({ ...chosen(bucketSettings), MEDIA_URL: flags.media }).mediaBucket;
  const moved = await moveInstallation({
    config,
    to: addressFrom(environment, flags),
    media,
    log: silentLog(),
    tell: (what) => void process.stderr.write(`${what}\n`),
  });
  const lines = describe(moved, config, flags);
  process.stdout.write(flags.json === true ? `${JSON.stringify(moved)}\n` : `${lines.join("\n")}\n`);
  return 0;
}

/** On a command line every user of the machine can read a password; a file, or the settings of the gateways, keep it. */
function addressFrom(environment: Environment, { to, toFile }: MigrateFlags): string {
  if (to !== undefined && toFile !== undefined) throw usageError("Give either --to or --to-file.");
  if (to !== undefined) return to;
  if (toFile !== undefined) return contentOf(toFile);
  const { DATABASE_URL, DATABASE_URL_FILE } = environment;
  const { databaseUrl } = readConfig({ DATABASE_URL, DATABASE_URL_FILE });
  if (databaseUrl === null) throw usageError("Say where to: --to, --to-file, or DATABASE_URL.");
  return databaseUrl;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    throw usageError(`${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"}).`);
  }
}

function describe(moved: Moved, { dataDirectory }: Config, flags: MigrateFlags): string[] {
  const { tables, audit, media, secrets } = moved;
  const rows = tables.map(
    (table) =>
      `  ${table.name.padEnd(22)} ${String(table.rows).padStart(9)} rows  sha256 ${table.sha256.slice(0, 16)}…`,
  );
  return [
    `Copied to ${moved.database}, and compared row by row:`,
    ...rows,
    `The audit log holds: ${audit.rows} rows, ${audit.checkpoints} checkpoints.`,
    ...(moved.deploySources === 0 ? [] : [`Sources of deploys: ${moved.deploySources}.`]),
    ...describeMedia(media),
    "",
    "Settings that every gateway needs now:",
    "  DATABASE_URL (or DATABASE_URL_FILE): the address",
    ...(flags.media === undefined ? [] : [`  MEDIA_URL=${flags.media}, and the keys to it`]),
    ...secrets.map(({ setting, file }) =>
      file === null ? `  ${setting}: as it is set now` : `  ${setting}_FILE=${file}`,
    ),
    ...(media === null
      ? ["Media stayed where it is: a folder serves one gateway only, the one with this DATA_DIR."]
      : []),
    `${dataDirectory} is as it was. Start no server on its own database again: it would be another library.`,
  ];
}

function describeMedia(media: Moved["media"]): string[] {
  if (media === null) return [];
  const { files, bytes, copied, damaged, missing } = media;
  const lines = [`Media: ${files} files, ${bytes} bytes, each with its hash; ${copied} of them stored just now.`];
  if (missing > 0) lines.push(`  ${missing} that records name were missing before, and are still.`);
  for (const name of damaged.slice(0, 20)) lines.push(`  ${name} is not what was stored once; it was so before.`);
  if (damaged.length > 20) lines.push(`  and ${damaged.length - 20} more`);
  return lines;
}
