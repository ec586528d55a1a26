// DATA_DIR/server.json: where the server on this data directory listens. A file left behind by a killed server names a
// process that is gone, or an address where somebody else answers; neither counts.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient } from "@safelight/contract";

/** The address of the server that runs on this data directory, or null. */
export async function findRunningServer(dataDirectory: string): Promise<string | null> {
  const entry = await readServerFile(join(dataDirectory, "server.json"));
  if (entry === null || !isAlive(entry.pid)) return null;
  try {
    const health = await createClient({ baseUrl: entry.url }).getHealth({ signal: AbortSignal.timeout(5000) });
    return health.status === "ok" ? entry.url : null;
  } catch {
    return null;
  }
}

async function readServerFile(path: string): Promise<{ url: string; pid: number } | null> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value !== "object" || value === null || !("url" in value) || !("pid" in value)) return null;
    const { url, pid } = value;
    return typeof url === "string" && typeof pid === "number" ? { url, pid } : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
