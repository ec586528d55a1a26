import type { Account } from "@safelight/contract";
import { QueryClient } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { createAccount } from "../testing/samples.ts";
import { accountsKey, forgetAccount } from "./accounts.ts";

it("a list that was asked for before an account was deleted does not bring it back", async () => {
  const queryClient = new QueryClient();
  const before = [createAccount("attic-gpu"), createAccount("cellar-gpu")];
  queryClient.setQueryData<readonly Account[]>(accountsKey, before);
  const { promise, resolve } = Promise.withResolvers<readonly Account[]>();
  const asked = queryClient.fetchQuery({ queryKey: accountsKey, queryFn: () => promise }).catch(() => undefined);
  await forgetAccount(queryClient, "attic-gpu");
  resolve(before);
  await asked;
  await promise;
  const known = queryClient.getQueryData<readonly Account[]>(accountsKey) ?? [];
  expect(known.map(({ workspace }) => workspace)).toEqual(["cellar-gpu"]);
  queryClient.clear();
});
