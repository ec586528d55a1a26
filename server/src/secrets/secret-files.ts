/** Files that hold secrets: readable by their owner only from the first byte on, and flushed before they get their name. */
import { randomBytes } from "node:crypto";
import { chmod, link, mkdir, open, readdir, readFile, rename, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { StartupError } from "../errors.ts";

export type SecretFileName = "api-key" | "admin-key" | "session-secret" | "encryption-key" | "audit-key";

/** The file that holds a secret which this installation made for itself. */
export function secretFile(dataDirectory: string, name: SecretFileName): string {
  return join(dataDirectory, "secrets", name);
}

/**
 * Where a new value lies until it stands where it belongs: in our own file, which takes a moment, or in the settings of the operator.
 * `id` tells it from others that were made for the same secret.
 */
export function waitingFile(dataDirectory: string, name: string, id: string): string {
  return join(dataDirectory, "secrets", "next", `${name}.${id}`);
}

/** Files with new values of this secret. */
export async function waitingFiles(dataDirectory: string, name: string): Promise<string[]> {
  const folder = join(dataDirectory, "secrets", "next");
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw cannotRead(folder, error);
  });
  return names.filter((one) => one.startsWith(`${name}.`) && !one.includes("~")).map((one) => join(folder, one));
}

/** The value without its line end, or null where there is no file. Throws a StartupError for one that is empty or unreadable. */
export async function readSecret(file: string): Promise<string | null> {
  try {
    const value = (await readFile(file, "utf8")).trim();
    return value === "" ? missing(file) : value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error instanceof StartupError ? error : cannotRead(file, error);
  }
}

/** When the file was written, in wall-clock milliseconds; null where there is none. */
export async function writtenAt(file: string): Promise<number | null> {
  return stat(file).then(
    ({ mtimeMs }) => Math.floor(mtimeMs),
    () => null,
  );
}

export function missing(file: string): never {
  throw new StartupError(`${file} is empty: put the secret back, or remove the file to have a new one made.`);
}

/** Never replaces a value that is there: a lost encryption key would be lost for good. Throws a StartupError. */
export function writeSecretOnce(file: string, value: string): Promise<void> {
  return write(file, value, async (partial) => {
    await link(partial, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    await unlink(partial);
  });
}

/** The old value or the new one, whole, whatever happens. Throws a StartupError. */
export function replaceSecret(file: string, value: string): Promise<void> {
  return write(file, value, (partial) => rename(partial, file));
}

async function write(file: string, value: string, place: (partial: string) => Promise<void>): Promise<void> {
  const folder = dirname(file);
  const partial = `${file}~${randomBytes(6).toString("hex")}`;
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
    await place(partial);
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

function cannotRead(file: string, error: unknown): StartupError {
  const reason = (error as NodeJS.ErrnoException).code ?? "unknown reason";
  return new StartupError(`${file} cannot be read (${reason}).`, error);
}
