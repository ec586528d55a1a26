import { hash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canEncode, ENGINE_NAME, knownWords, stripRecipe } from "@safelight/engine";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import type { DestinationStream } from "pino";
import { buildApp } from "../app.ts";
import { AuditBook } from "../audit/audit-book.ts";
import { type Config, readConfig } from "../config.ts";
import type { Clock } from "../context/clock.ts";
import { type Context, createContext } from "../context/context.ts";
import { type OpenOptions, openDatabase } from "../database/open.ts";
import { Deployer } from "../deploy/deployer.ts";
import type { Offers } from "../executors/executor.ts";
import { isStillValid } from "../http/credentials.ts";
import type { Installation } from "../http/installation.ts";
import { ChangingKeyring } from "../keys/keyring.ts";
import { Limits } from "../limits/limits.ts";
import type { OtherLimits } from "../limits/rules.ts";
import { createLog, type Log } from "../log.ts";
import type { MediaFileSystem } from "../media/media-file-system.ts";
import { openMedia } from "../media/open-media.ts";
import { createMetrics } from "../metrics/metrics.ts";
import { ContentPolicy } from "../policy/content-policy.ts";
import type { DoorParts } from "../proxy/worker-doors.ts";
import { WorkspaceTasks } from "../proxy/workspace-tasks.ts";
import { type FoundSecret, secretFile } from "../secrets/resolve-secrets.ts";
import type { SecretBook } from "../secrets/secret-book.ts";
import { SessionSecrets } from "../secrets/session-secrets.ts";
import { openSecretBook } from "../sessions/open-secret-book.ts";
import { OpenStreams } from "../sessions/open-streams.ts";
import { createStorageUse } from "../statistics/storage-use.ts";
import { StorageCare } from "../storage-care/storage-care.ts";
import { openRegistry } from "../worker-accounts/open-registry.ts";
import { reencryptCredentials } from "../worker-accounts/reencrypt-credentials.ts";
import { newAuditKeys } from "./audit-log.ts";

export interface Edge {
  readonly app: FastifyInstance;
  readonly context: Context;
  readonly installation: Installation;
  readonly apiKey: string;
  readonly adminKey: string;
  readonly folder: string;
  /** Every log line written so far. */
  readonly logged: string[];
  /** A request with the API key. */
  inject(options: InjectOptions): Promise<LightMyRequestResponse>;
  /** Begins to listen on the loopback. */
  listen(): Promise<string>;
  stop(): void;
  close(): Promise<void>;
}

export interface EdgeOptions {
  readonly environment?: Record<string, string>;
  readonly offers?: Offers;
  readonly clock?: Clock;
  readonly mediaFiles?: MediaFileSystem;
  readonly interrupt?: OpenOptions["interrupt"];
  readonly webFolder?: string;
  /** The limits of a real installation are in force only where a test asks for them, with {}. */
  readonly limits?: OtherLimits;
  readonly canEncode?: (format: string) => Promise<boolean>;
  /** How workers are called: names that resolve as a test says, other patience. */
  readonly workers?: Pick<DoorParts, "resolve" | "timeoutMs" | "idleMs" | "cancelMs">;
}

/** More than any test asks. */
const unlimited: OtherLimits = {
  client_session: 1e6,
  admin_session: 1e6,
  admin_by_session: 1e6,
  admin_by_address: 1e6,
};

export const everythingRuns: Offers = { offer: () => ({ able: true, executor: "embedded" }) };

