// Two gateways on one PostgreSQL and one bucket: whatever was done at one of them holds at the other, and what only one may do is done
// once, by whichever is there.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Account, QueueState, Status } from "@safelight/contract";
import { type HealthWorker, startHealthWorker } from "@safelight/server/testing/health-worker";
import { type PostgresServer, startPostgres } from "@safelight/server/testing/postgres-server";
import { type S3Server, startS3Server } from "@safelight/server/testing/s3-server";
import { type ScriptedWorker, startScriptedWorker } from "@safelight/server/testing/scripted-worker";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Cluster } from "./src/cluster.ts";
import type { Gateway } from "./src/gateway.ts";
import { temporaryDirectory } from "./src/server-process.ts";

/** A run with this seed ends only by being told to. */
const endless = 666;

const directory = await temporaryDirectory();
let postgres: PostgresServer;
let s3: S3Server;
let worker: ScriptedWorker;
let cluster: Cluster;
let here: Gateway;
let there: Gateway;
const heard: string[] = [];
const receiver = createServer((request, response) => receive(request, response));

beforeAll(async () => {
  [postgres, s3, worker] = await Promise.all([
    startPostgres(),
    startS3Server(),
    startScriptedWorker({
      models: ["flux"],
      slots: 2,
      script: ({ seed }) => [{ do: "preview" }, ...(seed === endless ? [{ do: "hang" } as const] : [])],
    }),
  ]);
  await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  cluster = await Cluster.start(directory.path, 2, {
    DATABASE_URL: await postgres.createDatabase({ empty: true }),
    ...s3.environment,
    WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`,
    WEBHOOK_SECRET: "of this test alone, and long enough",
  });
  [here, there] = [cluster.gateway(0), cluster.gateway(1)];
  for (const gateway of cluster.gateways) await gateway.logIn();
  await here.addWorker("attic-gpu", worker, 2);
}, 300_000);

afterAll(async () => {
  await cluster?.stop("SIGKILL");
  await worker?.close();
  await s3?.close();
  await postgres?.stop();
  receiver.closeAllConnections();
  receiver.close();
  await directory.remove();
});

afterEach(({ task }) => {
  if (task.result?.state === "fail") console.error(cluster.complaints());
});

function receive(request: IncomingMessage, response: ServerResponse): void {
  let body = "";
  request.setEncoding("utf8");
  request.on("data", (piece: string) => (body += piece));
  request.on("end", () => {
    const { type, data } = JSON.parse(body) as { type: string; data: { workspace?: string } };
    heard.push(`${String(request.headers["webhook-id"])} ${type} ${data.workspace}`);
    response.writeHead(204).end();
  });
}

const at = (gateway: Gateway, path: string, init?: RequestInit) => fetch(`${gateway.server.url}${path}`, init);

/** What is said at one gateway is known at the other within a moment. */
async function soon(status: () => Promise<number>, wanted: number): Promise<void> {
  await expect.poll(status, { timeout: 10_000, interval: 100 }).toBe(wanted);
}

async function submit(gateway: Gateway, body: Record<string, unknown>): Promise<string> {
  return gateway.submit(crypto.randomUUID(), { prompt: "a red boat", width: 512, height: 512, ...body });
}

async function statusAt(gateway: Gateway, id: string): Promise<Status> {
  const answer = await at(gateway, `/status/${id}`, { headers: { "x-api-key": gateway.server.apiKey } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as Status;
}

test("a session that one gateway has given out is good at the other, and ends at both", async () => {
  const given = await at(here, "/auth/session", { method: "POST" });
  expect(given.status).toBe(201);
  const headers = { cookie: given.headers.get("set-cookie")?.split(";")[0] ?? "" };
  expect((await at(there, "/auth/session", { headers })).status).toBe(200);
  expect((await at(there, "/gallery", { headers })).status).toBe(200);
  expect((await at(there, "/auth/session", { method: "DELETE", headers })).status).toBe(204);
  await soon(async () => (await at(here, "/gallery", { headers })).status, 401);
});

test("an operator who has signed in at one gateway works at the other", async () => {
  const headers = { "x-admin-key": here.adminKey };
  const given = await at(here, "/admin/session", { method: "POST", headers });
  const cookie = given.headers.get("set-cookie")?.split(";")[0] ?? "";
  expect((await at(there, "/admin/queue", { headers: { cookie } })).status).toBe(200);
});

test("a key that is made at one gateway opens the other, and when it is revoked ends what it has opened there", async () => {
  const made = await here.asAdmin<{ id: string; key: string }>("/admin/api-keys", "POST", { name: "newsletter" });
  const headers = { "x-api-key": made.key };
  await soon(async () => (await at(there, "/gallery", { headers })).status, 200);
  const stream = await at(there, "/events", { headers });
  expect(stream.status).toBe(200);
  const read = stream.text().then(() => "ended");
  await here.asAdmin(`/admin/api-keys/${made.id}/revoke`, "POST");
  await soon(async () => (await at(there, "/gallery", { headers })).status, 401);
  expect(await read).toBe("ended");
});

test("a picture that was uploaded to one gateway is used by a task of the other, and its result is read at the first", async () => {
  const form = new FormData();
  const red = await sharp({ create: { width: 256, height: 256, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  form.set("file", new Blob([red], { type: "image/png" }), "red.png");
  const headers = { "x-api-key": here.server.apiKey };
  const upload = await at(here, "/uploads", { method: "POST", headers, body: form });
  expect(upload.status).toBe(201);
  const { id: reference_image } = (await upload.json()) as { id: string };
  const id = await submit(there, { model: "flux", mode: "img2img", reference_image, seed: 1 });
  expect(await here.ended(id)).toMatchObject({ status: "done" });
  const { width, height } = await sharp(await here.result(id)).metadata();
  expect([width, height]).toEqual([512, 512]);
});

test("a task that one gateway has running is cancelled at the other", async () => {
  const id = await submit(here, { model: "flux", seed: endless });
  await expect.poll(async () => (await statusAt(here, id)).status).toBe("processing");
  const isMine = (gateway: Gateway) =>
    gateway.logged().some(({ msg, task_id: task }) => msg === "task dispatched" && task === id);
  await expect.poll(() => isMine(here) || isMine(there)).toBe(true);
  const other = isMine(here) ? there : here;
  const headers = { "x-api-key": other.server.apiKey };
  expect((await at(other, `/cancel/${id}`, { method: "POST", headers })).status).toBeLessThan(300);
  expect(await other.ended(id)).toMatchObject({ status: "failed", error: { code: "cancelled" } });
  await expect.poll(() => worker.machine.running().length).toBe(0);
});

test("a queue that was paused at one gateway rests at the other, and goes on from either", async () => {
  await here.asAdmin("/admin/queue/pause", "POST");
  const id = await submit(there, { model: "flux", seed: 2 });
  expect(await there.asAdmin<QueueState>("/admin/queue")).toMatchObject({ paused: true, pending: 1, processing: 0 });
  expect(await statusAt(there, id)).toMatchObject({ status: "pending" });
  await there.asAdmin("/admin/queue/resume", "POST");
  expect(await here.ended(id)).toMatchObject({ status: "done" });
});

test("one gateway checks the workers and sends the messages, and when it is killed the other does", async () => {
  const checked = await startHealthWorker(["anisora"]);
  const told = () => heard.filter((one) => one.endsWith("worker_account.failed shed-gpu"));
  try {
    await there.addWorker("shed-gpu", checked, 1);
    const quiet = await turnBad(checked, here);
    await plannedCheck(checked);
    expect(quiet.gaps().length).toBeGreaterThan(0);
    expect(told()).toHaveLength(1);
    for (const [killed, other] of [
      [here, there],
      [there, here],
    ] as const) {
      const times = await turnBad(checked, other);
      await killed.server.stop("SIGKILL");
      await plannedCheck(checked);
      // Planned checks of an account that is not well lie four seconds or more apart.
      expect(Math.min(...times.gaps())).toBeGreaterThan(3_000);
      await killed.startAgain();
    }
    // What was on its way when a gateway was killed is sent once more, as the same message.
    await expect.poll(() => new Set(told()).size).toBe(3);
    expect(told().length).toBeLessThanOrEqual(5);
  } finally {
    await checked.close();
  }
});

/** Nobody asks for this one. */
async function plannedCheck(checked: HealthWorker): Promise<void> {
  const before = checked.asked.length;
  await expect.poll(() => checked.asked.length, { timeout: 60_000 }).toBeGreaterThan(before);
}

/** Well, and then not: by two checks that are asked for. Watches when it is asked from then on. */
async function turnBad(checked: HealthWorker, gateway: Gateway) {
  const check = () => gateway.asAdmin<Account>("/admin/accounts/shed-gpu/health", "POST");
  checked.accepts = checked.key;
  expect(await check()).toMatchObject({ status: "ready" });
  checked.accepts = "another";
  expect(await check()).toMatchObject({ status: "failed" });
  const times = [performance.now()];
  let seen = checked.asked.length;
  const timer = setInterval(() => {
    for (; seen < checked.asked.length; seen += 1) times.push(performance.now());
  }, 20);
  return {
    /** Milliseconds between one and the next; nothing is watched any more. */
    gaps: () => {
      clearInterval(timer);
      return times.slice(1).map((time, index) => time - (times[index] ?? 0));
    },
  };
}

test("who guesses keys at one gateway after the other gets as many tries as at one", async () => {
  const headers = { "x-admin-key": "guessed-and-wrong-0123456789" };
  const statuses: number[] = [];
  for (let turn = 0; turn < 50; turn += 1) {
    const gateway = cluster.gateway(turn % 2);
    statuses.push((await at(gateway, "/admin/session", { method: "POST", headers })).status);
  }
  expect(new Set(statuses)).toEqual(new Set([401, 429]));
  // What was asked at the other gateway in the last second may not be known yet.
  expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(40);
  for (const gateway of cluster.gateways) {
    await soon(async () => (await at(gateway, "/admin/session", { method: "POST", headers })).status, 429);
  }
});
