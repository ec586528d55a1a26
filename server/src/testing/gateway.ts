import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, readConfig } from "../config.ts";
import { type Context, createContext } from "../context/context.ts";
import { openPostgres, type PostgresDatabase } from "../database/postgres/postgres-database.ts";
import { startEventFeed } from "../gateways/event-feed.ts";
import { joinGateways, type Presence } from "../gateways/presence.ts";
import { createLog } from "../log.ts";
import { DiskMediaStore } from "../media/disk-media-store.ts";
import { MeteredMediaStore } from "../media/metered-media-store.ts";
import { SessionSecrets } from "../secrets/session-secrets.ts";
import { sharedPostgres } from "./postgres-server.ts";

/** The inner parts of one of several gateways on a PostgreSQL database. */
export interface TestGateway {
  readonly context: Context;
  readonly database: PostgresDatabase;
  readonly media: MeteredMediaStore;
  readonly tokens: SessionSecrets;
  readonly folder: string;
  readonly logged: string[];
  close(): Promise<void>;
}

export interface TestGatewayOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Folder of the media that all of them share; one of its own without it. */
  readonly mediaFolder?: string;
}

/** Opens one with a data directory of its own; the clock is that of the database. */
export async function openGateway(url: string, options: TestGatewayOptions = {}): Promise<TestGateway> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-gateway-"));
  const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: "debug", ...options.environment });
  const logged: string[] = [];
  const log = createLog({ level: config.logLevel, destination: { write: (line) => void logged.push(line) } });
  const database = await openPostgres({ url, log });
  const media = new MeteredMediaStore(await DiskMediaStore.open(options.mediaFolder ?? join(folder, "media")));
  const tokens = new SessionSecrets("");
  const clock = database.clock ?? undefined;
  const context = createContext({ database, log, config, media, tokens, ...(clock === undefined ? {} : { clock }) });
  const stopFeed = await startEventFeed(context);
  return {
    context,
    database,
    media,
    tokens,
    folder,
    logged,
    close: async () => {
      await stopFeed();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A new database and the gateways that a test opens on it. */
export interface TestInstallation {
  readonly url: string;
  readonly gateways: readonly TestGateway[];
  open(options?: TestGatewayOptions): Promise<TestGateway>;
  /** Closes the gateways and takes the database away. */
  close(): Promise<void>;
}

export async function openInstallation(): Promise<TestInstallation> {
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const gateways: TestGateway[] = [];
  return {
    url,
    gateways,
    open: async (options) => {
      const gateway = await openGateway(url, options);
      gateways.push(gateway);
      return gateway;
    },
    close: async () => {
      for (const gateway of gateways) await gateway.close();
      await server.dropDatabase(url);
    },
  };
}

/** All of them would keep their media there. */
const mediaBucket = { location: { bucket: "shared", prefix: "" } } as unknown as Config["mediaBucket"];

/** Takes its place among the gateways that serve the installation. */
export async function joinOthers(context: Context): Promise<Presence> {
  const presence = await joinGateways({ ...context, config: { ...context.config, mediaBucket } }, "0.0.0");
  await presence.announce("http://127.0.0.1:8600");
  return presence;
}
