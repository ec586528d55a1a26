import { closeSync, fstatSync, openSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";

/** How long a look at the files is believed, in milliseconds. */
const believed = 50;

/**
 * Secrets are read at the start and kept in memory. When a file that one came from is gone, empty or closed to us, somebody has taken it
 * away or lost it, and what is in memory may no longer be meant to count: nobody is let in until it is back (FR-023).
 */
export class SecretWatch {
  readonly #files: readonly string[];
  readonly #onChange: (missing: string | null) => void;
  #missing: string | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** `onChange` is told the file that cannot be read any more, and null when all can be again. */
  constructor(files: readonly string[], onChange: (missing: string | null) => void) {
    this.#files = files;
    this.#onChange = onChange;
  }

  areReadable(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt < believed) return this.#missing === null;
    this.#lookedAt = now;
    const missing = this.#files.find((file) => !isReadable(file)) ?? null;
    if (missing !== this.#missing) {
      this.#missing = missing;
      this.#onChange(missing);
    }
    return missing === null;
  }
}

/** The files that the secrets in force came from: those that settings name, and those this installation made. */
export function secretFilesInUse(config: Config): readonly string[] {
  const given: Readonly<Record<string, string | null>> = {
    "api-key": config.apiKey,
    "admin-key": config.adminKey,
    "encryption-key": config.encryptionKey,
    "session-secret": config.sessionSecret,
    "audit-key": config.auditKey,
  };
  const folder = join(config.dataDirectory, "secrets");
  return [
    ...config.secretFiles,
    ...ownFiles(folder)
      .filter((name) => (given[name] ?? null) === null)
      .map((name) => join(folder, name)),
  ];
}

function ownFiles(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
      entry.isFile() && /^[a-z-]+$/.test(entry.name) ? [entry.name] : [],
    );
  } catch {
    return [];
  }
}

function isReadable(file: string): boolean {
  let handle: number | undefined;
  try {
    handle = openSync(file, "r");
    const found = fstatSync(handle);
    return found.isFile() && found.size > 0;
  } catch {
    return false;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}
