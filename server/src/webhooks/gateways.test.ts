import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openInstallation, type TestInstallation } from "../testing/gateway.ts";
import { countWaiting, enqueueWebhook } from "./outbox.ts";
import { startWebhookSender, type WebhookSender } from "./sender.ts";

let installation: TestInstallation;
let senders: WebhookSender[];
const heard: string[] = [];
const receiver = createServer((request, response) => {
  heard.push(String(request.headers["webhook-id"]));
  request.resume().on("end", () => void response.writeHead(204).end());
});

beforeEach(async () => {
  installation = await openInstallation();
  heard.length = 0;
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const environment = { WEBHOOK_URL: address, WEBHOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" };
  for (let count = 0; count < 2; count += 1) await installation.open({ environment });
  senders = installation.gateways.map(({ context }) => startWebhookSender(context));
});
afterEach(async () => {
  for (const sender of senders) await sender.stop();
  receiver.closeAllConnections();
  await new Promise((resolve) => receiver.close(resolve));
  await installation.close();
});

test("of several gateways one sends what any of them leaves, each message once, and another goes on when it stops", async () => {
  const { gateways } = installation;
  const leave = async (): Promise<void> => {
    for (const { context } of gateways) {
      const data = { workspace: "attic-gpu" };
      await context.database.write((tx) =>
        enqueueWebhook(context, tx, { type: "worker_account.failed", target: context.instance, data }),
      );
    }
    for (const { context } of gateways) await expect.poll(() => countWaiting(context)).toBe(0);
  };
  await leave();
  const leads = gateways.findIndex(({ logged }) => logged.join("").includes("this gateway leads"));
  await senders[leads]?.stop();
  await leave();
  expect(heard).toHaveLength(4);
  expect(new Set(heard).size).toBe(4);
});
