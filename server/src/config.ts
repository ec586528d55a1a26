/**
 * The environment, parsed once into a frozen value. Every bad setting gives one line that names the variable and says what it takes;
 * no line repeats a secret.
 */
import { resolve } from "node:path";
import { StartupError } from "./errors.ts";
import type { LogLevel } from "./log.ts";
import { type MediaBucket, readMediaBucket } from "./media-setting.ts";
import { isLoopbackHost, parseCard, parseHostEntry, parseNetwork, parseOrigin } from "./setting-forms.ts";
import { type Environment, type ModerationSetting, repositoryRoot, SettingsReader } from "./settings-reader.ts";
import { findUnsafe } from "./unsafe-settings.ts";

export type EnvironmentName = "dev" | "stage" | "prod";
export type EmbeddedEngineMode = "auto" | "always" | "off";

export interface Config {
  readonly environment: EnvironmentName;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Absolute path. */
  readonly dataDirectory: string;
  /** Address of the PostgreSQL database, with its password; null where a file of `dataDirectory` is the database. */
  readonly databaseUrl: string | null;
  /** Connections for reading; only PostgreSQL has them. */
  readonly databasePoolSize: number;
  readonly apiKey: string | null;
  readonly adminKey: string | null;
  readonly encryptionKey: string | null;
  /** Binds sessions; null where the installation makes its own. Former values follow after commas. */
  readonly sessionSecret: string | null;
  /** Signs the audit log; null where the installation makes its own. */
  readonly auditKey: string | null;
  /** How long rows of the audit log are kept, in days. */
  readonly auditRetentionDays: number;
  readonly accessPassword: string | null;
  /** Where the operator is told of failing workers, and the secret that signs it; null where nothing is set. */
  readonly webhook: { readonly url: string; readonly secret: string } | null;
  /** File of the operator's rules for prompts, as an absolute path; null where only the built-in ones hold. */
  readonly contentPolicyFile: string | null;
  /** A service that judges prompts too; null without. */
  readonly moderation: ModerationSetting | null;
  /** Opens GET /admin/metrics for whoever collects metrics. */
  readonly metricsToken: string | null;
  readonly keysOnly: boolean;
  /** Exact origins such as `https://studio.example.org`, beside the page's own. */
  readonly frontendOrigins: readonly string[];
  readonly cookieSameSite: "lax" | "none";
  /** Lower-case names, with a port only where one was given. */
  readonly allowedHosts: readonly string[];
  /** IP addresses and CIDR ranges whose X-Forwarded headers are believed. */
  readonly trustedProxies: readonly string[];
  /** IP addresses and CIDR ranges in which workers may have private addresses. */
  readonly workerNetworks: readonly string[];
  /** Without a trailing slash; null when URLs in answers are to be paths. */
  readonly publicBaseUrl: string | null;
  readonly embeddedEngine: EmbeddedEngineMode;
  /** Tasks that may wait at one time. */
  readonly queueLimit: number;
  /** The bucket that media lies in; null where it lies on the disk. */
  readonly mediaBucket: MediaBucket | null;
  /** Whether results are passed on, or browsers are sent to the bucket for them. */
  readonly mediaDelivery: "gateway" | "signed";
  /** Bytes of the disk that are kept free of media; 0 does without looking. */
  readonly mediaReserve: number;
  /** Bytes that media may take in all; null without a limit. */
  readonly mediaQuota: number | null;
  /** What happens over the quota: nothing more is accepted, or the oldest results go. */
  readonly mediaOverQuota: "refuse" | "remove";
  /** Days after which what has ended goes, favourites apart; null keeps everything. */
  readonly mediaRetentionDays: number | null;
  readonly logLevel: LogLevel;
  /** Minutes that a deploy of the worker may take. */
  readonly deployMinutes: number;
  /** The Python that has the modal package: a path or a command; null where it is looked for. */
  readonly modalPython: string | null;
  /** The cards that deployed workers ask Modal for, in the order of preference; null for the app's own choice. */
  readonly modalGpu: string | null;
  /** Another server than Modal's own, which only tests have. */
  readonly modalServerUrl: string | null;
  /** Where commands are looked for. */
  readonly commandPath: string;
  /** Absolute paths of the files that secrets came from which decide who comes in. */
  readonly secretFiles: readonly string[];
  /** Secrets whose value came from a file, by the name of their setting. */
  readonly fromFiles: readonly string[];
  /** The environment whose data this start may take over; null unless it was said. */
  readonly adoptEnvironment: EnvironmentName | null;
}

export { isLoopbackHost, parseEncryptionKey, parseEncryptionKeys } from "./setting-forms.ts";

export { type Environment, repositoryRoot } from "./settings-reader.ts";

