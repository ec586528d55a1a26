import { afterEach, beforeEach, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { type HealthWorker, startHealthWorker } from "../testing/health-worker.ts";
import { addAccount } from "./add-account.ts";
import { disableAccount, enableAccount } from "./change-account.ts";
import { checkAccount } from "./check-account.ts";

let edge: Edge;
let worker: HealthWorker;
let queued = 0;
let failing = false;

beforeEach(async () => {
  const environment = { WEBHOOK_URL: "https://hooks.example/x", WEBHOOK_SECRET: "x".repeat(32) };
  const interrupt = () => {
    if (failing) throw Object.assign(new Error("disk full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
  };
  failing = false;
  queued = 0;
  edge = await openEdge({ environment, interrupt });
  worker = await startHealthWorker();
});
afterEach(async () => {
  failing = false;
  await worker.close();
  await edge.close();
});

const messages = async () =>
  (
    await edge.context.database.prepareRead("SELECT type, target, body FROM webhook_outbox ORDER BY sequence").all()
  ).map(({ type, body }) => ({ type, data: (JSON.parse(String(body)) as { data: object }).data }));

test("an operator is told that a ready account has failed and that it is ready again, once each", async () => {
  const registry = { ...edge.installation.accounts, webhookQueued: () => void (queued += 1) };
  const account = { label: "Attic", workspace: "attic-gpu", kind: "http" as const, worker_key: worker.key };
  await addAccount(edge.context, registry, { ...account, base_url: worker.url });
  const check = () => checkAccount(edge.context, registry, "attic-gpu", "planned");
  worker.accepts = "another";
  await check();
  worker.accepts = worker.key;
  await check();
  // A first bad check and a first good one are no news: it was never ready, or never failed.
  expect(await messages()).toEqual([]);
  worker.accepts = "another";
  await check();
  await check();
  expect(await messages()).toEqual([
    {
      type: "worker_account.failed",
      data: {
        workspace: "attic-gpu",
        label: "Attic",
        kind: "http",
        previous_status: "ready",
        status: "failed",
        error: { code: "invalid_worker_key", detail: expect.any(String) },
      },
    },
  ]);
  worker.accepts = worker.key;
  await check();
  await check();
  expect((await messages())[1]).toMatchObject({
    type: "worker_account.recovered",
    data: { status: "ready", error: null },
  });
  await disableAccount(edge.context, registry, "attic-gpu", false);
  await enableAccount(edge.context, registry, "attic-gpu");
  await check();
  expect(await messages()).toHaveLength(2);
  expect(queued).toBe(2);
  expect(JSON.stringify(await messages())).not.toContain(worker.key);
});

test("the message stands or falls with the change that it tells of", async () => {
  const registry = { ...edge.installation.accounts, webhookQueued: () => void (queued += 1) };
  const account = { label: "Attic", workspace: "attic-gpu", kind: "http" as const, worker_key: worker.key };
  await addAccount(edge.context, registry, { ...account, base_url: worker.url });
  await checkAccount(edge.context, registry, "attic-gpu", "planned");
  worker.accepts = "another";
  failing = true;
  await expect(checkAccount(edge.context, registry, "attic-gpu", "planned")).rejects.toThrow();
  failing = false;
  const { status } = (await edge.context.database.prepareRead("SELECT status FROM worker_accounts").get()) ?? {};
  expect({ status, messages: await messages(), queued }).toEqual({ status: "ready", messages: [], queued: 0 });
});
