import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { StartupError } from "../errors.ts";
import { readSecret, writeSecretOnce } from "../secrets/resolve-secrets.ts";

/** The key of this worker: from the file that is named, else one that is made once in the data directory. */
export async function resolveWorkerKey(settings: {
  readonly dataDirectory: string;
  readonly keyFile: string | null;
}): Promise<{ key: string; created: string | null }> {
  if (settings.keyFile !== null) return { key: await readKey(settings.keyFile), created: null };
  const file = join(settings.dataDirectory, "secrets", "worker-key");
  const kept = await readSecret(file);
  if (kept !== null) return { key: check(kept, file), created: null };
  await writeSecretOnce(file, `slworker_${randomBytes(32).toString("base64url")}`);
  return { key: await readKey(file), created: file };
}

async function readKey(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(`--key-file: ${file} cannot be read (${error.code ?? "unknown reason"}).`, error);
  });
  return check(text.trim(), file);
}

/** It travels in a header; and one that can be guessed is none. */
function check(key: string, file: string): string {
  if (/^[\x21-\x7e]{16,512}$/.test(key)) return key;
  throw new StartupError(`--key-file: ${file} must hold one key of 16 to 512 printable ASCII characters.`);
}