/** The HTTP side of a server on a real database and a real media folder, without a dispatcher: tasks stay pending. */
export async function openEdge(options: EdgeOptions = {}): Promise<Edge> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-edge-"));
  const apiKey = `test-key-${hash("sha256", folder).slice(0, 32)}`;
  const adminKey = `test-admin-key-${hash("sha256", folder).slice(32, 64)}`;
  // No deploy of a test leaves this machine: at this port nobody answers.
  const nowhere = { MODAL_SERVER_URL: "http://127.0.0.1:9" };
  const config = readConfig({ DATA_DIR: folder, LOG_LEVEL: "debug", ...nowhere, ...options.environment });
  const { log, logged } = openLog(config);
  const clock = options.clock === undefined ? {} : { clock: options.clock };
  const interrupt = options.interrupt === undefined ? {} : { interrupt: options.interrupt };
  const database = await openDatabase({ file: join(folder, "safelight.sqlite"), log, ...clock, ...interrupt });
  const { media, ...store } = await openMedia(config, log, options.mediaFiles);
  const encryptionKey = hash("sha256", folder, "buffer");
  const tokens = new SessionSecrets(encryptionKey.toString("base64"));
  const context = createContext({ database, log, config, media, tokens, ...clock });
  const book = await openBook(context, tokens, { apiKey, adminKey, encryptionKey });
  const { keyring } = book.parts;
  const stopping = new AbortController();
  const streams = new OpenStreams((credential) => isStillValid({ context, secrets: book }, credential), log);
  book.changed = () => void streams.check();
  // Checks of worker accounts are made by hand only.
  const accounts = await openRegistry(context, keyring);
  const { workerNetworks } = config;
  const workspaceTasks = new WorkspaceTasks({ keyring, workerNetworks, log, ...options.workers });
  const storage = createStorageUse(media, database);
  const policy = new ContentPolicy(config, log);
  const metrics = createMetrics({ context, accounts, storage, version: "0.0.0", ofProcess: false });
  const installation: Installation = {
    version: "0.0.0",
    config,
    context,
    offers: options.offers ?? everythingRuns,
    policy,
    engine: {
      name: ENGINE_NAME,
      canEncode: options.canEncode ?? ((format) => canEncode(format as Parameters<typeof canEncode>[0])),
      stripRecipe,
      knownWords,
    },
    limits: await Limits.open(context, options.limits ?? unlimited),
    streams,
    secrets: book,
    localKey: "no-local-key-in-tests",
    metrics,
    storage,
    storageCare: new StorageCare(context, media),
    audit: new AuditBook(context, newAuditKeys()),
    accounts,
    deployer: await Deployer.open(context, accounts),
    workspaceTasks,
    isAccessKnown: () => context.database.isUsable(),
    isReady: () => Promise.resolve(!stopping.signal.aborted),
    stopping: stopping.signal,
    webFolder: options.webFolder ?? join(folder, "no-page"),
  };
  const app = await buildApp(installation);
  return {
    app,
    context,
    installation,
    apiKey,
    adminKey,
    folder,
    logged,
    inject: (request) =>
      app.inject({ ...request, headers: { host: "127.0.0.1", "x-api-key": apiKey, ...request.headers } }),
    listen: () => app.listen({ host: "127.0.0.1", port: 0 }),
    stop: () => stopping.abort(),
    close: async () => {
      stopping.abort();
      app.server.closeAllConnections();
      await app.close();
      await installation.deployer.stop();
      workspaceTasks.close();
      policy.close();
      store.close();
      await database.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function openLog({ logLevel }: Config): { log: Log; logged: string[] } {
  const logged: string[] = [];
  const destination: DestinationStream = { write: (line) => void logged.push(line) };
  return { log: createLog({ level: logLevel, destination }), logged };
}

interface OwnSecrets {
  readonly apiKey: string;
  readonly adminKey: string;
  readonly encryptionKey: Buffer;
}

function openBook(context: Context, tokens: SessionSecrets, own: OwnSecrets): Promise<SecretBook> {
  const keyring = new ChangingKeyring([own.encryptionKey]);
  const found = secretsOf(context.config, own);
  return openSecretBook({ context, found, tokens, keyring }, () => reencryptCredentials(context, keyring));
}

/** As a server finds them whose keys stand in its settings. */
function secretsOf(config: Config, own: OwnSecrets): FoundSecret[] {
  const found = (name: string, value: string | null): FoundSecret[] =>
    value === null
      ? []
      : [
          {
            name,
            source: name === "session-secret" ? "generated" : "environment",
            variable: name.toUpperCase().replaceAll("-", "_"),
            file: name === "session-secret" ? secretFile(config.dataDirectory, name) : null,
            values: [value],
            waiting: [],
            writtenAt: null,
            isNew: true,
          },
        ];
  const encoded = own.encryptionKey.toString("base64");
  return [
    ...found("api-key", own.apiKey),
    ...found("admin-key", own.adminKey),
    ...found("session-secret", encoded),
    ...found("encryption-key", encoded),
    ...found("access-password", config.accessPassword),
    ...found("metrics-token", config.metricsToken),
  ];
}

/** A clock that a test moves by hand, in milliseconds. */
export function createTestClock(
  start = Date.UTC(2026, 2, 1),
): Clock & { advance(milliseconds: number): void; set(now: number): void } {
  let now = start;
  let steady = start;
  return {
    now: () => now,
    steady: () => steady,
    advance(milliseconds) {
      now += milliseconds;
      steady += milliseconds;
    },
    set(to) {
      now = to;
    },
  };
}
