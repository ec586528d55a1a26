/**
 * Where the three secrets of an installation come from: the environment (or a file it names), else, in dev, files in the data
 * directory that are made on the first run. A value is never printed; people are told the file.
 */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Config, parseEncryptionKey } from "../config.ts";
import { StartupError } from "../errors.ts";

export type SecretName = "api-key" | "admin-key" | "encryption-key" | "audit-key";

export interface Secrets {
  readonly apiKey: string;
  readonly adminKey: string;
  /** 32 bytes. */
  readonly encryptionKey: Buffer;
  /** Files that this start made; worth one line each to the operator. */
  readonly created: readonly string[];
}

/** The file that holds a secret which this installation made for itself. */
export function secretFile(dataDirectory: string, name: SecretName): string {
  return join(dataDirectory, "secrets", name);
}

/** Throws a StartupError that names what is missing or unreadable. */
export async function resolveSecrets(
  config: Pick<Config, "environment" | "dataDirectory" | "apiKey" | "adminKey" | "encryptionKey">,
): Promise<Secrets> {
  const created: string[] = [];
  const resolve = async (name: SecretName, given: string | null, make: () => string): Promise<string> => {
    if (given !== null) return given;
    const variable = name.toUpperCase().replace("-", "_");
    if (config.environment !== "dev") {
      throw new StartupError(`${variable}: must be set when SAFELIGHT_ENV is ${config.environment}.`);
    }
    const file = secretFile(config.dataDirectory, name);
    const kept = await readSecret(file);
    if (kept !== null) return kept;
    await writeSecretOnce(file, make());
    created.push(file);
    // Read back rather than trusted: had another process been faster, its value is the one that counts.
    return (await readSecret(file)) ?? missing(file);
  };
  const apiKey = await resolve("api-key", config.apiKey, () => `sl_${randomBytes(32).toString("base64url")}`);
  const adminKey = await resolve(
    "admin-key",
    config.adminKey,
    () => `sladmin_${randomBytes(32).toString("base64url")}`,
  );
  const encoded = await resolve("encryption-key", config.encryptionKey, () => randomBytes(32).toString("base64"));
  const encryptionKey = parseEncryptionKey(encoded);
  if (encryptionKey === null) {
    throw new StartupError(
      `${secretFile(config.dataDirectory, "encryption-key")} does not hold 32 bytes in base64 or hex.`,
    );
  }
  return { apiKey, adminKey, encryptionKey, created };
}

/** A key that this installation made for itself, or null; for the command line on the same machine. */
export function readOwnSecret(dataDirectory: string, name: "api-key" | "admin-key"): Promise<string | null> {
  return readSecret(secretFile(dataDirectory, name));
}

export async function readSecret(file: string): Promise<string | null> {
  try {
    const value = (await readFile(file, "utf8")).trim();
    return value === "" ? missing(file) : value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    if (error instanceof StartupError) throw error;
    throw new StartupError(
      `${file} cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"}).`,
      error,
    );
  }
}

function missing(file: string): never {
  throw new StartupError(`${file} is empty: put the secret back, or remove the file to have a new one made.`);
}

/**
 * Readable by its owner only from the first byte on, flushed before it gets its name, and never replacing a value that is there:
 * a lost encryption key would be lost for good.
 */
export async function writeSecretOnce(file: string, value: string): Promise<void> {
  const folder = dirname(file);
  const partial = `${file}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    const handle = await open(partial, "wx", 0o600);
    try {
      await handle.writeFile(`${value}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(partial, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await unlink(partial);
    await flushFolder(folder);
    await flushFolder(dirname(folder));
  } catch (error) {
    await unlink(partial).catch(() => undefined);
    const reason = (error as NodeJS.ErrnoException).code ?? "unknown reason";
    throw new StartupError(`${file} cannot be written (${reason}).`, error);
  }
}

async function flushFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
