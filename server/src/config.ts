/**
 * The environment, parsed once into a frozen value. Every bad setting gives one line that names the variable and says what it takes;
 * no line repeats a secret.
 */
import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseByteSize } from "./byte-size.ts";
import { StartupError } from "./errors.ts";
import type { LogLevel } from "./log.ts";
import { type MediaBucket, readMediaBucket } from "./media-setting.ts";
import {
  isHostName,
  isLoopbackHost,
  parseCard,
  parseEncryptionKeys,
  parseHostEntry,
  parseNetwork,
  parseOrigin,
  webhookSecretBytes,
} from "./setting-forms.ts";
import { findUnsafe } from "./unsafe-settings.ts";
import { findUnserved } from "./unserved-settings.ts";

export type EnvironmentName = "dev" | "stage" | "prod";
export type EmbeddedEngineMode = "auto" | "always" | "off";

export interface Config {
  readonly environment: EnvironmentName;
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Absolute path. */
  readonly dataDirectory: string;
  readonly apiKey: string | null;
  readonly adminKey: string | null;
  readonly encryptionKey: string | null;
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
  readonly moderation: {
    readonly url: string;
    /** Sent as bearer; null without. */
    readonly secret: string | null;
    readonly timeoutMs: number;
    /** What becomes of a prompt that it does not judge. */
    readonly onFailure: "refuse" | "accept";
  } | null;
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

export type Environment = Readonly<Record<string, string | undefined>>;

export { isLoopbackHost, parseEncryptionKey, parseEncryptionKeys } from "./setting-forms.ts";

/** The folder that holds package.json: relative paths in settings count from here, wherever the command was started. */
export const repositoryRoot = fileURLToPath(new URL("../../", import.meta.url));

/** Parses the settings. Throws a StartupError with one line for each bad one. */
export function readConfig(environment: Environment): Config {
  const reader = new SettingsReader(environment);
  const name = reader.choice("SAFELIGHT_ENV", ["dev", "stage", "prod"], "dev");
  const config: Config = {
    environment: name,
    host: reader.host("HOST", "127.0.0.1"),
    port: reader.integer("PORT", 8600, 0, 65_535),
    dataDirectory: resolve(repositoryRoot, reader.text("DATA_DIR") ?? "./data"),
    apiKey: reader.secret("API_KEY"),
    adminKey: reader.secret("ADMIN_KEY"),
    encryptionKey: reader.secret("ENCRYPTION_KEY"),
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
  const problems = [
    ...reader.problems,
    ...findUnserved((name) => reader.text(name)),
    ...findContradictions(config, reader.refused),
    ...unsafe,
  ];
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

/** Reads one variable after the other and gathers what is wrong with them, so that a person sees all problems at once. */
class SettingsReader {
  readonly problems: string[] = [];
  readonly refused = new Set<string>();
  readonly fromFiles: string[] = [];
  readonly secretFiles: string[] = [];
  /** Settings whose files every user of this machine can read. */
  readonly openFiles: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** An empty variable counts as absent: that is what an untouched line of .env.example gives. */
  text(name: string): string | undefined {
    const value = this.#environment[name]?.trim();
    return value === "" ? undefined : value;
  }

  choice<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    return found ?? this.refuse(name, `must be one of ${choices.join(", ")}.`, fallback);
  }

  optionalChoice<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | null {
    return this.text(name) === undefined ? null : this.choice<Choice | "">(name, choices, "") || null;
  }

  integer(name: string, fallback: number, minimum: number, maximum: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    return this.refuse(name, `must be a whole number from ${minimum} to ${maximum}.`, fallback);
  }

  /** An amount of storage such as `20GB`, in bytes. */
  bytes(name: string, minimum = 0): number | null {
    const value = this.text(name);
    if (value === undefined) return null;
    const bytes = parseByteSize(value);
    if (bytes !== null && bytes >= minimum) return bytes;
    const least = minimum === 0 ? "" : ` of at least ${minimum}`;
    return this.refuse(name, `must be a number of bytes${least}, or one with a unit such as 20GB.`, null);
  }

  /** Absolute. */
  path(name: string): string | null {
    const value = this.text(name);
    return value === undefined ? null : resolve(repositoryRoot, value);
  }

  /** A command of the path as it is, a path made absolute. */
  command(name: string): string | null {
    const value = this.text(name);
    if (value === undefined) return null;
    return value.includes("/") ? resolve(repositoryRoot, value) : value;
  }

  flag(name: string): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return false;
    if (["1", "true", "yes", "on"].includes(value)) return true;
    if (["0", "false", "no", "off"].includes(value)) return false;
    return this.refuse(name, "must be 1 or 0.", false);
  }

  host(name: string, fallback: string): string {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const plain = value.replace(/^\[(.*)\]$/, "$1");
    if (isIP(plain) > 0 || isHostName(plain)) return plain;
    return this.refuse(name, "must be an IP address or a host name, without scheme or port.", fallback);
  }

  list(name: string, parse: (entry: string) => string | { problem: string }): readonly string[] {
    const entries = (this.text(name) ?? "").split(",").flatMap((entry) => entry.trim() || []);
    const parsed = entries.map(parse);
    const bad = parsed.find((entry) => typeof entry !== "string");
    if (bad !== undefined && typeof bad !== "string") return this.refuse(name, bad.problem, []);
    return Object.freeze(parsed.filter((entry) => typeof entry === "string"));
  }

  baseUrl(name: string): string | null {
    const value = this.text(name);
    if (value === undefined) return null;
    const url = URL.parse(value);
    const fits =
      url !== null &&
      (url.protocol === "http:" || url.protocol === "https:") &&
      url.username === "" &&
      url.password === "" &&
      url.search === "" &&
      url.hash === "" &&
      url.pathname === "/";
    if (fits) return url.origin;
    return this.refuse(
      name,
      "must be an http or https address without path, query or user, such as https://host.example.",
      null,
    );
  }

  moderation(): Config["moderation"] {
    const url = this.#address("MODERATION_URL");
    const secret = this.secret("MODERATION_SECRET");
    const timeoutMs = this.integer("MODERATION_TIMEOUT", 5, 1, 30) * 1000;
    const onFailure = this.choice("MODERATION_ON_FAILURE", ["refuse", "accept"], "refuse");
    if (url !== null) return { url, secret, timeoutMs, onFailure };
    if (secret === null || this.refused.has("MODERATION_URL")) return null;
    return this.refuse("MODERATION_URL", "must be set where MODERATION_SECRET is.", null);
  }

  /** An address of its own for messages, and what signs them: one without the other is of no use. */
  webhook(urlName: string, secretName: string): { readonly url: string; readonly secret: string } | null {
    const text = this.text(urlName);
    const secret = this.secret(secretName);
    if (text === undefined) {
      return secret === null ? null : this.refuse(urlName, `must be set where ${secretName} is.`, null);
    }
    const url = this.#address(urlName);
    if (url === null) return null;
    // No text of the secret in the line: it says only what is needed.
    if (secret !== null) return { url, secret };
    return this.refused.has(secretName)
      ? null
      : this.refuse(
          secretName,
          `must be set where ${urlName} is (or ${secretName}_FILE): it signs what is sent.`,
          null,
        );
  }

  /** Where something is sent to that nobody else may read. */
  #address(name: string): string | null {
    const text = this.text(name);
    if (text === undefined) return null;
    const url = URL.parse(text);
    const isPlain = url?.protocol === "http:" && !isLoopbackHost(url.hostname);
    if (url !== null && /^https?:$/.test(url.protocol) && !isPlain && url.username === "" && url.password === "")
      return url.href;
    return this.refuse(name, "must be an https address, or http on loopback, without a user.", null);
  }

