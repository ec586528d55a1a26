/**
 * The worker's source as it was at the moment of each deploy, so that a rollback brings back exactly those bytes. One text for each
 * content, named by its SHA-256 and checked against it when it is used.
 */
import { hash } from "node:crypto";
import { lstat, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isStorageFailure, SafelightError } from "../errors.ts";
import type { SourceShelf } from "./source-shelves.ts";

/** Bytes of all files together: a worker is program text, not weights. */
const largest = 16 * 1024 * 1024;

/** What program text is called. Anything else that lies beside it, such as a key or a result of trying things out, is not shipped. */
const shipped = /\.(?:py|toml|json|txt|typed)$/;

/** Files by their path below the folder, with forward slashes; contents in base64. */
interface Snapshot {
  readonly files: Readonly<Record<string, string>>;
}

export class SourceStore {
  readonly #shelf: SourceShelf;

  constructor(shelf: SourceShelf) {
    this.#shelf = shelf;
  }

  /**
   * Keeps some files and folders of a folder, which keep their places in it. Durable when resolved; the same bytes give the same hash
   * and one text. Of folders only program text is taken, nothing hidden. Errors: `storage_unavailable`; Error where a part is missing.
   */
  async keep(sourceFolder: string, parts: readonly string[]): Promise<string> {
    const text = JSON.stringify({ files: await readFiles(sourceFolder, parts) } satisfies Snapshot);
    const name = hash("sha256", text);
    try {
      if ((await this.#intact(name)) !== null) return name;
      await this.#shelf.write(name, text);
    } catch (error) {
      if (!isStorageFailure(error)) throw error;
      throw new SafelightError("storage_unavailable", "The source of the worker cannot be kept.", { cause: error });
    }
    return name;
  }

  /** Writes a kept source out. Answers false when it is gone or not what it was. */
  async unpack(name: string, folder: string): Promise<boolean> {
    const snapshot = await this.#intact(name);
    if (snapshot === null) return false;
    for (const [path, content] of Object.entries(snapshot.files)) {
      const target = join(folder, ...path.split("/"));
      await mkdir(dirname(target), { recursive: true, mode: 0o700 });
      await writeFile(target, Buffer.from(content, "base64"), { mode: 0o600 });
    }
    return true;
  }

  /** Removes what was half written and what no deployment names. Only while nothing is being kept. */
  async sweep(named: ReadonlySet<string>): Promise<number> {
    const surplus = (await this.#shelf.names()).filter((name) => !named.has(name));
    for (const name of surplus) await this.#shelf.remove(name);
    return surplus.length;
  }

  /** Keeps what another shelf has kept, which keeps it too. */
  async copyFrom(other: SourceShelf): Promise<void> {
    for (const name of await other.names()) {
      const text = await other.read(name);
      if (text !== null && hash("sha256", text) === name && (await this.#intact(name)) === null) {
        await this.#shelf.write(name, text);
      }
    }
  }

  async #intact(name: string): Promise<Snapshot | null> {
    const text = await this.#shelf.read(name);
    return text !== null && hash("sha256", text) === name ? (JSON.parse(text) as Snapshot) : null;
  }
}

async function readFiles(folder: string, parts: readonly string[]): Promise<Snapshot["files"]> {
  const files: Record<string, string> = {};
  let bytes = 0;
  const found = await Promise.all(parts.map((part) => pathsOf(folder, part)));
  for (const path of found.flat().sort()) {
    bytes += (await stat(join(folder, path))).size;
    if (bytes > largest) throw new Error("The source of the worker is larger than 16 MiB.");
    files[path] = (await readFile(join(folder, path))).toString("base64");
  }
  return files;
}

/** The files of one part, by their path below the folder. */
async function pathsOf(folder: string, part: string): Promise<string[]> {
  const place = join(folder, part);
  const facts = await lstat(place).catch(() => null);
  if (facts?.isFile()) return [part];
  if (!facts?.isDirectory()) throw new Error(`${part} of the source of the worker is missing.`);
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && shipped.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length).replaceAll("\\", "/").replace(/^\/+/, ""))
    .filter((path) => !path.split("/").some((name) => name.startsWith(".") || name === "__pycache__"));
  if (paths.length === 0) throw new Error(`${part} of the source of the worker is empty.`);
  return paths.map((path) => `${part}/${path}`);
}
