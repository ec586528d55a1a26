/** Wires a server by hand: every part is made here, in the order in which it is needed, and closed in the reverse one. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { catalog } from "@safelight/catalog";
import { canEncode, ENGINE_NAME, type EngineHost, knownWords, stripRecipe } from "@safelight/engine";
import type { FastifyInstance } from "fastify";
import { buildApp } from "./app.ts";
import { AuditBook } from "./audit/audit-book.ts";
import type { AuditKeys } from "./audit/keys.ts";
import { type Config, type Environment, readConfig, repositoryRoot } from "./config.ts";
import type { Clock } from "./context/clock.ts";
import type { Context } from "./context/context.ts";
import { takeDataDirectory } from "./database/data-directory.ts";
import { Deployer } from "./deploy/deployer.ts";
import { startDispatcher } from "./dispatch/dispatcher.ts";
import { AccountExecutors } from "./executors/account-executors.ts";
import { EmbeddedExecutor } from "./executors/embedded.ts";
import { embeddedOffer } from "./executors/embedded-offer.ts";
import { createOffers } from "./executors/offers.ts";
import type { Follower } from "./gateways/follower.ts";
import { joinGateways } from "./gateways/presence.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { isStillValid } from "./http/credentials.ts";
import type { EngineAbilities } from "./http/installation.ts";
import { closeApp, listen } from "./http/listen.ts";
import { ChangingKeyring, type Keyring } from "./keys/keyring.ts";
import { Limits } from "./limits/limits.ts";
import type { OtherLimits } from "./limits/rules.ts";
import { createLog, type Log } from "./log.ts";
import { startCounting, startSweeping } from "./media/keep-media.ts";
import type { MediaFileSystem } from "./media/media-file-system.ts";
import type { MeteredMediaStore } from "./media/metered-media-store.ts";
import { createMetrics } from "./metrics/metrics.ts";
import { openStores } from "./open-stores.ts";
import { ContentPolicy } from "./policy/content-policy.ts";
import { WorkspaceTasks } from "./proxy/workspace-tasks.ts";
import { followSecrets } from "./secrets/follow-secrets.ts";
import type { OwnSecretName } from "./secrets/make-secret.ts";
import { findOtherSecrets } from "./secrets/other-secrets.ts";
import { resolveAuditKeys } from "./secrets/resolve-audit-keys.ts";
import { resolveSecrets, type Secrets } from "./secrets/resolve-secrets.ts";
import type { SecretBook } from "./secrets/secret-book.ts";
import { SessionSecrets } from "./secrets/session-secrets.ts";
import { watchAccess } from "./sessions/known-access.ts";
import { openSecretBook } from "./sessions/open-secret-book.ts";
import { OpenStreams } from "./sessions/open-streams.ts";
import { createStorageUse } from "./statistics/storage-use.ts";
import { StorageCare } from "./storage-care/storage-care.ts";
import { timeLimits } from "./tasks/time-limits.ts";
import { startWebhookSender } from "./webhooks/sender.ts";
import { followAccounts } from "./worker-accounts/follow-accounts.ts";
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

  const tokens = new SessionSecrets(secrets.found["session-secret"].values[0] ?? "");
  const { context, media } = await openStores(opened, {
    config,
    log,
    tokens,
    clock: options.clock,
    mediaFiles: options.mediaFiles,
  });
  const version = await readVersion();
  // Before anything is swept that another gateway may have stored.
  const presence = await joinGateways(context, version);
  opened.defer(() => presence.leave());
  const { audit, auditKeys } = await openAudit(context);
  const { book, followed } = await openSecrets(opened, { context, secrets, tokens, auditKeys }, options);
  // Not before it is known that the key is that of the installation; it is signed once more when everything else has ended.
  opened.defer(audit.keep());
  const localKey = context.ids.token();
  log.hide(localKey);

  const limits = await Limits.open(context, options.limits);
  opened.defer(limits.keep());
  const { registry: accounts, ...health } = await openAccounts(context, book.parts.keyring);
  opened.defer(() => health.stop());
  const deployer = await openDeployer(opened, context, accounts);
  const { executors, dispatcher } = await runTasks(opened, context, { registry: accounts, ...health }, options);
  opened.defer(startSweeping(context));
  opened.defer(startCounting(context, media));
  const figures = openFigures(opened, context, media, accounts, version);

  const workspaceTasks = openWorkspaceTasks(opened, context, accounts);
  const stopping = new AbortController();
  // Together with the last answers, not after them: whoever stops a server soon kills it.
  stopping.signal.addEventListener("abort", () => {
    for (const part of [dispatcher, deployer]) part.stop().catch(() => undefined);
  });
  const { streams, isAccessKnown } = watchCredentials(context, book, followed);
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
    ...figures,
    audit,
    accounts,
    deployer,
    workspaceTasks,
    isAccessKnown,
    isReady: async () => !stopping.signal.aborted && isAccessKnown() && (await answersReads(context)),
    stopping: stopping.signal,
    webFolder: options.webFolder ?? join(repositoryRoot, "web", "dist"),
  });
  opened.defer(() => closeApp(app, stopping, log));
  const url = await listen(app, config);
  await presence.announce(url);
  await directory.announce({ url, pid: process.pid, local_key: localKey });
  // The operator is told by whoever started us, once; at the usual level the log does not repeat it.
  log.info("listening", { url, catalog: catalog.catalog_version, embedded_engine: config.embeddedEngine });

  const parts = opened.move();
  let closing: Promise<void> | undefined;
  return {
    url,
    config,
    secrets: inForce(secrets, book),
    context,
    app,
    reload: () => policy.reload(),
    close: () => (closing ??= parts.disposeAsync()),
  };
}

async function openDeployer(opened: AsyncDisposableStack, context: Context, accounts: AccountRegistry) {
  const deployer = await Deployer.open(context, accounts);
  opened.defer(() => deployer.stop());
  deployer.wake();
  return deployer;
}

function openWorkspaceTasks(opened: AsyncDisposableStack, { config, log }: Context, { keyring }: AccountRegistry) {
  const workspaceTasks = new WorkspaceTasks({ keyring, workerNetworks: config.workerNetworks, log });
  opened.defer(() => workspaceTasks.close());
  return workspaceTasks;
}

/** Who is in already, and whether it can be told who may come in. */
function watchCredentials(context: Context, book: SecretBook, followed: Follower) {
  const streams = new OpenStreams((credential) => isStillValid({ context, secrets: book }, credential), context.log);
  book.changed = () => void streams.check();
  const isReadable = watchAccess(context);
  streams.onlyWhile = isReadable;
  // What other gateways have revoked may not be known for a moment: nobody is let in then, and who is in is looked at again afterwards.
  return { streams, isAccessKnown: () => isReadable() && followed.isUpToDate };
}

