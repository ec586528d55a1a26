// kill -9 while the queue is paused and a message to the operator is on its way (real processes, real receiver).

import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { AuditPage, QueueState, Status } from "@safelight/contract";
import { startHealthWorker } from "@safelight/server/testing/health-worker";
import { afterAll, afterEach, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

const directory = await temporaryDirectory();
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
afterAll(() => directory.remove());

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void;

async function listen(answer: Answer): Promise<string> {
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (piece: string) => (body += piece));
    request.on("end", () => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Asks as an operator. */
async function operatorOf(server: ServerProcess) {
  const key = (await readFile(join(directory.path, "secrets/admin-key"), "utf8")).trim();
  const issued = await fetch(`${server.url}/admin/session`, { method: "POST", headers: { "x-admin-key": key } });
  const cookie = issued.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  return async <T>(method: string, path: string, body?: object): Promise<T> => {
    const headers = { cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await fetch(server.url + path, { method, headers, ...sent });
    expect(answer.status, `${method} ${path}`).toBeLessThan(300);
    return (await answer.json()) as T;
  };
}

test("a paused queue stays paused and a message still arrives, after kill -9", async () => {
  // Of another model than the task's: the embedded engine runs that one.
  const worker = await startHealthWorker(["flux"]);
  closing.push(() => worker.close());
  const heard: { id: unknown; body: string }[] = [];
  let isTaken = false;
  const receiver = await listen((request, response, body) => {
    heard.push({ id: request.headers["webhook-id"], body });
    // Until the crash it never answers: the server cannot know whether the message has arrived.
    if (isTaken) response.writeHead(204).end();
  });
  const settings = { WEBHOOK_URL: `${receiver}/hook`, WEBHOOK_SECRET: "of this test alone, and long enough" };
  let server = await startServerProcess(directory.path, settings);
  closing.push(() => server.stop("SIGKILL"));
  let ask = await operatorOf(server);
  await ask("POST", "/admin/queue/pause");
  const submitted = await submit(server);
  await ask("POST", "/admin/accounts", {
    label: "Attic",
    workspace: "attic-gpu",
    kind: "http",
    base_url: worker.url,
    worker_key: worker.key,
  });
  expect(await ask("POST", "/admin/accounts/attic-gpu/health")).toMatchObject({ status: "ready" });
  worker.accepts = "another";
  expect(await ask("POST", "/admin/accounts/attic-gpu/health")).toMatchObject({ status: "failed" });
  await expect.poll(() => heard.length).toBe(1);
  await server.stop("SIGKILL");

  isTaken = true;
  server = await startServerProcess(directory.path, settings);
  ask = await operatorOf(server);
  await expect.poll(() => heard.length, { timeout: 60_000 }).toBe(2);
  expect(heard[1]).toEqual(heard[0]);
  expect(JSON.parse(heard[1]?.body ?? "")).toMatchObject({
    type: "worker_account.failed",
    data: { workspace: "attic-gpu", previous_status: "ready" },
  });
  await expect
    .poll(async () => (await ask<AuditPage>("GET", "/admin/logs?action=send_webhook")).logs)
    .toMatchObject([{ target: "attic-gpu", outcome: "success", details: { attempts: 1, reason: "204" } }]);
  expect(await ask<QueueState>("GET", "/admin/queue")).toMatchObject({ paused: true, pending: 1, processing: 0 });
  expect(await statusOf(server, submitted)).toMatchObject({ status: "pending", queue_position: 1, eta_seconds: null });
  await ask("DELETE", "/admin/accounts/attic-gpu");
  await ask("POST", "/admin/queue/resume");
  await expect.poll(async () => (await statusOf(server, submitted)).status, { timeout: 60_000 }).toBe("done");
}, 180_000);

async function submit(server: ServerProcess): Promise<string> {
  const headers = { "x-api-key": server.apiKey, "content-type": "application/json" };
  const body = JSON.stringify({ model: "pony", prompt: "a red boat", width: 512, height: 512 });
  const answer = await fetch(`${server.url}/generate`, { method: "POST", headers, body });
  return ((await answer.json()) as { task_id: string }).task_id;
}

async function statusOf(server: ServerProcess, id: string): Promise<Status> {
  const answer = await fetch(`${server.url}/status/${id}`, { headers: { "x-api-key": server.apiKey } });
  return (await answer.json()) as Status;
}
