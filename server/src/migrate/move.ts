/**
 * Takes an installation from SQLite and disk to PostgreSQL and S3. The source is held and only read; the target cannot be used until all of
 * it was compared. It may be broken off at any moment and run again: it goes on where it was.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { keyIdOf, type PublicKeys, parsePublicKey } from "../audit/keys.ts";
import { verifyAtOnce } from "../audit/verify.ts";
import type { Config } from "../config.ts";
import { CopyTarget } from "../database/postgres/copy-target.ts";
import { openPostgresReading } from "../database/postgres/reading.ts";
import { StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import type { MediaBucket } from "../media-setting.ts";
import { secretFile } from "../secrets/resolve-secrets.ts";
import { waitingFiles } from "../secrets/secret-files.ts";
import { copyMedia, type MediaFigures, placeOf } from "./copy-media.ts";
import { copySources } from "./copy-sources.ts";
import { compareTables, copyTables, type TableFigures, type Told } from "./copy-tables.ts";
import { MoveSource } from "./source.ts";
import { copiedTables } from "./tables.ts";

export interface MoveOptions {
  /** Of the installation as it is; `mediaBucket` where its media lies in a bucket already. */
  readonly config: Config;
  /** Address of the PostgreSQL database. */
  readonly to: string;
  /** Where media is to lie; null leaves it where it is. */
  readonly media: MediaBucket | null;
  readonly log: Log;
  /** Told how far it is, in words for people. */
  readonly tell?: Told;
}

/** A secret that gateways are to be given: the file that holds it, or null where the settings give it already. */
export interface NeededSecret {
  readonly setting: string;
  readonly file: string | null;
}

export interface Moved {
  /** Host, port and name. */
  readonly database: string;
  /** Whether it went on where an earlier run was broken off. */
  readonly resumed: boolean;
  readonly tables: readonly TableFigures[];
  readonly audit: { readonly rows: number; readonly checkpoints: number };
  /** Null where media stayed where it is. */
  readonly media: MediaFigures | null;
  readonly secrets: readonly NeededSecret[];
  /** Sources of deploys. */
  readonly deploySources: number;
}

/** Errors: a StartupError of one line; the target stays unusable and can be gone on with. */
export async function moveInstallation({
  config,
  to,
  media,
  log,
  tell = () => undefined,
}: MoveOptions): Promise<Moved> {
  mustBeClear(config, media);
  await using opened = new AsyncDisposableStack();
  const source = await MoveSource.open(config);
  opened.defer(() => source.close());
  const target = await CopyTarget.open(to, Date.now());
  opened.defer(() => target.close());
  const names = copiedTables.map(({ name }) => name);
  const resumed = await target.begin(source.identity(), names);
  await tell(resumed ? `Going on with the copy in ${target.described}.` : `Copying to ${target.described}.`);
  await copyTables(source, target, tell);
  const deploySources = await copySources(config.dataDirectory, target);
  const place = placeOf(config, media, log);
  const figures = place === null ? null : await copyMedia(source, place, tell);
  await target.settle(source.end());
  await tell("Comparing.");
  const tables = await compareTables(source, target);
  await compareQueue(source, target);
  const audit = await checkAudit(source, to);
  await target.finish();
  return {
    database: target.described,
    resumed,
    tables,
    audit,
    media: figures,
    secrets: await neededSecrets(config),
    deploySources,
  };
}

/** MEDIA_URL says where media lie already, or what was prepared for afterwards: only one of them can be meant. */
function mustBeClear({ dataDirectory, mediaBucket }: Config, media: MediaBucket | null): void {
  if (mediaBucket === null) return;
  if (media === null) {
    if (!holdsMedia(dataDirectory)) return;
    throw new StartupError(
      `MEDIA_URL: is set, and ${join(dataDirectory, "media")} holds results. To take them there say --media with the same address; otherwise leave MEDIA_URL out.`,
    );
  }
  const [one, other] = [mediaBucket.location, media.location];
  if (one.bucket === other.bucket && one.prefix === other.prefix) return;
  throw new StartupError(
    "MEDIA_URL: the media lie in a bucket already; to another one the tools of the storage copy them.",
  );
}

function holdsMedia(dataDirectory: string): boolean {
  const folder = join(dataDirectory, "media", "results");
  return existsSync(folder) && readdirSync(folder).length > 0;
}

async function compareQueue(source: MoveSource, target: CopyTarget): Promise<void> {
  const [row] = await target.query("SELECT waiting FROM queue_size");
  if (row?.waiting === source.waiting()) return;
  throw new StartupError(`The copy differs: ${source.waiting()} tasks wait here, ${String(row?.waiting)} there.`);
}

async function checkAudit(source: MoveSource, to: string): Promise<Moved["audit"]> {
  const reading = await openPostgresReading(to);
  try {
    const { intact, checked, checkpoints, first_broken: row } = await verifyAtOnce(reading, keysOf(source.publicKeys));
    if (intact) return { rows: checked, checkpoints: checkpoints.checked };
    const why = row?.detail ?? checkpoints.first_broken?.detail ?? "it is broken";
    throw new StartupError(`The audit log of the copy does not hold: ${why}`);
  } finally {
    await reading.close();
  }
}

function keysOf(texts: readonly string[]): PublicKeys {
  const keys = texts.flatMap((text) => parsePublicKey(text) ?? []);
  return new Map(keys.map((key) => [keyIdOf(key), key]));
}

/** Names and places, never values. A value that waits to be set is the one that counts. */
async function neededSecrets(config: Config): Promise<NeededSecret[]> {
  const given = {
    "api-key": config.apiKey,
    "admin-key": config.adminKey,
    "encryption-key": config.encryptionKey,
    "session-secret": config.sessionSecret,
    "audit-key": config.auditKey,
  } as const;
  const needed: NeededSecret[] = [];
  for (const [name, value] of Object.entries(given) as [keyof typeof given, string | null][]) {
    const setting = name.toUpperCase().replace("-", "_");
    const [waiting] = await waitingFiles(config.dataDirectory, name);
    const own = secretFile(config.dataDirectory, name);
    needed.push({ setting, file: waiting ?? (value === null && existsSync(own) ? own : null) });
  }
  return needed;
}
