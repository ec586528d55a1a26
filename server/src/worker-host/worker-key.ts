import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../errors.ts";
import { readSecret, writeSecretOnce } from "../secrets/resolve-secrets.ts";

/** The key in force, and former ones while it is being replaced. */
const mostKeys = 4;

/**
 * The keys of this worker, the one in force first: from the file that is named, one a line, else one that is made once in the data
 * directory.
 */
export async function resolveWorkerKey(settings: {
  readonly dataDirectory: string;
  readonly keyFile: string | null;
}): Promise<{ keys: readonly [string, ...string[]]; created: string | null }> {
  if (settings.keyFile !== null) return { keys: await readKeys(settings.keyFile), created: null };
  const file = join(settings.dataDirectory, "secrets", "worker-key");
  const kept = await readSecret(file);
  if (kept !== null) return { keys: check(kept, file), created: null };
  await writeSecretOnce(file, `slworker_${randomBytes(32).toString("base64url")}`);
  return { keys: await readKeys(file), created: file };
}

async function readKeys(file: string): Promise<readonly [string, ...string[]]> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(`--key-file: ${file} cannot be read (${error.code ?? "unknown reason"}).`, error);
  });
  return check(text, file);
}

/** They travel in a header; and one that can be guessed is none. */
function check(text: string, file: string): readonly [string, ...string[]] {
  const [first = "", ...others] = text.split("\n").flatMap((line) => line.trim() || []);
  const isGood = [first, ...others].every((key) => /^[\x21-\x7e]{16,512}$/.test(key));
  if (isGood && others.length < mostKeys) return [first, ...others];
  throw new StartupError(`--key-file: ${file} must hold one key of 16 to 512 printable ASCII characters.`);
}
