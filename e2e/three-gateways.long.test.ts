// Three gateways on one PostgreSQL and one bucket (FR-002, FR-006): while 300 tasks are submitted and drawn, each gateway is killed
// in its turn, the database crashes and the bucket answers 503 for ten seconds. Every task ends done, once, with its one result, and
// everyone who listens hears all of it once, whichever gateway they were connected to.
import { createHash } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type PostgresServer, startPostgres } from "@safelight/server/testing/postgres-server";
import { type S3Server, startS3Server } from "@safelight/server/testing/s3-server";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Cluster } from "./src/cluster.ts";
import { EventListener } from "./src/event-listener.ts";
import { temporaryDirectory } from "./src/server-process.ts";
import { startWorkerProcess, type WorkerProcess } from "./src/worker-process.ts";

const tasks = 300;
const clients = 36;
const slots = 4;
const workerNames = ["first-gpu", "second-gpu"] as const;
/** What a gateway draws itself, one task in five. */
const ownModel = "pony";
const workersModel = "flux";

const folders = await Promise.all([temporaryDirectory(), ...workerNames.map(() => temporaryDirectory())]);
const workers: WorkerProcess[] = [];
let postgres: PostgresServer;
let s3: S3Server;
let url: string;
let apiKey: string;
let cluster: Cluster;
const listeners: EventListener[] = [];

beforeAll(async () => {
  [postgres, s3] = await Promise.all([startPostgres({ durable: true }), startS3Server()]);
  url = await postgres.createDatabase({ empty: true });
  const settings = { DATABASE_URL: url, ...s3.environment, EMBEDDED_ENGINE: "auto", LOG_LEVEL: "info" };
  cluster = await Cluster.start(folders[0]?.path ?? "", 3, settings);
  apiKey = cluster.gateway(0).server.apiKey;
  await cluster.gateway(0).logIn();
  for (const [index, name] of workerNames.entries()) {
    const options = ["--slots", String(slots), "--models", workersModel];
    const worker = await startWorkerProcess(folders[index + 1]?.path ?? "", options, "script");
    workers.push(worker);
    await cluster.gateway(0).addWorker(name, worker, slots);
  }
}, 300_000);

afterAll(async () => {
  await Promise.all(listeners.map((listener) => listener.stop()));
  await cluster?.stop("SIGKILL");
  for (const worker of workers) await worker.signal("SIGKILL");
  await s3?.close();
  await postgres?.stop();
  await Promise.all(folders.map((folder) => folder.remove()));
});

afterEach(({ task }) => {
  if (task.result?.state === "fail") console.error(cluster.complaints());
});

test(
  `${tasks} tasks end done, none twice, while gateways are killed, PostgreSQL crashes and S3 answers 503`,
  async () => {
    for (let index = 0; index < 3; index += 1) listeners.push(new EventListener(cluster, apiKey));
    await Promise.all(workerNames.map(hold));
    const submitted = new Map<string, string>();
    const ended = new Set<string>();
    const load = Promise.all(Array.from({ length: clients }, (_, client) => submitAndWait(client, submitted, ended)));
    const disturbing = disturb(() => ended.size);
    // Whichever fails first says why.
    await Promise.all([load, disturbing]);

    expect(submitted.size).toBe(tasks);
    const ids = [...submitted.values()];
    expect(new Set(ids).size, "one task for each key").toBe(tasks);
    await expectSameAnswers(submitted);
    await expectOneRecordEach(submitted);
    await expectOneRightResultEach(ids);
    await expectHeardOnce(ids);
    await expectNothingLeftRunning();
    await expectIntactAudit();
    await expectOrderlyEnd();
  },
  12 * 60_000,
);

/** One after the other takes the next task that nobody has, submits it and waits for its end, at any gateway. */
async function submitAndWait(client: number, submitted: Map<string, string>, ended: Set<string>): Promise<void> {
  for (let number = client; number < tasks; number += clients) {
    const key = `task-${number}`;
    const id = await cluster.submit(key, requestOf(number));
    submitted.set(key, id);
    expect(await cluster.ended(id), id).toMatchObject({ status: "done", error: null });
    ended.add(id);
  }
}