/** For a process that is a server and nothing else: a bug that nobody caught ends it at once. What was acknowledged is on disk. */
export function endOnUncaughtErrors(log: Log): void {
  process.on("uncaughtException", (error) => {
    log.error("an error nobody caught ends the server", { error });
    process.exit(1);
  });
}

/** A change of a secret that was cut off is ended here: what counts may be another value than the one that was found. */
function inForce(secrets: Secrets, book: SecretBook): Secrets {
  const value = (name: OwnSecretName) => book.currentValue(name) ?? "";
  return {
    ...secrets,
    apiKey: value("api-key"),
    adminKey: value("admin-key"),
    encryptionKey: Buffer.from(value("encryption-key"), "base64"),
  };
}

interface SecretParts {
  readonly context: Context;
  readonly secrets: Secrets;
  readonly tokens: SessionSecrets;
  readonly auditKeys: AuditKeys;
}

/** All secrets, and the keyring that changes with them. */
async function openSecrets(
  opened: AsyncDisposableStack,
  { context, secrets, tokens, auditKeys }: SecretParts,
  { onSecretStep: onStep }: StartOptions,
): Promise<{ book: SecretBook; followed: Follower }> {
  const keyring = new ChangingKeyring([secrets.encryptionKey]);
  const found = [
    ...Object.values(secrets.found),
    ...(await findOtherSecrets(context.config, auditKeys, context.database.shared)),
  ];
  const book = await openSecretBook(
    { context, found, tokens, keyring, ...(onStep === undefined ? {} : { onStep }) },
    () => reencryptCredentials(context, keyring, () => onStep?.("portion")),
  );
  opened.defer(book.apiKeys.keep());
  const followed = followSecrets(book);
  opened.defer(() => followed.stop());
  return { book, followed };
}

