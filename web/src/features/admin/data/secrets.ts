import type { ApiKeys, Secrets } from "@safelight/contract";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { polled, rarely } from "./polling.ts";

/** Ages count by the day; what is done about them elsewhere shows soon enough. */
const bySecrets = rarely * 2;

/** How old the keys and other secrets are. Never a value. */
export function useSecrets(): UseQueryResult<Secrets> {
  return useQuery({
    queryKey: ["admin", "secrets"],
    queryFn: ({ signal }) => asAdmin(() => client.listSecrets({ signal })),
    ...polled(bySecrets),
  });
}

/** The API keys that have a name of their own. */
export function useApiKeys(): UseQueryResult<ApiKeys> {
  return useQuery({
    queryKey: ["admin", "api-keys"],
    queryFn: ({ signal }) => asAdmin(() => client.listApiKeys({ signal })),
    ...polled(bySecrets),
  });
}