function requestOf(number: number): Record<string, unknown> {
  const drawn = number % 5 === 0 ? { model: ownModel, steps: 20 } : { model: workersModel, steps: 15 };
  return { ...drawn, prompt: "a red boat at sea", width: 512, height: 512, seed: 10_000 + number };
}

/** Everything that happens to the installation meanwhile; the work goes on between. */
async function disturb(ended: () => number): Promise<void> {
  const until = (count: number) => soon(() => ended() >= count, `${count} tasks to end`);
  // Held runs: the gateway that is killed first has some for certain, and others take them over.
  await soon(() => running().reduce((sum, count) => sum + count, 0) >= 2 * slots, "every slot to be taken");
  const busiest = running().indexOf(Math.max(...running()));
  await cluster.gateway(busiest).server.stop("SIGKILL");
  await Promise.all(workerNames.map(release));
  await until(tasks / 15);
  await cluster.gateway(busiest).startAgain();

  await until(tasks / 5);
  const well = performance.now() + 10_000;
  s3.meddle(() => (performance.now() < well ? { status: 503, code: "SlowDown" } : null));
  await cluster.gateway((busiest + 1) % 3).killAndRestart();

  await until((tasks * 4) / 9);
  await postgres.crash();
  await postgres.start();

  await until((tasks * 2) / 3);
  await cluster.gateway((busiest + 2) % 3).killAndRestart();
  await until(tasks * 0.9);
  await cluster.gateway(busiest).killAndRestart();
  expect(performance.now(), "503 lay in between").toBeGreaterThan(well);
}

const holdFile = (name: (typeof workerNames)[number]) =>
  join(folders[workerNames.indexOf(name) + 1]?.path ?? "", "hold");
const hold = (name: (typeof workerNames)[number]) => writeFile(holdFile(name), "");
const release = (name: (typeof workerNames)[number]) => rm(holdFile(name), { force: true });

/** Of each gateway: runs on workers that it has begun and not concluded. */
function running(): number[] {
  return cluster.gateways.map((gateway) => {
    const logged = gateway.logged().filter(({ executor }) => executor !== "embedded");
    const count = (message: string) => logged.filter(({ msg }) => msg === message).length;
    return count("task dispatched") - count("run concluded");
  });
}

/** A key that is sent again is answered by every gateway with the task of the first time. */
async function expectSameAnswers(submitted: ReadonlyMap<string, string>): Promise<void> {
  for (const number of [0, 1, 2, 60, 61, 62, tasks - 3, tasks - 2, tasks - 1]) {
    const key = `task-${number}`;
    expect(await cluster.submit(key, requestOf(number)), key).toBe(submitted.get(key));
  }
}

async function expectOneRecordEach(submitted: ReadonlyMap<string, string>): Promise<void> {
  const rows = await postgres.query(url, "SELECT id, status, attempt, executor, lease_owner FROM tasks ORDER BY id");
  expect(rows.map(({ id }) => id)).toEqual([...submitted.values()].sort());
  expect(rows.filter(({ status, lease_owner: owner }) => status !== "done" || owner !== null)).toEqual([]);
  const keys = await postgres.query(url, "SELECT key, task_id FROM idempotency WHERE key LIKE 'task-%'");
  expect(new Map(keys.map(({ key, task_id: id }) => [String(key), String(id)]))).toEqual(new Map(submitted));
  expect(keys).toHaveLength(tasks);
  expect(new Set(rows.map(({ executor }) => executor))).toEqual(new Set(["embedded", ...workerNames]));
  // A gateway's death uses up no attempt, and what it has begun on a worker goes on there.
  const again = rows.filter(({ attempt }) => Number(attempt) > 1);
  expect(again.length, `begun anew: ${JSON.stringify(again)}`).toBeLessThanOrEqual(10);
  const lines = cluster.gateways.flatMap((gateway) => gateway.logged());
  expect(lines.some(({ msg, picked_up: pickedUp }) => msg === "run concluded" && pickedUp === true)).toBe(true);
}

