import { createClient } from "@safelight/contract/client";
import { observedFetch } from "./connection.ts";

/** The typed client of the server this page came from; the session cookie goes along. */
export const client = createClient({ baseUrl: "", fetch: observedFetch });

/** The same with a key that the user typed, for the one request that trades it for a session. */
export function clientWithKey(apiKey: string) {
  return createClient({ baseUrl: "", fetch: observedFetch, apiKey });
}
