/** Wires a server by hand: every part is made here, in the order in which it is needed, and closed in the reverse one. */
import { mkdir, readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { catalog } from "@safelight/catalog";
import { canEncode, ENGINE_NAME, type EngineHost, knownWords, stripRecipe } from "@safelight/engine";
import type { FastifyInstance } from "fastify";
import { buildApp } from "./app.ts";
import { AuditBook } from "./audit/audit-book.ts";
import { type Config, type Environment, readConfig, repositoryRoot } from "./config.ts";
import type { Clock } from "./context/clock.ts";
import { type Context, createContext } from "./context/context.ts";
import { takeDataDirectory } from "./database/data-directory.ts";
import { openDatabase } from "./database/open.ts";
import { Deployer } from "./deploy/deployer.ts";
import { startDispatcher } from "./dispatch/dispatcher.ts";
import { StartupError } from "./errors.ts";
import { AccountExecutors } from "./executors/account-executors.ts";
import { EmbeddedExecutor } from "./executors/embedded.ts";
import { embeddedOffer } from "./executors/embedded-offer.ts";
import { createOffers } from "./executors/offers.ts";
import { isStillValid } from "./http/credentials.ts";
import type { EngineAbilities } from "./http/installation.ts";
import { ChangingKeyring, type Keyring } from "./keys/keyring.ts";
import { Limits } from "./limits/limits.ts";
import type { OtherLimits } from "./limits/rules.ts";
import { createLog, type Log } from "./log.ts";
import { DiskMediaStore } from "./media/disk-media-store.ts";
import type { MediaFileSystem } from "./media/media-file-system.ts";
import { MeteredMediaStore } from "./media/metered-media-store.ts";
import { sweepUploads } from "./media/sweep-uploads.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { ContentPolicy } from "./policy/content-policy.ts";
import { WorkspaceTasks } from "./proxy/workspace-tasks.ts";
import { findOtherSecrets } from "./secrets/other-secrets.ts";
import { resolveAuditKeys } from "./secrets/resolve-audit-keys.ts";
import { resolveSecrets, type Secrets } from "./secrets/resolve-secrets.ts";
import { SessionSecrets } from "./secrets/session-secrets.ts";
import { sweepAdminSessions } from "./sessions/admin-sessions.ts";
import { watchAccess } from "./sessions/known-access.ts";
import { openSecretBook } from "./sessions/open-secret-book.ts";
import { OpenStreams } from "./sessions/open-streams.ts";
import { sweepSessions } from "./sessions/sessions.ts";
import { createStorageUse } from "./statistics/storage-use.ts";
import { StorageCare } from "./storage-care/storage-care.ts";
import { timeLimits } from "./tasks/time-limits.ts";
import { startWebhookSender } from "./webhooks/sender.ts";
import { startHealthChecks } from "./worker-accounts/health-checks.ts";
import { openRegistry } from "./worker-accounts/open-registry.ts";
import { reencryptCredentials } from "./worker-accounts/reencrypt-credentials.ts";
import type { AccountRegistry } from "./worker-accounts/registry.ts";

export interface RunningServer {
  /** Where it answers, such as `http://127.0.0.1:8600`. */
  readonly url: string;
  readonly config: Config;
  readonly secrets: Secrets;
  /** The system's own context. */
  readonly context: Context;
  readonly app: FastifyInstance;
  /** Reads again what may change while the server runs: the file of content rules. */
  reload(): void;
  /** Graceful: takes nothing new, ends streams, hands running tasks back. Calling it again waits for the same end. */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly log?: Log;
  readonly clock?: Clock;
  /** Folder of the built page. */
  readonly webFolder?: string;
  /** Told of every secret that this start makes, as the path of its file, as soon as it is there. */
  readonly onSecretMade?: (file: string) => void;
  /** For fault tests: stands between the media store and the disk. */
  readonly mediaFiles?: MediaFileSystem;
  /** For tests that ask more often than a person does; no setting leads here. */
  readonly limits?: OtherLimits;
  /** For fault tests: told of each step of a change of a secret as soon as it is on disk. */
  readonly onSecretStep?: (step: string) => Promise<void> | void;
  /** For tests that bring their own engine host. */
  readonly engineHost?: EngineHost;
}

const engineAbilities: EngineAbilities = {
  name: ENGINE_NAME,
  canEncode: (format) => canEncode(format as Parameters<typeof canEncode>[0]),
  stripRecipe,
  knownWords,
};

/** How long answers under way may take once the server stops, in milliseconds. */
const lastAnswers = timeLimits.stop;
const sweepInterval = 60 * 60 * 1000;
const countInterval = 60 * 60 * 1000;

/** Starts a server from its environment variables. Throws a StartupError whose lines a person can act on. */
export async function startServer(environment: Environment, options: StartOptions = {}): Promise<RunningServer> {
  const config = readConfig(environment);
  const log = options.log ?? createLog({ level: config.logLevel });
  await using opened = new AsyncDisposableStack();
  const directory = await takeDataDirectory(config.dataDirectory);
  opened.defer(() => directory.release());
  const secrets = await resolveSecrets(config);
  hideSecrets(log, config, secrets);
  const policy = new ContentPolicy(config, log);
  opened.defer(() => policy.close());
  // At once, as a start that fails later (a taken port) has made them all the same and the next one will not name them.
  for (const file of secrets.created) options.onSecretMade?.(file);

  const clock = options.clock === undefined ? {} : { clock: options.clock };
  const database = await openDatabase({ file: join(directory.path, "safelight.sqlite"), log, ...clock });
  opened.defer(() => database.close());
  const disk = await DiskMediaStore.open(join(directory.path, "media"), options.mediaFiles).catch(explainMediaFailure);
  const media = new MeteredMediaStore(disk);
  const tokens = new SessionSecrets(secrets.found["session-secret"].values[0] ?? "");
  const keyring = new ChangingKeyring([secrets.encryptionKey]);
  const context = createContext({ database, log, config, media, tokens, ...clock });
  const { audit, auditKeys } = await openAudit(opened, context);
  const { onSecretStep: onStep } = options;
  const found = [...Object.values(secrets.found), ...(await findOtherSecrets(config, auditKeys))];
  const book = await openSecretBook(
    { context, found, tokens, keyring, ...(onStep === undefined ? {} : { onStep }) },
    () => reencryptCredentials(context, keyring, () => onStep?.("portion")),
  );
  opened.defer(book.apiKeys.keep());
  const localKey = context.ids.token();
  log.hide(localKey);

  const limits = await Limits.open(context, options.limits);
  opened.defer(limits.keep());
  const { registry: accounts, ...health } = openAccounts(context, keyring);
  opened.defer(() => health.stop());
  const deployer = await Deployer.open(context, accounts);
  opened.defer(() => deployer.stop());
  deployer.wake();
  const workFolder = join(directory.path, "work");
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  const embedded = await EmbeddedExecutor.open({
    workFolder,
    offer: (model) => embeddedOffer(config.embeddedEngine, model, accounts.standings.of(model)),
    ...(options.engineHost === undefined ? {} : { host: options.engineHost }),
  });
  opened.defer(() => embedded.close());
  const executors = new AccountExecutors({ context, registry: accounts, embedded, limits: timeLimits });
  opened.defer(() => executors.close());
  health.onChange(() => executors.refresh());
  const dispatcher = await startDispatcher({ context, executors });
  opened.defer(() => dispatcher.stop());
  opened.defer(startSweeping(context));
  opened.defer(startCounting(media, log));
  const databaseFile = join(directory.path, "safelight.sqlite");
  const storage = createStorageUse(media, { dataDirectory: directory.path, databaseFile });
  const storageCare = new StorageCare(context, media);
  opened.defer(storageCare.start());
  const version = await readVersion();
  const metrics = createMetrics({ context, accounts, storage, version, ofProcess: true });
  opened.defer(() => metrics.close());

  const { workerNetworks } = config;
  const workspaceTasks = new WorkspaceTasks({ keyring: accounts.keyring, workerNetworks, log });
  opened.defer(() => workspaceTasks.close());
  const stopping = new AbortController();
  // Together with the last answers, not after them: whoever stops a server soon kills it.
  stopping.signal.addEventListener("abort", () => {
    for (const part of [dispatcher, deployer]) part.stop().catch(() => undefined);
  });
  const streams = new OpenStreams((credential) => isStillValid({ context, secrets: book }, credential), log);
  book.changed = () => void streams.check();
  const isAccessKnown = watchAccess(context);
  streams.onlyWhile = isAccessKnown;
  const app = await buildApp({
    version,
    config,
    context,
    offers: createOffers(executors),
    policy,
    engine: engineAbilities,
    limits,
    streams,
    secrets: book,
    localKey,
    metrics,
    storage,
    storageCare,
    audit,
    accounts,
    deployer,
    workspaceTasks,
    isAccessKnown,
    isReady: () => !stopping.signal.aborted && isAccessKnown() && answersReads(context),
    stopping: stopping.signal,
    webFolder: options.webFolder ?? join(repositoryRoot, "web", "dist"),
  });
  opened.defer(() => closeApp(app, stopping, log));
  const url = await listen(app, config);
  await directory.announce({ url, pid: process.pid, local_key: localKey });
  // The operator is told by whoever started us, once; at the usual level the log does not repeat it.
  log.info("listening", { url, catalog: catalog.catalog_version, embedded_engine: config.embeddedEngine });

  const parts = opened.move();
  let closing: Promise<void> | undefined;
  return {
    url,
    config,
    secrets,
    context,
    app,
    reload: () => policy.reload(),
    close: () => (closing ??= parts.disposeAsync()),
  };
}

/** For a process that is a server and nothing else: a bug that nobody caught ends it at once. What was acknowledged is on disk. */
export function endOnUncaughtErrors(log: Log): void {
  process.on("uncaughtException", (error) => {
    log.error("an error nobody caught ends the server", { error });
    process.exit(1);
  });
}

/** The audit log, before anything is written into it; it is signed once more when everything else has ended. */
async function openAudit(opened: AsyncDisposableStack, context: Context) {
  const auditKeys = await resolveAuditKeys(context.config, context.log);
  const audit = new AuditBook(context, auditKeys);
  await audit.start();
  opened.defer(audit.keep());
  return { audit, auditKeys };
}

interface Accounts {
  readonly registry: AccountRegistry;
  /** Calls the listener after every change of an account, and when one that was left in peace may be tried again. */
  onChange(listener: () => void): void;
  stop(): Promise<void>;
}

/** Worker accounts and the checks that are made of them from now on. */
function openAccounts(context: Context, keyring: Keyring): Accounts {
  const listeners: (() => void)[] = [];
  const webhooks = startWebhookSender(context);
  const registry = openRegistry(context, keyring, {
    webhookQueued: () => webhooks.wake(),
    wakeChecks: () => checks.wake(),
    changed: () => {
      checks.wake();
      for (const listener of listeners) listener();
    },
  });
  const checks = startHealthChecks(context, registry);
  return {
    registry,
    onChange: (listener) => void listeners.push(listener),
    stop: async () => {
      registry.circuits.close();
      await checks.stop();
      await webhooks.stop();
    },
  };
}

/** No value of a secret may stand in a log line, whatever error carries it there. */
function hideSecrets(log: Log, config: Config, secrets: Secrets): void {
  log.hide(secrets.apiKey);
  log.hide(secrets.adminKey);
  log.hide(secrets.encryptionKey.toString("base64"));
  if (config.accessPassword !== null) log.hide(config.accessPassword);
  if (config.metricsToken !== null) log.hide(config.metricsToken);
  if (typeof config.moderation?.secret === "string") log.hide(config.moderation.secret);
  if (config.webhook !== null) {
    log.hide(config.webhook.secret);
    log.hide(config.webhook.url);
  }
}

async function listen(app: FastifyInstance, config: Config): Promise<string> {
  try {
    await app.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw explainListenFailure(error as NodeJS.ErrnoException, config);
  }
  const address = app.server.address();
  const port = typeof address === "object" && address !== null ? address.port : config.port;
  // Everywhere includes here: the note is for programs on this machine.
  const host = config.host === "0.0.0.0" ? "127.0.0.1" : config.host === "::" ? "::1" : config.host;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}

function explainListenFailure(error: NodeJS.ErrnoException, { host, port }: Config): unknown {
  switch (error.code ?? "") {
    case "EADDRINUSE":
      return new StartupError(
        `PORT: ${port} on ${host} is taken by another program. Stop it, or set another PORT.`,
        error,
      );
    case "EACCES":
      return new StartupError(`PORT: ${port} may not be used by this user. Set a PORT above 1023.`, error);
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return new StartupError(`HOST: ${host} is not an address of this machine.`, error);
    default:
      return error;
  }
}

function explainMediaFailure(error: unknown): never {
  const { cause } = error as { cause?: NodeJS.ErrnoException };
  throw new StartupError(`DATA_DIR: the media folder cannot be written (${cause?.code ?? "unknown reason"}).`, error);
}

function answersReads(context: Context): boolean {
  try {
    return context.database.prepareRead("SELECT 1 AS one").get() !== undefined;
  } catch {
    return false;
  }
}

/** Streams and long polls end by the signal; what still answers after a while is cut off. */
async function closeApp(app: FastifyInstance, stopping: AbortController, log: Log): Promise<void> {
  if (app.server.listening) log.info("stopping");
  stopping.abort();
  const cut = setTimeout(() => app.server.closeAllConnections(), lastAnswers);
  try {
    await app.close();
  } finally {
    clearTimeout(cut);
  }
}

/** Removes unused uploads and old sessions, soon after the start and then every hour. */
function startSweeping(context: Context): () => void {
  const sweep = async (): Promise<void> => {
    try {
      const uploads = await sweepUploads(context);
      const sessions = (await sweepSessions(context)) + (await sweepAdminSessions(context));
      if (uploads.uploads + uploads.files + sessions > 0) context.log.info("swept", { ...uploads, sessions });
    } catch (error) {
      context.log.warn("sweeping failed; it is tried again in an hour", { error });
    }
  };
  const first = setTimeout(() => void sweep(), 60_000).unref();
  const timer = setInterval(() => void sweep(), sweepInterval).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}

/** Finds out how much is stored, at once and then every hour; in between every change is added up. */
function startCounting(media: MeteredMediaStore, log: Log): () => void {
  const stopping = new AbortController();
  const count = () =>
    void media.count(stopping.signal).catch((error: unknown) => log.warn("media could not be counted", { error }));
  count();
  const timer = setInterval(count, countInterval).unref();
  return () => {
    clearInterval(timer);
    stopping.abort();
  };
}

async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
