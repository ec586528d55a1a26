// kill -9 under load (FR-002, FR-006, SC-002): every acknowledged task ends done with a readable file, or failed with a
// reason; none is lost, none has two results. 4 kills in npm test, 50 in npm run test:long.
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { type ServerProcess, spawnServer, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

const long = process.env["SAFELIGHT_TEST_LONG"] === "1";
const kills = long ? 50 : 4;
const clients = 4;
/** Milliseconds between two tasks of one client: what is waiting at the last kill has to be drawn in the end. */
const between = long ? 350 : 700;
const directory = await temporaryDirectory();
afterAll(() => directory.remove());

interface Submission {
  readonly key: string;
  readonly body: Record<string, unknown>;
  taskId: string | null;
}

test(
  `kill -9 ${kills} times at random moments loses no acknowledged task (FR-002, FR-006, SC-002)`,
  async () => {
    const random = seededRandom(20_260_101);
    const submissions: Submission[] = [];
    let server = await startServerProcess(directory.path);
    let running = true;
    const load = Array.from({ length: clients }, (_, client) =>
      submitForever(
        client,
        submissions,
        () => server,
        () => running,
      ),
    );

    for (let kill = 0; kill < kills; kill += 1) {
      await sleep(50 + random() * 1_400);
      await server.stop("SIGKILL");
      // An odd kill hits start-up and recovery themselves.
      server =
        kill % 3 === 2 ? await killDuringStart(directory.path, random) : await startServerProcess(directory.path);
    }
    await sleep(300);
    running = false;
    await Promise.all(load);

    const acknowledged = submissions.filter((submission) => submission.taskId !== null);
    expect(acknowledged.length).toBeGreaterThan(kills);
    expect(acknowledged.length, "every submission was acknowledged in the end").toBe(submissions.length);
    await waitForAllToEnd(server, acknowledged);
    for (const submission of acknowledged) await expectEndedProperly(server, submission);
    await server.stop("SIGTERM");
    await expectOneRecordAndOneFileEach(acknowledged);
  },
  30 * 60_000,
);

/** One client: submits with an idempotency key, repeats until acknowledged, never has more than a few tasks waiting. */
async function submitForever(
  client: number,
  submissions: Submission[],
  server: () => ServerProcess,
  running: () => boolean,
): Promise<void> {
  for (let count = 0; running(); count += 1) {
    const submission: Submission = { key: `client-${client}-${count}`, body: request(client, count), taskId: null };
    submissions.push(submission);
    while (submission.taskId === null) submission.taskId = await submit(server(), submission);
    await sleep(between);
  }
}

function request(client: number, count: number): Record<string, unknown> {
  const common = { prompt: `a red boat at sunset on the sea`, seed: client * 1_000 + count };
  if (count % 9 === 4) return { ...common, model: "phr00t", mode: "t2v", width: 512, height: 512, num_frames: 49 };
  return { ...common, model: "pony", width: 512, height: 512, steps: 20 };
}

async function submit(server: ServerProcess, submission: Submission): Promise<string | null> {
  try {
    const response = await fetch(`${server.url}/generate`, {
      method: "POST",
      headers: {
        "X-API-Key": server.apiKey,
        "Content-Type": "application/json",
        "Idempotency-Key": submission.key,
      },
      body: JSON.stringify(submission.body),
    });
    const answer = (await response.json()) as { task_id?: string; code?: string };
    if (response.status === 202 && answer.task_id !== undefined) return answer.task_id;
    if (response.status !== 503) throw new Refused(`${response.status} ${JSON.stringify(answer)}`);
  } catch (error) {
    if (error instanceof Refused) throw error; // anything else: the server is being killed or started
  }
  await sleep(50);
  return null;
}

class Refused extends Error {}

/** Kills a server at a random moment of its start-up, then starts the one that stays. */
async function killDuringStart(dataDirectory: string, random: () => number): Promise<ServerProcess> {
  const child = spawnServer(dataDirectory);
  const ended = once(child, "exit");
  await sleep(random() * 900);
  child.kill("SIGKILL");
  await ended;
  return await startServerProcess(dataDirectory);
}

async function waitForAllToEnd(server: ServerProcess, submissions: readonly Submission[]): Promise<void> {
  for (const submission of submissions) {
    for (;;) {
      const status = await statusOf(server, submission, "?wait=20");
      if (status["status"] === "done" || status["status"] === "failed") break;
    }
  }
}

async function statusOf(server: ServerProcess, submission: Submission, query = ""): Promise<Record<string, unknown>> {
  const response = await fetch(`${server.url}/status/${submission.taskId}${query}`, {
    headers: { "X-API-Key": server.apiKey },
  });
  expect(response.status, `task ${submission.taskId} is known`).toBe(200);
  return (await response.json()) as Record<string, unknown>;
}

async function expectEndedProperly(server: ServerProcess, submission: Submission): Promise<void> {
  const status = await statusOf(server, submission);
  if (status["status"] === "failed") {
    expect(status["error"]).toMatchObject({ code: expect.any(String), user_action: expect.any(String) });
    return;
  }
  const response = await fetch(`${server.url}${String(status["result_url"])}`, {
    headers: { "X-API-Key": server.apiKey },
  });
  expect(response.status).toBe(200);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.headers.get("content-type") === "image/png") {
    const { width, height } = await sharp(bytes, { failOn: "warning" })
      .stats()
      .then(() => sharp(bytes).metadata());
    expect([width, height]).toEqual([512, 512]);
  } else {
    expect(response.headers.get("content-type")).toBe("video/mp4");
    expect(bytes.subarray(4, 8).toString("latin1")).toBe("ftyp");
    expect(bytes.includes(Buffer.from("moov"))).toBe(true);
  }
}

async function expectOneRecordAndOneFileEach(submissions: readonly Submission[]): Promise<void> {
  const database = new DatabaseSync(join(directory.path, "safelight.sqlite"), { readOnly: true });
  const tasks = database.prepare("select id, status, result_path from tasks").all() as {
    id: string;
    status: string;
    result_path: string | null;
  }[];
  expect(database.prepare("pragma integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  database.close();
  expect(new Set(submissions.map((submission) => submission.taskId)).size, "one task per idempotency key").toBe(
    submissions.length,
  );
  expect(tasks.map((task) => task.id).toSorted()).toEqual(
    submissions.map((submission) => String(submission.taskId)).toSorted(),
  );
  const files = await readdir(join(directory.path, "media/results"));
  for (const task of tasks) {
    const own = files.filter((file) => file.startsWith(task.id));
    expect(own.length, `result files of ${task.id}, ${task.status}`).toBe(task.status === "done" ? 1 : 0);
  }
  expect(tasks.filter((task) => task.status === "done").length, "most tasks are done").toBeGreaterThan(
    tasks.length * 0.9,
  );
}

/** mulberry32: the same moments in every run, as far as the machine allows. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}
