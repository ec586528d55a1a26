/** Where kept sources stand: in a folder, or in the database that several gateways share, as the one that runs a deploy may be another. */
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Database } from "../database/database.ts";

/** Texts by their names. What it answers may be anything: the name is the SHA-256 of what was kept. */
export interface SourceShelf {
  read(name: string): Promise<string | null>;
  /** Durable when resolved. */
  write(name: string, text: string): Promise<void>;
  names(): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
}

export function folderShelf(folder: string): SourceShelf {
  return {
    read: (name) => readFile(join(folder, name), "utf8").catch(() => null),
    write: async (name, text) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeDurably(join(folder, name), text);
    },
    names: () => readdir(folder).catch(() => []),
    remove: (name) => unlink(join(folder, name)),
  };
}

export function tableShelf(database: Database): SourceShelf {
  return {
    read: async (name) => {
      const row = await database.prepareRead("SELECT content FROM deployment_sources WHERE hash = ?").get(name);
      return row === undefined ? null : String(row.content);
    },
    write: async (name, text) => {
      await database.write(({ prepare }) =>
        prepare(
          `INSERT INTO deployment_sources (hash, content) VALUES (?, ?)
           ON CONFLICT (hash) DO UPDATE SET content = excluded.content`,
        ).run(name, text),
      );
    },
    names: async () =>
      (await database.prepareRead("SELECT hash FROM deployment_sources").all()).map(({ hash }) => String(hash)),
    remove: async (name) => {
      await database.write(({ prepare }) => prepare("DELETE FROM deployment_sources WHERE hash = ?").run(name));
    },
  };
}

async function writeDurably(file: string, text: string): Promise<void> {
  const partial = `${file}.partial-${crypto.randomUUID()}`;
  const handle = await open(partial, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, file);
  const folder = await open(dirname(file), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
