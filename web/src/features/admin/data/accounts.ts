import type { Account, AccountHealth } from "@safelight/contract";
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { often, polled } from "./polling.ts";

export const accountsKey = ["admin", "accounts"] as const;

/** How long the story of an account's checks is trusted, in milliseconds; the checks themselves come every half minute. */
const historyAge = 60_000;
/** The stories of many accounts are asked for more slowly, so that they stay within what a session may ask. */
const pauseEach = 4_000;

/** Every account as it stands, newest first. */
export function useAccounts(): UseQueryResult<readonly Account[]> {
  return useQuery({
    queryKey: accountsKey,
    queryFn: async ({ signal }) => (await asAdmin(() => client.listAccounts({ signal }))).accounts,
    ...polled(often),
  });
}

/** The last checks of an account; undefined until they are known. `count` is how many accounts are shown. */
export function useAccountHealth(workspace: string, count: number): AccountHealth | undefined {
  const age = Math.max(historyAge, count * pauseEach);
  return useQuery({
    queryKey: [...accountsKey, workspace, "health"],
    queryFn: ({ signal }) => asAdmin(() => client.getAccountHealth({ path: { workspace }, signal })),
    ...polled(age),
  }).data;
}
