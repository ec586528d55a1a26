// Three worker processes behind one gateway (FR-006, FR-011): one is killed in mid-run, one is stopped dead, one is slow, and the
// gateway itself is killed and started again; every task ends done, once, with its one result. 80 tasks drawn by a script in npm test,
// 200 drawn by the engine in npm run test:long.
import { readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { standInFront, type WorkerFront } from "@safelight/server/testing/worker-front";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gateway } from "./src/gateway.ts";
import { temporaryDirectory } from "./src/server-process.ts";
import { startWorkerProcess, type WorkerProcess } from "./src/worker-process.ts";

const long = process.env["SAFELIGHT_TEST_LONG"] === "1";
const drawing = long ? "engine" : "script";
const tasks = long ? 200 : 80;
const slots = 4;
const names = ["first-gpu", "second-gpu", "third-gpu"] as const;

const folders = await Promise.all([temporaryDirectory(), ...names.map(() => temporaryDirectory())]);
const workers: WorkerProcess[] = [];
let slow: WorkerFront;
let gateway: Gateway;

beforeAll(async () => {
  for (const { path } of folders.slice(1)) {
    workers.push(await startWorkerProcess(path, ["--slots", String(slots)], drawing));
  }
  slow = await standInFront(workers[2]?.url ?? "");
  gateway = await Gateway.start(folders[0]?.path ?? "");
  await gateway.logIn();
});

afterAll(async () => {
  await gateway?.server.stop("SIGKILL");
  await slow?.close();
  for (const worker of workers) {
    await worker.signal("SIGCONT");
    await worker.signal("SIGKILL");
  }
  await Promise.all(folders.map((folder) => folder.remove()));
});

const request = (seed: number) => ({ model: "flux", prompt: "a red boat", width: 512, height: 512, steps: 15, seed });

test(
  `${tasks} tasks end done, none twice, while one worker dies, one hangs, one is slow and the gateway is killed`,
  async () => {
    for (const [index, name] of names.entries()) {
      const { url, key } = workers[index] as WorkerProcess;
      await gateway.addWorker(name, { url: name === "third-gpu" ? slow.url : url, key }, slots);
    }
    const ids: string[] = [];
    const submitUntil = async (count: number) => {
      while (ids.length < count) ids.push(await gateway.submit(`task-${ids.length}`, request(10_000 + ids.length)));
    };
    // None ends before every slot is taken.
    for (const name of names) await hold(name);
    await submitUntil(3 * slots);
    await until(() => dispatched().length >= 3 * slots, "every slot to be taken");
    if (!long) expectEvenSpread();
    for (const name of names) await release(name);

    slow.delay = 40;
    const submitting = submitUntil(tasks);
    await until(() => countOf("run concluded") >= 20, "the first runs to end");
    await until(
      () => dispatched().filter((name) => name === names[0]).length > slots,
      "the first worker to be at work",
    );
    await beAtWork("first-gpu");
    await workers[0]?.signal("SIGKILL");
    await beAtWork("second-gpu");
    await workers[1]?.signal("SIGSTOP");
    await until(() => countOf("run concluded") >= 40, "more runs to end");
    await beAtWork("third-gpu");
    await submitting;
    await gateway.killAndRestart();
    await release("third-gpu");

    for (const id of ids) expect(await gateway.ended(id), id).toMatchObject({ status: "done", error: null });
    await expectOneRightResultEach(ids);
    await gateway.logIn();
    // Whoever does not answer a check for ten seconds has failed it.
    for (const name of ["first-gpu", "second-gpu"]) {
      await expect
        .poll(async () => (await gateway.account(name)).status, { timeout: 60_000, interval: 1_000 })
        .toBe("failed");
    }
    expect(await gateway.account("third-gpu")).toMatchObject({ status: "ready", running: { image: 0, video: 0 } });
    expect(gateway.logged().some((line) => line["msg"] === "run concluded" && line["picked_up"] === true)).toBe(true);
    await gateway.server.stop("SIGTERM");
    await expectOneRecordEach(ids);
  },
  long ? 20 * 60_000 : 300_000,
);

const holdFile = (name: string) => join(folders[names.indexOf(name as "first-gpu") + 1]?.path ?? "", "hold");

/** Whatever this worker draws is not done before it is released. The engine knows nothing of it: there are more steps to meet. */
const hold = (name: string) => writeFile(holdFile(name), "");
const release = (name: string) => rm(holdFile(name), { force: true });

/** Holds a worker and waits until something runs there, so that what happens to it next happens in the middle of a run. */
async function beAtWork(name: string): Promise<void> {
  if (long) return;
  await hold(name);
  const isRunning = async () => (await gateway.account(name)).running.image > 0;
  await expect.poll(isRunning, { timeout: 60_000, interval: 500 }).toBe(true);
}

function countOf(message: string): number {
  return gateway.logged().filter(({ msg }) => msg === message).length;
}

/** Where tasks were sent, in order. */
function dispatched(): string[] {
  return gateway.logged().flatMap(({ msg, executor }) => (msg === "task dispatched" ? [String(executor)] : []));
}

/** Equally loaded workers take turns: of every three tasks that follow each other each worker gets one. */
function expectEvenSpread(): void {
  const sent = dispatched().slice(0, 3 * slots);
  for (let round = 0; round < slots; round += 1) {
    expect(sent.slice(3 * round, 3 * round + 3).sort(), `round ${round} of ${sent.join()}`).toEqual([...names].sort());
  }
  // Nobody was sent more than it has room for.
  expect(gateway.logged().filter(({ reason }) => reason === "busy")).toEqual([]);
}

async function expectOneRightResultEach(ids: readonly string[]): Promise<void> {
  expect(new Set(ids).size).toBe(tasks);
  for (const id of ids) {
    const { width, height, format } = await sharp(await gateway.result(id)).metadata();
    expect([width, height, format], id).toEqual([512, 512, "png"]);
  }
}

async function expectOneRecordEach(ids: readonly string[]): Promise<void> {
  const folder = folders[0]?.path ?? "";
  const database = new DatabaseSync(join(folder, "safelight.sqlite"), { readOnly: true });
  try {
    expect(database.prepare("SELECT count(*) AS count FROM tasks").get()).toEqual({ count: tasks });
    const ends = database
      .prepare(
        'SELECT task_id AS id, count(*) AS count FROM events WHERE data LIKE \'%"status":"done"%\' GROUP BY task_id',
      )
      .all();
    expect(new Map(ends.map(({ id, count }) => [id, count]))).toEqual(new Map(ids.map((id) => [id, 1])));
    const attempts = database.prepare("SELECT max(attempt) AS most, sum(attempt > 1) AS again FROM tasks").get();
    expect(Number(attempts?.["most"])).toBeLessThanOrEqual(3);
    expect(Number(attempts?.["again"]), "runs of the killed and the stopped worker were begun anew").toBeGreaterThan(0);
  } finally {
    database.close();
  }
  expect(await readdir(join(folder, "media/results"))).toHaveLength(tasks);
}

async function until(condition: () => boolean, what: string): Promise<void> {
  await expect.poll(condition, { timeout: long ? 300_000 : 60_000, interval: 20, message: what }).toBe(true);
}
