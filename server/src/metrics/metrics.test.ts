// Metrics of a real server, over a real run and a restart.
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningServer, startServer } from "../main.ts";

const token = ["metrics", "token", "of", "a", "test"].join("-");
let folder: string;
let server: RunningServer;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-metrics-"));
  server = await start();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const start = () => startServer({ PORT: "0", DATA_DIR: folder, LOG_LEVEL: "silent", METRICS_TOKEN: token });

async function read(): Promise<(series: string) => number | undefined> {
  const answer = await fetch(`${server.url}/admin/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect(answer.status).toBe(200);
  const lines = (await answer.text()).split("\n");
  return (series) => {
    const line = lines.find((one) => one.startsWith(`${series} `));
    return line === undefined ? undefined : Number(line.slice(series.length + 1));
  };
}

async function make(): Promise<string> {
  const headers = { "x-api-key": server.secrets.apiKey, "content-type": "application/json" };
  const body = JSON.stringify({ model: "pony", prompt: "a red boat", width: 512, height: 512 });
  const answer = await fetch(`${server.url}/generate`, { method: "POST", headers, body });
  expect(answer.status).toBe(202);
  const made = (await answer.json()) as { task_id: string };
  for (;;) {
    const told = await fetch(`${server.url}/status/${made.task_id}?wait=10`, { headers });
    const { status } = (await told.json()) as { status: string };
    if (status === "done") return made.task_id;
    if (status === "failed") throw new Error("the task failed");
  }
}

test("count a real run, and after a restart begin anew while gauges stand", async () => {
  const labels = 'model="pony",executor="embedded"';
  expect((await read())(`safelight_tasks_total{${labels},outcome="done"}`)).toBeUndefined();
  await make();
  await make();
  const after = await read();
  expect(after(`safelight_tasks_total{${labels},outcome="done"}`)).toBe(2);
  expect(after(`safelight_task_wait_seconds_count{${labels}}`)).toBe(2);
  expect(after(`safelight_task_run_seconds_count{${labels}}`)).toBe(2);
  expect(after(`safelight_task_run_seconds_sum{${labels}}`)).toBeGreaterThan(0.01);
  expect(after('safelight_http_request_duration_seconds_count{route="/generate",method="POST",status="2xx"}')).toBe(2);
  expect(after("process_resident_memory_bytes")).toBeGreaterThan(10_000_000);
  expect(after("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
  expect(after('safelight_storage_bytes{kind="media"}')).toBeGreaterThan(1000);
  await server.close();
  const files = await readdir(join(folder, "media"), { recursive: true, withFileTypes: true });
  const sizes = files
    .filter((one) => one.isFile())
    .map(async (one) => (await stat(join(one.parentPath, one.name))).size);
  const stored = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
  server = await start();
  await expect.poll(async () => (await read())('safelight_storage_bytes{kind="media"}')).toBe(stored);
  const again = await read();
  expect(again(`safelight_tasks_total{${labels},outcome="done"}`)).toBeUndefined();
  expect(again('safelight_storage_bytes{kind="database"}')).toBeGreaterThan(50_000);
  expect(again('safelight_queue_tasks{state="pending"}')).toBe(0);
  const info = `safelight_build_info{version="0.1.0",node="${process.versions.node}"}`;
  expect(again(info)).toBe(1);
  await make();
  expect((await read())(`safelight_tasks_total{${labels},outcome="done"}`)).toBe(1);
}, 60_000);
