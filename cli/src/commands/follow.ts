// Waits for the end of a task. The server holds each answer until something changes, so nothing is asked in vain.
import type { Status } from "@safelight/contract";
import type { Connection } from "../connection/connect.ts";
import { withRetry } from "../connection/retry.ts";

/** Seconds the server may hold one answer. */
const holdSeconds = 20;

/** Resolves with the status of the ended task; `show` sees every state on the way. */
export async function followTask(connection: Connection, id: string, show: (status: Status) => void): Promise<Status> {
  let status = await withRetry(connection, (client) => client.getStatus({ path: { id } }));
  for (;;) {
    show(status);
    if (status.status === "done" || status.status === "failed") return status;
    const held = { path: { id }, query: { wait: holdSeconds } };
    status = await withRetry(connection, (client) =>
      client.getStatus({ ...held, signal: AbortSignal.timeout((holdSeconds + 30) * 1000) }),
    );
  }
}
