// A reading that the server asks to wait with, over a real connection to a server that answers by a script.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "@safelight/contract/client";
import type { QueryState } from "@tanstack/react-query";
import { afterEach, expect, it } from "vitest";
import { queryClient } from "./query-client.ts";

const ending: (() => void)[] = [];
afterEach(() => {
  for (const end of ending.splice(0)) end();
  queryClient.clear();
});

async function openServer(answers: readonly { status: number; headers?: object; body: object }[]) {
  const askedAt: number[] = [];
  const server = createServer((_, response) => {
    const answer = answers[Math.min(askedAt.length, answers.length - 1)];
    askedAt.push(Date.now());
    response.writeHead(answer?.status ?? 500, {
      "content-type": "application/json",
      connection: "close",
      ...answer?.headers,
    });
    response.end(JSON.stringify(answer?.body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  ending.push(() => server.close());
  return { askedAt, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const refusal = (code: string) => ({ code, detail: "Not now.", status: 429 });

it("FR-015: who asks too often waits as long as the server says, without a failure meanwhile", async () => {
  const { askedAt, url } = await openServer([
    { status: 429, headers: { "retry-after": "1" }, body: refusal("rate_limited") },
    { status: 200, body: { ok: true, ready_accounts: 0, parts: [] } },
  ]);
  const client = createClient({ baseUrl: url });
  const states: QueryState[] = [];
  ending.push(queryClient.getQueryCache().subscribe(({ query }) => void states.push(query.state)));
  const reading = queryClient.fetchQuery({
    queryKey: ["read"],
    queryFn: () => client.getAdminHealth(),
    retry: queryClient.getDefaultOptions().queries?.retry ?? false,
  });
  await expect(reading).resolves.toMatchObject({ ok: true });
  expect(states.find(({ fetchFailureCount }) => fetchFailureCount === 1)).toMatchObject({
    status: "pending",
    error: null,
    fetchStatus: "fetching",
  });
  expect(states.filter(({ status, error }) => status === "error" || error !== null)).toEqual([]);
  expect((askedAt[1] ?? 0) - (askedAt[0] ?? 0)).toBeGreaterThanOrEqual(990);
});

it("every other refusal is an answer at once", async () => {
  const { askedAt, url } = await openServer([
    { status: 503, headers: { "retry-after": "1" }, body: refusal("queue_full") },
  ]);
  const client = createClient({ baseUrl: url });
  const reading = queryClient.fetchQuery({
    queryKey: ["read"],
    queryFn: () => client.getAdminHealth(),
    retry: queryClient.getDefaultOptions().queries?.retry ?? false,
  });
  await expect(reading).rejects.toThrow("Not now.");
  expect(askedAt).toHaveLength(1);
});
