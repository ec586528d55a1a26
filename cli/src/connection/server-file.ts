// DATA_DIR/server.json says where the server on this data directory listens. A note left behind by a killed server names a
// process that is gone, or an address where somebody else answers; neither counts.
import { createClient } from "@safelight/contract";
import { readServerNote } from "@safelight/server";

/** The address of the server that runs on this data directory, or null. */
export async function findRunningServer(dataDirectory: string): Promise<string | null> {
  const note = await readServerNote(dataDirectory);
  if (note === null || !isAlive(note.pid)) return null;
  try {
    const health = await createClient({ baseUrl: note.url }).getHealth({ signal: AbortSignal.timeout(5000) });
    return health.status === "ok" ? note.url : null;
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
