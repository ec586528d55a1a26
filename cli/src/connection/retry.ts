// A task lives on when a connection breaks or the server restarts, so asking again is right; but not forever.
import { ApiError, type Client } from "@safelight/contract";
import { isNetworkFailure } from "../failure.ts";
import type { Connection } from "./connect.ts";

/** How long a server may be away, in milliseconds. */
const patience = 60_000;

/**
 * Runs the request until it is answered. Broken connections and refusals that may pass are repeated within the patience; what
 * is repeated must be safe to repeat.
 */
export async function withRetry<T>(
  connection: Pick<Connection, "client" | "recover">,
  request: (client: Client) => Promise<T>,
  patienceMs: number = patience,
): Promise<T> {
  const giveUpAt = performance.now() + patienceMs;
  for (let wait = 250; ; wait = Math.min(wait * 2, 5000)) {
    try {
      return await request(connection.client);
    } catch (error) {
      const pause = pauseAfter(error, wait);
      if (pause === null || performance.now() + pause > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (isNetworkFailure(error)) await connection.recover();
    }
  }
}

function pauseAfter(error: unknown, wait: number): number | null {
  if (error instanceof ApiError) {
    const mayPass = error.status === 429 || error.problem?.code === "queue_full";
    return mayPass ? (error.retryAfter ?? 1) * 1000 : null;
  }
  return isNetworkFailure(error) ? wait : null;
}
