/**
 * Where the secrets of an installation come from: the environment (or a file it names), else, in dev, files in the data
 * directory that are made on the first run. A value is never printed; people are told the file.
 */
import type { Config } from "../config.ts";
import { StartupError } from "../errors.ts";
import { parseEncryptionKeys } from "../setting-forms.ts";
import { environmentOfKey, makeSecret, type OwnSecretName, ownSecretNames } from "./make-secret.ts";
import { missing, readSecret, secretFile, waitingFiles, writeSecretOnce, writtenAt } from "./secret-files.ts";

export { readSecret, secretFile, writeSecretOnce } from "./secret-files.ts";

export type SecretSource = "environment" | "file" | "generated";

/** A secret as this start found it. */
export interface FoundSecret {
  readonly name: string;
  readonly source: SecretSource;
  /** The setting that gives it, or could. */
  readonly variable: string;
  /** Our own file; null where it comes from the settings. */
  readonly file: string | null;
  /** The first is the one in force; others, after commas, still read. Never empty. */
  readonly values: readonly string[];
  /** New values that do not stand where they belong yet. */
  readonly waiting: readonly { readonly file: string; readonly value: string }[];
  /** When our own file was written, in milliseconds; null where that is not known. */
  readonly writtenAt: number | null;
  readonly isNew: boolean;
}

export interface Secrets {
  readonly apiKey: string;
  readonly adminKey: string;
  /** 32 bytes. */
  readonly encryptionKey: Buffer;
  /** Files that this start made; worth one line each to the operator. */
  readonly created: readonly string[];
  readonly found: Readonly<Record<OwnSecretName, FoundSecret>>;
}

type SecretConfig = Pick<
  Config,
  | "environment"
  | "dataDirectory"
  | "apiKey"
  | "adminKey"
  | "encryptionKey"
  | "sessionSecret"
  | "fromFiles"
  | "databaseUrl"
>;

/** Throws a StartupError that names what is missing or unreadable. */
export async function resolveSecrets(config: SecretConfig): Promise<Secrets> {
  const given: Readonly<Record<OwnSecretName, string | null>> = {
    "api-key": config.apiKey,
    "admin-key": config.adminKey,
    // Nobody else has to know it, so that it is made in stage and prod too, unless there may be several gateways.
    "session-secret": config.sessionSecret,
    "encryption-key": config.encryptionKey,
  };
  const found: Partial<Record<OwnSecretName, FoundSecret>> = {};
  for (const name of ownSecretNames) found[name] = await find(config, name, given[name]);
  const all = found as Record<OwnSecretName, FoundSecret>;
  for (const name of ["api-key", "admin-key"] as const) refuseForeign(config, all[name]);
  const encryptionKey = Buffer.from(all["encryption-key"].values[0] ?? "", "base64");
  const told = ownSecretNames.filter((name) => name !== "session-secret" && all[name].isNew);
  return {
    apiKey: all["api-key"].values[0] ?? "",
    adminKey: all["admin-key"].values[0] ?? "",
    encryptionKey,
    created: told.map((name) => secretFile(config.dataDirectory, name)),
    found: all,
  };
}

async function find(config: SecretConfig, name: OwnSecretName, given: string | null): Promise<FoundSecret> {
  const variable = name.toUpperCase().replace("-", "_");
  const waiting = await readWaiting(config.dataDirectory, name);
  if (given !== null) {
    const source = config.fromFiles.includes(variable) ? "file" : "environment";
    const values = split(name, given, variable);
    return { name, source, variable, file: null, values, waiting, writtenAt: null, isNew: false };
  }
  if (config.environment !== "dev" && name !== "session-secret") {
    throw new StartupError(`${variable}: must be set when SAFELIGHT_ENV is ${config.environment}.`);
  }
  refuseOwnValue(config, variable);
  const file = secretFile(config.dataDirectory, name);
  const kept = await readSecret(file);
  if (kept === null) await writeSecretOnce(file, makeSecret(name, config.environment));
  // Read back rather than trusted: had another process been faster, its value is the one that counts.
  const text = kept ?? (await readSecret(file)) ?? missing(file);
  return {
    name,
    source: "generated",
    variable,
    file,
    values: split(name, text, file),
    waiting,
    writtenAt: await writtenAt(file),
    isNew: kept === null,
  };
}

/**
 * Gateways on one database need the same value, and a file in the data directory of one is not there for the others. In dev it is made all
 * the same, for the first; another one with a value of its own does not start.
 */
export function refuseOwnValue(
  { environment, databaseUrl }: Pick<Config, "environment" | "databaseUrl">,
  variable: string,
): void {
  if (databaseUrl === null || environment === "dev") return;
  throw new StartupError(
    `${variable}: must be set where DATABASE_URL is (or ${variable}_FILE): every gateway on the database needs the same value.`,
  );
}

/** Former values may follow only where something was made with them that is read later. */
function split(name: OwnSecretName, text: string, where: string): readonly string[] {
  if (name === "session-secret") return text.split(",").map((part) => part.trim());
  if (name !== "encryption-key") return [text];
  const keys = parseEncryptionKeys(text);
  if (keys === null) throw new StartupError(`${where} does not hold 32 bytes in base64 or hex.`);
  return keys.map((key) => key.toString("base64"));
}

async function readWaiting(dataDirectory: string, name: OwnSecretName): Promise<FoundSecret["waiting"]> {
  const waiting: { file: string; value: string }[] = [];
  for (const file of await waitingFiles(dataDirectory, name)) {
    const value = await readSecret(file);
    if (value !== null) waiting.push({ file, value });
  }
  return waiting;
}

/** A key that says where it belongs is not taken elsewhere: what was handed out for one environment opens no other. */
function refuseForeign({ environment }: SecretConfig, { variable, file, values: [value = ""] }: FoundSecret): void {
  const belongs = environmentOfKey(value);
  if (belongs === null || belongs === environment) return;
  throw new StartupError(
    `${file ?? variable}: is a key of ${belongs}, and SAFELIGHT_ENV is ${environment}; every environment has keys of its own.`,
  );
}

/** A key that this installation made for itself, or null; for the command line on the same machine. */
export function readOwnSecret(dataDirectory: string, name: "api-key" | "admin-key"): Promise<string | null> {
  return readSecret(secretFile(dataDirectory, name));
}
