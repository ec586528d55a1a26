import { hash } from "node:crypto";
import { join } from "node:path";
import type { CopyTarget } from "../database/postgres/copy-target.ts";
import { folderShelf } from "../deploy/source-shelves.ts";
import { StartupError } from "../errors.ts";

/**
 * Sources of deploys lie in a folder where one server runs, and in a table where several do. Each is named by its SHA-256; what is not what
 * its name says could not be deployed any more and is left out. Answers how many there are in the end.
 */
export async function copySources(dataDirectory: string, target: CopyTarget): Promise<number> {
  const shelf = folderShelf(join(dataDirectory, "deployments", "sources"));
  let count = 0;
  for (const name of await shelf.names()) {
    const text = await shelf.read(name);
    if (text === null || hash("sha256", text) !== name) continue;
    await target.query("INSERT INTO deployment_sources (hash, content) VALUES ($1, $2) ON CONFLICT DO NOTHING", [
      name,
      text,
    ]);
    const [row] = await target.query("SELECT content FROM deployment_sources WHERE hash = $1", [name]);
    if (row?.content !== text) throw new StartupError(`The copy differs in deployment_sources: ${name}.`);
    count += 1;
  }
  return count;
}