/** What is stored and what happens, in numbers; and the room for it. */
function openFigures(
  opened: AsyncDisposableStack,
  context: Context,
  media: MeteredMediaStore,
  accounts: AccountRegistry,
  version: string,
) {
  const storage = createStorageUse(media, context.database);
  const storageCare = new StorageCare(context, media);
  opened.defer(storageCare.start());
  const metrics = createMetrics({ context, accounts, storage, version, ofProcess: true });
  opened.defer(() => metrics.close());
  return { storage, storageCare, metrics };
}

/** What runs tasks: the embedded engine, the workers of accounts, and who gives out the work. */
async function runTasks(opened: AsyncDisposableStack, context: Context, accounts: Accounts, options: StartOptions) {
  const { registry } = accounts;
  const embedded = await openEmbedded(opened, context, registry, options);
  const executors = await AccountExecutors.open({ context, registry, embedded, limits: timeLimits });
  opened.defer(() => executors.close());
  accounts.onChange((rows) => executors.refresh(rows));
  // A check may have ended since they were read.
  await executors.refresh();
  const dispatcher = await startDispatcher({ context, executors });
  opened.defer(() => dispatcher.stop());
  return { executors, dispatcher };
}

async function openEmbedded(
  opened: AsyncDisposableStack,
  { config }: Context,
  accounts: AccountRegistry,
  { engineHost }: StartOptions,
): Promise<EmbeddedExecutor> {
  const workFolder = join(config.dataDirectory, "work");
  await mkdir(workFolder, { recursive: true, mode: 0o700 });
  const embedded = await EmbeddedExecutor.open({
    workFolder,
    offer: (model) => embeddedOffer(config.embeddedEngine, model, accounts.standings.of(model)),
    ...(engineHost === undefined ? {} : { host: engineHost }),
  });
  opened.defer(() => embedded.close());
  return embedded;
}

/** The audit log, before anything is written into it. */
async function openAudit(context: Context) {
  const auditKeys = await resolveAuditKeys(context.config, context.log);
  const audit = new AuditBook(context, auditKeys);
  await audit.start();
  return { audit, auditKeys };
}

interface Accounts {
  readonly registry: AccountRegistry;
  /** Calls the listener after every change of an account, and when one that was left in peace may be tried again. */
  onChange(listener: AccountRegistry["changed"]): void;
  stop(): Promise<void>;
}

/** Worker accounts and the checks that are made of them from now on. */
async function openAccounts(context: Context, keyring: Keyring): Promise<Accounts> {
  const listeners: AccountRegistry["changed"][] = [];
  const webhooks = startWebhookSender(context);
  const registry = await openRegistry(context, keyring, {
    webhookQueued: () => webhooks.wake(),
    wakeChecks: () => checks.wake(),
    changed: async (rows) => {
      checks.wake();
      for (const listener of listeners) await listener(rows);
    },
  });
  const checks = startHealthChecks(context, registry);
  const followed = followAccounts(context, registry);
  return {
    registry,
    onChange: (listener) => void listeners.push(listener),
    stop: async () => {
      registry.circuits.close();
      await followed.stop();
      await checks.stop();
      await webhooks.stop();
    },
  };
}

async function answersReads(context: Context): Promise<boolean> {
  try {
    return (await context.database.prepareRead("SELECT 1 AS one").get()) !== undefined;
  } catch {
    return false;
  }
}

async function readVersion(): Promise<string> {
  const manifest = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return manifest.version;
}
