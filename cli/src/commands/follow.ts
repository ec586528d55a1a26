// Waits for the end of a task. The server holds each answer until something changes, so nothing is asked in vain.
import type { Client, Status } from "@safelight/contract";
import { withRetry } from "../connection/retry.ts";

/** Seconds the server may hold one answer. */
const holdSeconds = 20;
/** How long a server may be away before the command gives up; the task goes on without it. */
const patienceMs = 60_000;

/** Resolves with the status of the ended task; `show` sees every state on the way. */
export async function followTask(client: Client, id: string, show: (status: Status) => void): Promise<Status> {
  let status = await withRetry(() => client.getStatus({ path: { id } }), { patienceMs });
  for (;;) {
    show(status);
    if (status.status === "done" || status.status === "failed") return status;
    const held = { path: { id }, query: { wait: holdSeconds } };
    status = await withRetry(() => client.getStatus({ ...held, signal: AbortSignal.timeout(60_000) }), { patienceMs });
  }
}
