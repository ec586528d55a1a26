// A whole server with a worker account: what its clients are told, from the catalog to the reason why a task waits.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Account, AdminTask, Model, Status } from "@safelight/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "./log.ts";
import { type RunningServer, startServer } from "./main.ts";
import { type ScriptedWorker, startScriptedWorker } from "./testing/scripted-worker.ts";

let folder: string;
let server: RunningServer;
let worker: ScriptedWorker;
let cookie: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-routed-"));
  worker = await startScriptedWorker({ script: () => [{ do: "preview" }], models: ["flux", "anisora"] });
  server = await open();
});

afterEach(async () => {
  await server.close();
  await worker.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(environment: Record<string, string> = {}): Promise<RunningServer> {
  const started = await startServer({ DATA_DIR: folder, PORT: "0", ...environment }, { log: silentLog() });
  const headers = { "X-Admin-Key": started.secrets.adminKey };
  const session = await fetch(`${started.url}/admin/session`, { method: "POST", headers });
  cookie = session.headers.get("set-cookie")?.split(";")[0] ?? "";
  return started;
}

async function call<T>(path: string, method = "GET", body?: object): Promise<{ status: number; json: T }> {
  const headers: Record<string, string> = path.startsWith("/admin")
    ? { cookie }
    : { "x-api-key": server.secrets.apiKey };
  if (body !== undefined) headers["content-type"] = "application/json";
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const answer = await fetch(`${server.url}${path}`, { method, headers, ...sent });
  return { status: answer.status, json: (await answer.json()) as T };
}

const picture = { model: "flux", prompt: "a red boat at sea", width: 512, height: 512, steps: 15 };
const submit = (body: object = {}) =>
  call<{ task_id: string; code: string }>("/generate", "POST", { ...picture, ...body });
const account = async () => (await call<Account>("/admin/accounts/attic-gpu")).json;

async function addAccount(): Promise<void> {
  const { url, key } = worker;
  const facts = { label: "Attic", workspace: "attic-gpu", kind: "http", base_url: url, worker_key: key };
  await call("/admin/accounts", "POST", { ...facts, slots: { image: 1, video: 0 } });
  await expect.poll(async () => (await account()).status).toBe("ready");
}

async function ended(id: string): Promise<Status> {
  await expect.poll(async () => (await call<Status>(`/status/${id}`)).json.status).toMatch(/done|failed/);
  return (await call<Status>(`/status/${id}`)).json;
}

async function waitingOf(id: string): Promise<AdminTask["waiting"]> {
  const { json } = await call<{ items: AdminTask[] }>("/admin/tasks");
  return json.items.find((item) => item.id === id)?.waiting ?? [];
}

describe("a server with a worker account", () => {
  test("sends tasks there as soon as the account is ready, and the embedded engine steps aside", async () => {
    await addAccount();
    const { json } = await call<{ models: Model[] }>("/models");
    const executors = Object.fromEntries(json.models.map(({ id, executor }) => [id, executor]));
    expect(executors).toEqual({ anisora: null, phr00t: "embedded", pony: "embedded", flux: "attic-gpu" });
    expect(json.models.find(({ id }) => id === "anisora")?.unavailable_reason?.code).toBe("no_slots");
    const { task_id } = (await submit()).json;
    expect(await ended(task_id)).toMatchObject({ status: "done", engine: "scripted", waiting_reason: null });
    expect(await account()).toMatchObject({ use_count: 1, circuit: { state: "closed", failures: 0, until: null } });
    const result = await fetch(`${server.url}/results/${task_id}`, { headers: { "x-api-key": server.secrets.apiKey } });
    expect([result.status, result.headers.get("content-type")]).toEqual([200, "image/png"]);
  });

  test("FR-011: nobody ready is no_workers; slots that are taken make a task wait, and it says why", async () => {
    await addAccount();
    worker.machine.script = () => [{ do: "hang" }];
    const first = (await submit()).json.task_id;
    await expect.poll(async () => (await account()).running).toEqual({ image: 1, video: 0 });
    const second = await submit();
    expect(second.status).toBe(202);
    const status = await call<Status>(`/status/${second.json.task_id}`);
    expect(status.json).toMatchObject({ status: "pending", waiting_reason: { code: "busy" } });
    expect(JSON.stringify(status.json)).not.toContain("attic-gpu");
    expect(await waitingOf(second.json.task_id)).toMatchObject([
      { workspace: "attic-gpu", code: "busy", detail: "Its slots are taken: 1 of 1 image, 0 of 0 video." },
      { workspace: "embedded", code: "stepped_aside" },
    ]);
    expect(await waitingOf(first)).toEqual([]);
    await call("/admin/accounts/attic-gpu/drain", "POST", { draining: true });
    expect((await call<Status>(`/status/${second.json.task_id}`)).json.waiting_reason?.code).toBe("draining");
    expect(await submit()).toMatchObject({ status: 503, json: { code: "no_workers" } });
    await call(`/cancel/${first}`, "POST");
    expect(await ended(first)).toMatchObject({ error: { code: "cancelled" } });
    expect((await call<Status>(`/status/${second.json.task_id}`)).json.status).toBe("pending");
  });

  test("pinned: unknown or disabled is 404, not ready or not offered 503, busy waits", async () => {
    expect(await submit({ workspace: "attic-gpu" })).toMatchObject({
      status: 404,
      json: { code: "proxy_target_invalid" },
    });
    await addAccount();
    expect(await submit({ workspace: "embedded" })).toMatchObject({ status: 404 });
    expect(await submit({ workspace: "attic-gpu", model: "pony", steps: 20 })).toMatchObject({
      status: 503,
      json: { code: "no_workers" },
    });
    worker.machine.script = () => [{ do: "hang" }];
    for (let task = 0; task < 2; task += 1) expect((await submit({ workspace: "attic-gpu" })).status).toBe(202);
    await call("/admin/accounts/attic-gpu/drain", "POST", { draining: true });
    expect(await submit({ workspace: "attic-gpu" })).toMatchObject({ status: 503, json: { code: "no_workers" } });
    await call("/admin/accounts/attic-gpu/disable?force=1", "POST");
    expect(await submit({ workspace: "attic-gpu" })).toMatchObject({
      status: 404,
      json: { code: "proxy_target_invalid" },
    });
  });

  test.each(["?force", "?force=1"])(
    "disabling with %s cancels what runs there, another word is refused",
    async (query) => {
      await addAccount();
      worker.machine.script = () => [{ do: "hang" }];
      const { task_id } = (await submit()).json;
      await expect.poll(() => worker.machine.running().length).toBe(1);
      expect((await call("/admin/accounts/attic-gpu/disable?force=maybe", "POST")).json).toMatchObject({
        errors: [{ field: "force", message: "force must be one of 0, 1." }],
      });
      await call(`/admin/accounts/attic-gpu/disable${query}`, "POST");
      expect(await ended(task_id)).toMatchObject({ status: "failed", error: { code: "cancelled" } });
    },
  );

  test("FR-006: a graceful stop leaves the run where it is; the next start picks it up", async () => {
    await addAccount();
    const free = Promise.withResolvers<void>();
    worker.machine.script = () => [{ do: "wait", until: free.promise }];
    const { task_id } = (await submit()).json;
    await expect.poll(() => worker.machine.running().length).toBe(1);
    await server.close();
    free.resolve();
    server = await open();
    expect(await ended(task_id)).toMatchObject({ status: "done", attempt: 1 });
    expect(worker.machine.started).toHaveLength(1);
  });
});

test("EMBEDDED_ENGINE=always: the miniature fills in while no account is ready", async () => {
  await server.close();
  server = await open({ EMBEDDED_ENGINE: "always" });
  await addAccount();
  const executorOf = async () =>
    (await call<{ models: Model[] }>("/models")).json.models.find(({ id }) => id === "flux")?.executor;
  expect(await executorOf()).toBe("attic-gpu");
  await call("/admin/accounts/attic-gpu/drain", "POST", { draining: true });
  expect(await executorOf()).toBe("embedded");
});