async function expectOneRightResultEach(ids: readonly string[]): Promise<void> {
  const rows = await postgres.query(url, "SELECT id, result_path, result_sha256, result_bytes FROM tasks");
  const recorded = new Map(rows.map((row) => [String(row["id"]), row]));
  const objects = await s3.objects();
  for (const id of ids) {
    const { result_sha256: sha256, result_bytes: bytes, result_path: path } = recorded.get(id) ?? {};
    const { body } = await cluster.result(id);
    expect([createHash("sha256").update(body).digest("hex"), body.length], id).toEqual([sha256, Number(bytes)]);
    expect(objects).toContain(`studio/${String(path)}`);
  }
  const named = new Set(rows.map(({ result_path: path }) => `studio/${String(path)}`));
  expect(named.size, "no two share a file").toBe(tasks);
  // What was stored by a gateway that could not write it down any more is no result; sweeping removes it after a while.
  const strays = objects.filter((key) => key.startsWith("studio/results/") && !named.has(key));
  expect(strays.length, strays.join()).toBeLessThanOrEqual(2 * clients);
}

/** Everyone heard the log as it stands: every id, in its order, and so the one end of each task. */
async function expectHeardOnce(ids: readonly string[]): Promise<void> {
  const log = (await postgres.query(url, "SELECT id FROM events ORDER BY id")).map(({ id }) => Number(id));
  expect(log.length).toBeGreaterThan(3 * tasks);
  for (const [index, listener] of listeners.entries()) {
    await soon(() => (listener.heard.at(-1)?.id ?? 0) >= (log.at(-1) ?? 0), `listener ${index} to hear the last`);
    expect(listener.faults).toEqual([]);
    expect(
      listener.heard.map(({ id }) => id),
      `listener ${index}`,
    ).toEqual(log);
    expect(listener.ends().sort()).toEqual([...ids].sort());
    expect(listener.connections, "had to come again").toBeGreaterThan(1);
    await listener.stop();
  }
}

async function expectNothingLeftRunning(): Promise<void> {
  for (const { url: worker, key } of workers) {
    const headers = { authorization: `Bearer ${key}`, "safelight-protocol": "1" };
    const busy = async () =>
      ((await (await fetch(`${worker}/health`, { headers })).json()) as { busy: { total: number } }).busy.total;
    await expect.poll(busy, { timeout: 60_000 }).toBe(0);
  }
  expect(await s3.unfinished()).toEqual([]);
}

async function expectIntactAudit(): Promise<void> {
  const gateway = cluster.gateway(1);
  await gateway.logIn();
  const verified = await gateway.asAdmin<{ intact: boolean; first_broken: unknown; checked: number }>(
    "/admin/logs/verify",
  );
  expect(verified).toMatchObject({ intact: true, first_broken: null });
  expect(verified.checked).toBeGreaterThan(0);
}

/** None of them has ended by itself, in an error that nobody caught or otherwise. */
async function expectOrderlyEnd(): Promise<void> {
  for (const { server } of cluster.gateways) {
    expect([server.child.exitCode, server.child.signalCode]).toEqual([null, null]);
  }
  await cluster.stop("SIGTERM");
  expect(cluster.gateways.map(({ server }) => server.child.exitCode)).toEqual([0, 0, 0]);
  const errors = cluster.gateways.flatMap((gateway) =>
    gateway.logged().filter(({ level }) => level === "error" || level === 50),
  );
  const unexpected = errors.filter(({ msg, code }) => !expectedErrors.has(String(msg)) && !refusals.has(String(code)));
  expect(unexpected).toEqual([]);
}

/** What a gateway may say of a database that was taken away. */
const expectedErrors: ReadonlySet<string> = new Set([
  "the database cannot be relied on: nobody is let in until it is well again",
  "a write to the database failed",
  "no task could be claimed",
  "how a run ended could not be stored",
  "a regular check failed",
  "an event stream broke off",
]);

/** What a request is refused with meanwhile. */
const refusals: ReadonlySet<string> = new Set(["storage_unavailable", "auth_unavailable"]);

async function soon(condition: () => boolean, what: string): Promise<void> {
  await expect.poll(condition, { timeout: 300_000, interval: 50, message: what }).toBe(true);
}
