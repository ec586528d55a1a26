/**
 * Who serves an installation just now. Each gateway on a shared database says at short intervals that it is there; a start beside gateways
 * that keep their media elsewhere is refused, since each of them would lose what the other has stored. Where the database is not shared
 * nothing is written.
 */
import { statSync } from "node:fs";
import { hostname } from "node:os";
import type { Config } from "../config.ts";
import type { Context } from "../context/context.ts";
import type { Prepare, Reading } from "../database/database.ts";
import { StartupError } from "../errors.ts";

/** Between two signs of life, and how long after the last one a gateway counts as living; milliseconds. */
const interval = 5000;
export const livingFor = 20_000;
/** How long the traces of one that was killed are kept. */
const keptFor = 24 * 60 * 60 * 1000;

export interface LivingGateway {
  readonly instance: string;
  readonly startedAt: number;
  readonly version: string;
  /** Where it can be reached from its own machine; null while it starts. */
  readonly url: string | null;
}

export interface Presence {
  /** Says where it listens. */
  announce(url: string): Promise<void>;
  /** Gracefully: takes itself off the list. */
  leave(): Promise<void>;
}

type Parts = Pick<Context, "clock" | "config" | "database" | "instance" | "log">;

/** Errors: a StartupError of one line beside a living gateway with other media. */
export async function joinGateways(context: Parts, version: string): Promise<Presence> {
  const { database, log } = context;
  if (!database.shared) return { announce: async () => undefined, leave: async () => undefined };
  const media = mediaIdentity(context.config);
  let url: string | null = null;
  const sign = () => saySeen(context, { version, media, url });
  await enter(context, media, version);
  let signing: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    // A database that is away is told elsewhere; the next sign says all that this one would have.
    signing = signing.then(sign).catch((error: unknown) => log.debug("no sign of life could be written", { error }));
  }, interval).unref();
  return {
    announce: async (address) => {
      url = address;
      await sign();
    },
    leave: async () => {
      clearInterval(timer);
      await signing;
      await database
        .write(({ prepare }) => prepare("DELETE FROM gateways WHERE instance = ?").run(context.instance))
        .catch((error: unknown) => log.debug("others will take this gateway for living a while", { error }));
    },
  };
}

/** Those that have said so lately, in the order of their start. None where the database is not shared. */
export async function livingGateways(
  { prepareRead }: { prepareRead: Prepare },
  now: number,
): Promise<readonly LivingGateway[]> {
  const rows = await prepareRead(
    "SELECT instance, started_at, version, url FROM gateways WHERE seen_at > ? ORDER BY started_at, instance",
  ).all(now - livingFor);
  return rows.map(({ instance, started_at, version, url }) => ({
    instance: String(instance),
    startedAt: Number(started_at),
    version: String(version),
    url: url === null ? null : String(url),
  }));
}

/**
 * Equal for gateways that share their media. A folder is never shared, and is the same one after a restart: the lock on it proves that
 * whoever wrote this before is gone.
 */
export function mediaIdentity({ dataDirectory, mediaBucket }: Pick<Config, "dataDirectory" | "mediaBucket">): string {
  if (mediaBucket !== null) {
    const { bucket, prefix } = mediaBucket.location;
    return `s3://${bucket}${prefix === "" ? "" : `/${prefix}`}`;
  }
  const { ino, birthtimeMs } = statSync(dataDirectory);
  return `disk ${hostname()} ${dataDirectory} ${ino}-${Math.round(birthtimeMs)}`;
}

async function enter({ clock, database, instance }: Parts, media: string, version: string): Promise<void> {
  await database.write(async ({ prepare }) => {
    const now = clock.now();
    await prepare("DELETE FROM gateways WHERE seen_at < ?").run(now - keptFor);
    const other = await findOther({ prepare }, media, now - livingFor);
    if (other !== undefined) throw new StartupError(refusal(media, String(other)));
    await prepare("INSERT INTO gateways (instance, started_at, seen_at, version, media) VALUES (?, ?, ?, ?, ?)").run(
      instance,
      now,
      now,
      version,
      media,
    );
  });
}

async function findOther({ prepare }: Pick<Reading, "prepare">, media: string, since: number) {
  const row = await prepare(
    "SELECT media FROM gateways WHERE media <> ? AND seen_at > ? ORDER BY seen_at DESC LIMIT 1",
  ).get(media, since);
  return row?.media;
}

function refusal(own: string, other: string): string {
  const place = (media: string) =>
    media.startsWith("disk ") ? `in the folder of one gateway (${folderOf(media)})` : `in ${media}`;
  return `MEDIA_URL: another gateway on this database keeps its media ${place(other)}, this one would keep them ${place(own)}; all need the same bucket. One that was killed counts for ${livingFor / 1000} seconds.`;
}

function folderOf(media: string): string {
  const [, host = "", ...rest] = media.split(" ");
  return `${host}:${rest.slice(0, -1).join(" ")}`;
}

async function saySeen(
  { clock, database, instance }: Parts,
  { version, media, url }: { version: string; media: string; url: string | null },
): Promise<void> {
  const now = clock.now();
  await database.write(({ prepare }) =>
    prepare(
      `INSERT INTO gateways (instance, started_at, seen_at, version, media, url) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (instance) DO UPDATE SET seen_at = excluded.seen_at, url = excluded.url`,
    ).run(instance, now, now, version, media, url),
  );
}