/** Parses the settings. Throws a StartupError with one line for each bad one. */
export function readConfig(environment: Environment): Config {
  const reader = new SettingsReader(environment);
  const name = reader.choice("SAFELIGHT_ENV", ["dev", "stage", "prod"], "dev");
  const config: Config = {
    environment: name,
    host: reader.host("HOST", "127.0.0.1"),
    port: reader.integer("PORT", 8600, 0, 65_535),
    dataDirectory: resolve(repositoryRoot, reader.text("DATA_DIR") ?? "./data"),
    databaseUrl: reader.secret("DATABASE_URL"),
    databasePoolSize: reader.integer("DATABASE_POOL_SIZE", 8, 1, 1000),
    apiKey: reader.secret("API_KEY"),
    adminKey: reader.secret("ADMIN_KEY"),
    encryptionKey: reader.secret("ENCRYPTION_KEY"),
    sessionSecret: reader.secret("SESSION_SECRET"),
    auditKey: reader.secret("AUDIT_KEY"),
    auditRetentionDays: reader.integer("AUDIT_RETENTION_DAYS", 90, 90, 36_500),
    accessPassword: reader.secret("ACCESS_PASSWORD"),
    metricsToken: reader.secret("METRICS_TOKEN"),
    webhook: reader.webhook("WEBHOOK_URL", "WEBHOOK_SECRET"),
    contentPolicyFile: reader.path("CONTENT_POLICY_FILE"),
    moderation: reader.moderation(),
    keysOnly: reader.flag("KEYS_ONLY"),
    frontendOrigins: reader.list("FRONTEND_ORIGINS", parseOrigin),
    cookieSameSite: reader.choice("COOKIE_SAMESITE", ["lax", "none"], "lax"),
    allowedHosts: reader.list("ALLOWED_HOSTS", parseHostEntry),
    trustedProxies: reader.list("TRUSTED_PROXIES", parseNetwork),
    workerNetworks: reader.list("WORKER_NETWORKS", parseNetwork),
    publicBaseUrl: reader.baseUrl("PUBLIC_BASE_URL"),
    embeddedEngine: reader.choice("EMBEDDED_ENGINE", ["auto", "always", "off"], name === "prod" ? "off" : "auto"),
    queueLimit: reader.integer("QUEUE_LIMIT", 1000, 1, 1_000_000),
    mediaBucket: readMediaBucket(reader),
    mediaDelivery: reader.choice("MEDIA_DELIVERY", ["gateway", "signed"], "gateway"),
    mediaReserve: reader.bytes("MEDIA_RESERVE") ?? 500_000_000,
    mediaQuota: reader.bytes("MEDIA_QUOTA", 1_000_000),
    mediaOverQuota: reader.choice("MEDIA_OVER_QUOTA", ["refuse", "remove"], "refuse"),
    mediaRetentionDays: reader.integer("MEDIA_RETENTION_DAYS", 0, 0, 36_500) || null,
    logLevel: reader.choice("LOG_LEVEL", ["trace", "debug", "info", "warn", "error", "fatal", "silent"], "info"),
    deployMinutes: reader.integer("DEPLOY_TIMEOUT", 30, 1, 240),
    modalPython: reader.command("MODAL_PYTHON"),
    modalGpu: reader.list("MODAL_GPU", parseCard).join(",") || null,
    modalServerUrl: reader.baseUrl("MODAL_SERVER_URL"),
    commandPath: reader.text("PATH") ?? "/usr/local/bin:/usr/bin:/bin",
    adoptEnvironment: reader.optionalChoice("ADOPT_ENVIRONMENT", ["dev", "stage", "prod"]),
    fromFiles: reader.fromFiles,
    secretFiles: reader.secretFiles,
  };
  const unsafe = name === "prod" ? findUnsafe(config, reader.openFiles) : [];
  const problems = [...reader.problems, ...findContradictions(config, reader.refused), ...unsafe];
  if (problems.length > 0) throw new StartupError(problems);
  return Object.freeze(config);
}

function findContradictions(config: Config, refused: ReadonlySet<string>): string[] {
  const problems: string[] = [];
  if (!isLoopbackHost(config.host) && config.accessPassword === null && !config.keysOnly && !refused.has("HOST")) {
    problems.push(
      `HOST: ${config.host} can be reached by others, so ACCESS_PASSWORD or KEYS_ONLY=1 must be set (or leave HOST at 127.0.0.1).`,
    );
  }
  const reachedByHttps = config.publicBaseUrl?.startsWith("https:") === true || config.trustedProxies.length > 0;
  if (config.cookieSameSite === "none" && !reachedByHttps) {
    problems.push(
      "COOKIE_SAMESITE: none needs https: set PUBLIC_BASE_URL to an https address, or TRUSTED_PROXIES when a proxy ends TLS.",
    );
  }
  if (config.mediaDelivery === "signed" && config.mediaBucket === null && !refused.has("MEDIA_URL")) {
    problems.push("MEDIA_DELIVERY: signed needs a MEDIA_URL; a disk signs nothing.");
  }
  if (config.mediaOverQuota === "remove" && config.mediaQuota === null && !refused.has("MEDIA_QUOTA")) {
    problems.push("MEDIA_OVER_QUOTA: remove needs a MEDIA_QUOTA, such as 200GB.");
  }
  if (config.environment === "dev") return problems;
  const needed = { API_KEY: config.apiKey, ADMIN_KEY: config.adminKey, ENCRYPTION_KEY: config.encryptionKey };
  for (const [name, value] of Object.entries(needed)) {
    if (value === null && !refused.has(name)) {
      problems.push(
        `${name}: must be set when SAFELIGHT_ENV is ${config.environment} (or ${name}_FILE); only dev makes its own secrets.`,
      );
    }
  }
  return problems;
}
