/** Every file that rows of a database name, in portions, so that a large library needs little memory. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { SqliteConnection } from "../database/sqlite/sqlite-connection.ts";

export interface NamedFile {
  /** Path inside the data directory and inside the backup. */
  readonly path: string;
  readonly kind: "result" | "preview" | "upload" | "source";
  /** Id of the task or upload; the name of a source. */
  readonly owner: string;
  /** What the row says of the content; null where it says nothing. */
  readonly bytes: number | null;
  readonly sha256: string | null;
}

const portion = 500;

/** Thumbnails are left out: they are made again when somebody looks. */
export async function* namedFiles(copy: SqliteConnection, dataDirectory: string): AsyncGenerator<NamedFile> {
  yield* taskFiles(copy);
  yield* uploadFiles(copy);
  const sources = await readdir(join(dataDirectory, "deployments", "sources")).catch(() => []);
  for (const name of sources) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue;
    yield { path: `deployments/sources/${name}`, kind: "source", owner: name, bytes: null, sha256: name };
  }
}

function* taskFiles(copy: SqliteConnection): Generator<NamedFile> {
  const select = copy.prepare(
    `SELECT sequence, id, status, result_path, result_bytes, result_sha256, preview_path FROM tasks
     WHERE sequence > ? AND (result_path IS NOT NULL OR preview_path IS NOT NULL) ORDER BY sequence LIMIT ?`,
  );
  for (let after = -1; ; ) {
    const rows = select.all(after, portion);
    if (rows.length === 0) return;
    for (const row of rows) {
      const owner = String(row.id);
      if (row.result_path !== null) {
        const bytes = row.result_bytes === null ? null : Number(row.result_bytes);
        const sha256 = row.result_sha256 === null ? null : String(row.result_sha256);
        yield { path: `media/${String(row.result_path)}`, kind: "result", owner, bytes, sha256 };
      }
      if (row.preview_path !== null) {
        yield { path: `media/${String(row.preview_path)}`, kind: "preview", owner, bytes: null, sha256: null };
      }
    }
    after = Number(rows.at(-1)?.sequence);
  }
}

function* uploadFiles(copy: SqliteConnection): Generator<NamedFile> {
  const select = copy.prepare("SELECT id, type, bytes FROM uploads WHERE id > ? ORDER BY id LIMIT ?");
  for (let after = ""; ; ) {
    const rows = select.all(after, portion);
    if (rows.length === 0) return;
    for (const { id, type, bytes } of rows) {
      const owner = String(id);
      // As media/uploads.ts names them; an id is the hash of its content.
      const path = `media/uploads/${owner}.${String(type).replace("image/", "")}`;
      const sha256 = /^sha256-([0-9a-f]{64})$/.exec(owner)?.[1] ?? null;
      yield { path, kind: "upload", owner, bytes: Number(bytes), sha256 };
    }
    after = String(rows.at(-1)?.id);
  }
}
