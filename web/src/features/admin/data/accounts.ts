import type { Account, AccountHealth } from "@safelight/contract";
import { type QueryClient, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import { asAdmin } from "../session/admin-session.ts";
import { often, polled, sometimes } from "./polling.ts";

export const accountsKey = ["admin", "accounts"] as const;

/** Every account as it stands, newest first. */
export function useAccounts(): UseQueryResult<readonly Account[]> {
  return useQuery({
    queryKey: accountsKey,
    queryFn: async ({ signal }) => (await asAdmin(() => client.listAccounts({ signal }))).accounts,
    ...polled(often),
  });
}

/** Takes a deleted account out of what is known at once, so that nothing more is asked about it. */
export async function forgetAccount(queryClient: QueryClient, workspace: string): Promise<void> {
  // A list that was asked for before the account went would bring it back.
  await queryClient.cancelQueries({ queryKey: accountsKey });
  queryClient.setQueryData<readonly Account[]>(accountsKey, (known) =>
    known?.filter((account) => account.workspace !== workspace),
  );
  queryClient.removeQueries({ queryKey: ["admin", "health", workspace] });
}

export type Checks = AccountHealth["history"];

/** What the checks of an account found. Looked at closely it is asked for again and again, otherwise once. */
export function useAccountHealth(workspace: string, closely: boolean): AccountHealth | undefined {
  return useQuery({
    queryKey: ["admin", "health", workspace],
    queryFn: ({ signal }) => asAdmin(() => client.getAccountHealth({ path: { workspace }, signal })),
    ...(closely ? polled(sometimes) : { staleTime: Number.POSITIVE_INFINITY }),
  }).data;
}

/** So many checks are kept for the line of a row. */
const keptChecks = 20;
/** Checks that the list of accounts told of while it was watched, newest first, by account. */
const seen = new Map<string, Checks>();

/** The last checks, newest first: those that were asked for, and those since, which the list itself tells. */
export function checksOf(account: Account, health: AccountHealth | undefined): Checks {
  const before = seen.get(account.id) ?? [];
  const { last_health_at, last_health_status, latency_ms, last_error_code } = account;
  const isNew = last_health_at !== null && last_health_status !== null && before[0]?.checked_at !== last_health_at;
  const latest = {
    checked_at: last_health_at ?? "",
    outcome: last_health_status ?? "failed",
    latency_ms,
    error_code: last_error_code,
  };
  const own = isNew ? [latest, ...before].slice(0, keptChecks) : before;
  if (isNew) seen.set(account.id, own);
  const known = health?.history ?? [];
  const newest = known[0]?.checked_at ?? "";
  return [...own.filter(({ checked_at }) => checked_at > newest), ...known].slice(0, keptChecks);
}
