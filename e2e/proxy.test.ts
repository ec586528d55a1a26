// A task inside a workspace, through real processes: a gateway, `safelight worker`, and between the two a listener.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, type Status } from "@safelight/contract";
import { workerHeaders, workerProtocol } from "@safelight/contract/worker";
import { type Recorder, recordInFrontOf } from "@safelight/server/testing/recorders";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";
import { startWorkerProcess, type WorkerProcess } from "./src/worker-process.ts";

const id = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11";
const inside = `attic-gpu::${id}`;
const closers: (() => unknown)[] = [];
let worker: WorkerProcess;
let server: ServerProcess;
let recorder: Recorder;
let cookie: string;
let folder: string;

beforeAll(async () => {
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  closers.push(
    () => here.remove(),
    () => there.remove(),
  );
  folder = there.path;
  worker = await startWorkerProcess(folder, ["--models", "pony"]);
  closers.push(() => worker.stop());
  recorder = await recordInFrontOf(worker.url);
  closers.push(() => recorder.close());
  server = await startServerProcess(here.path);
  closers.push(() => server.stop("SIGTERM"));
  const adminKey = (await readFile(join(here.path, "secrets/admin-key"), "utf8")).trim();
  const answer = await fetch(`${server.url}/admin/session`, { method: "POST", headers: { "x-admin-key": adminKey } });
  cookie = String(answer.headers.getSetCookie()[0]).split(";")[0] ?? "";
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const admin = (method: string, path: string, body?: object) =>
  fetch(`${server.url}/admin/accounts${path}`, {
    method,
    headers: { cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
const ask = (path: string, init: RequestInit = {}) =>
  fetch(server.url + path, { ...init, headers: { "x-api-key": server.apiKey, ...(init.headers as object) } });

/** Hands the worker an attempt, as a gateway of its own would. */
async function begin(attempt: number, steps: number): Promise<void> {
  const golden = JSON.parse(
    await readFile(new URL("../contract/examples/worker/worker-task-request.image.json", import.meta.url), "utf8"),
  ) as object;
  // As large as can be: a run that ends before it was looked at would show nothing.
  const parameters = { width: 1280, height: 1280, steps };
  const body = JSON.stringify({
    ...golden,
    task_id: id,
    attempt,
    model: "pony",
    mode: "txt2img",
    parameters,
    media: [],
  });
  const answer = await fetch(`${worker.url}/tasks`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${worker.key}`,
      [workerHeaders.protocol]: String(workerProtocol),
      "content-type": "application/json",
    },
    body,
  });
  expect([answer.status, await answer.text()]).toEqual([202, expect.any(String)]);
}

test("status, preview, result with ranges and cancel, all with the account's own key", async () => {
  const account = {
    label: "Attic",
    workspace: "attic-gpu",
    kind: "http",
    base_url: recorder.url,
    worker_key: worker.key,
  };
  expect((await ask(`/status/${inside}`)).status).toBe(404);
  expect((await admin("POST", "", account)).status).toBe(201);
  expect(await (await ask(`/status/${inside}`)).json()).toMatchObject({ code: "task_not_found" });

  await begin(1, 50);
  const client = createClient({ baseUrl: server.url, apiKey: server.apiKey });
  let status: Status = await client.getStatus({ path: { id: inside } });
  const seen = new Set<number>();
  while (status.status === "processing") {
    seen.add(status.progress);
    status = await client.getStatus({ path: { id: inside }, query: { wait: 20 } });
  }
  expect(status).toMatchObject({ task_id: inside, status: "done", progress: 100, engine: "sketch", type: "image" });
  expect(seen.size).toBeGreaterThan(1);

  const answer = await ask(`/results/${inside}`);
  const whole = Buffer.from(await answer.arrayBuffer());
  expect(whole.byteLength).toBe(status.result?.bytes);
  expect(whole.subarray(1, 4).toString()).toBe("PNG");
  const part = await ask(`/results/${inside}`, { headers: { range: "bytes=1-3" } });
  expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([
    206,
    `bytes 1-3/${whole.byteLength}`,
    "PNG",
  ]);
  const again = await ask(`/results/${inside}`, { headers: { "if-none-match": answer.headers.get("etag") ?? "" } });
  expect(again.status).toBe(304);
  const plain = Buffer.from(await (await ask(`/results/${inside}?metadata=0`)).arrayBuffer());
  expect(plain.byteLength).toBeLessThan(whole.byteLength);
  const preview = await ask(`/preview/${inside}`);
  expect([preview.status, preview.headers.get("cache-control")]).toEqual([200, "no-store"]);

  await begin(2, 50);
  const cancelled = await ask(`/cancel/${inside}`, { method: "POST" });
  expect(await cancelled.json()).toMatchObject({ status: "failed", attempt: 2, error: { code: "cancelled" } });
  expect(await (await ask(`/results/${inside}`)).json()).toMatchObject({ code: "task_failed" });

  const heard = recorder.heard();
  expect(heard).toContain(worker.key);
  expect(heard).not.toContain(server.apiKey);
  expect(heard).not.toContain("gg_");
  expect(server.output()).not.toContain(worker.key);
});

test("a worker that has died is worker_unreachable, one that is back is asked again, a deleted account never", async () => {
  await worker.stop();
  expect(await (await ask(`/status/${inside}`)).json()).toMatchObject({ code: "worker_unreachable", status: 502 });
  worker = await startWorkerProcess(folder, ["--models", "pony", "--port", new URL(worker.url).port]);
  expect(await (await ask(`/status/${inside}`)).json()).toMatchObject({ status: "failed", attempt: 2 });
  recorder.forget();
  expect((await admin("DELETE", "/attic-gpu")).status).toBe(200);
  expect(await (await ask(`/status/${inside}`)).json()).toMatchObject({ code: "proxy_target_invalid" });
  expect(recorder.heard()).toBe("");
});