  /** The value of NAME, or the content of the file that NAME_FILE names. */
  secret(name: string): string | null {
    const value = this.text(name);
    const file = this.text(`${name}_FILE`);
    if (value !== undefined && file !== undefined) {
      return this.refuse(name, `is set twice: keep either ${name} or ${name}_FILE.`, null);
    }
    if (file === undefined) return value === undefined ? null : this.#checkSecret(name, name, value);
    this.fromFiles.push(name);
    const opensUs = (name.endsWith("_KEY") && !name.startsWith("AWS_")) || name === "ACCESS_PASSWORD";
    if (opensUs || name === "METRICS_TOKEN") this.secretFiles.push(resolve(repositoryRoot, file));
    try {
      const content = readFileSync(resolve(repositoryRoot, file), "utf8").trim();
      if ((statSync(resolve(repositoryRoot, file)).mode & 0o004) !== 0) this.openFiles.push(`${name}_FILE`);
      return content === ""
        ? this.refuse(name, "names an empty file.", null, `${name}_FILE`)
        : this.#checkSecret(name, `${name}_FILE`, content);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
      return this.refuse(name, `cannot be read (${reason}).`, null, `${name}_FILE`);
    }
  }

  #checkSecret(name: string, variable: string, value: string): string | null {
    if (name === "ENCRYPTION_KEY" && parseEncryptionKeys(value) === null) {
      return this.refuse(name, "must be 32 random bytes in base64 or hex (openssl rand -base64 32).", null, variable);
    }
    if (name === "METRICS_TOKEN" && value.length < 16) {
      return this.refuse(
        name,
        "must be at least 16 characters: it opens the metrics to whoever guesses it.",
        null,
        variable,
      );
    }
    // As Standard Webhooks asks for; a short one could be guessed from a single message.
    if (name === "WEBHOOK_SECRET" && webhookSecretBytes(value) < 24) {
      return this.refuse(name, "must be at least 24 bytes, or whsec_ and as many in base64.", null, variable);
    }
    if (name === "MODERATION_SECRET" && !/^[\x21-\x7e]{8,}$/.test(value)) {
      return this.refuse(name, "must be 8 or more printable ASCII characters without spaces.", null, variable);
    }
    // A key travels in a header: anything beyond printable ASCII could never be sent back by a client.
    if ((name.endsWith("_KEY") || name === "METRICS_TOKEN") && !/^[\x21-\x7e]+$/.test(value)) {
      return this.refuse(name, "must consist of printable ASCII characters without spaces.", null, variable);
    }
    return value;
  }

  refuse<Value>(name: string, problem: string, value: Value, variable = name): Value {
    this.problems.push(`${variable}: ${problem}`);
    this.refused.add(name);
    return value;
  }
}
