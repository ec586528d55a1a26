// A large result and small calls of `workspace::id` through the gateway, against the same worker asked directly. Both ways end in the
// same process, so the ratio is what the way through the gateway costs: a second server, and a hash over every byte.
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { Agent, get } from "node:http";
import { join } from "node:path";
import type { WorkerTask } from "@safelight/contract/worker";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "@safelight/e2e/server-process";
import { startWorkerProcess } from "@safelight/e2e/worker-process";
import { type Figure, median, megabytesPerSecond, milliseconds, rate } from "./figures.ts";
import { load } from "./load.ts";

const slice = 256 * 1024;
const id = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11";

interface Scale {
  readonly bytes: number;
  readonly rounds: number;
  readonly seeks: number;
  readonly seconds: number;
}

/** One address and who asks. */
interface Way {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Both ways to the same thing. */
interface Ways {
  readonly through: Way;
  readonly direct: Way;
}

export async function benchProxy({ small }: { small: boolean }): Promise<Figure[]> {
  const scale: Scale = small
    ? { bytes: 2 * 1024 * 1024, rounds: 2, seeks: 4, seconds: 0.3 }
    : { bytes: 256 * 1024 * 1024, rounds: 11, seeks: 400, seconds: 3 };
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  await keepResult(there.path, scale.bytes);
  const worker = await startWorkerProcess(there.path, ["--models", "pony"]);
  const server = await startServerProcess(here.path, { LOG_LEVEL: "error" });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await register(server, here.path, worker);
    const asWorker = { Authorization: `Bearer ${worker.key}`, "Safelight-Protocol": "1" };
    const asClient = { "X-API-Key": server.apiKey };
    const ways = (ours: string, theirs: string): Ways => ({
      through: { url: `${server.url}/${ours}/attic-gpu::${id}`, headers: asClient },
      direct: { url: `${worker.url}/tasks/${id}${theirs}`, headers: asWorker },
    });
    const file = ways("results", "/result");
    return [
      await whole(file, agent, scale),
      await seeking(file, agent, scale),
      await alone(ways("status", ""), agent, scale),
      await crowd(ways("status", ""), scale),
    ];
  } finally {
    agent.destroy();
    await server.stop("SIGKILL");
    await worker.stop();
    await here.remove();
    await there.remove();
  }
}

/** A finished attempt as a worker keeps it, whose file has so many bytes. */
async function keepResult(folder: string, bytes: number): Promise<void> {
  const golden = new URL("../../contract/examples/worker/worker-task.succeeded.json", import.meta.url);
  const known = JSON.parse(await readFile(golden, "utf8")) as WorkerTask;
  if (known.result === null) throw new Error("The example of a finished task has no result.");
  const content = randomBytes(bytes);
  const sha256 = createHash("sha256").update(content).digest("hex");
  const result = { ...known.result, bytes, sha256 };
  const task = { ...known, task_id: id, attempt: 1, result, ended_at: new Date().toISOString() };
  const results = join(folder, "media/results");
  await mkdir(results, { recursive: true });
  await writeFile(join(results, `${id}-1.png`), content);
  const kept = { task, preview: null, result: `results/${id}-1.png` };
  await writeFile(join(results, `${id}-1.json`), JSON.stringify(kept));
}

async function register(server: ServerProcess, folder: string, worker: { url: string; key: string }): Promise<void> {
  const key = (await readFile(join(folder, "secrets/admin-key"), "utf8")).trim();
  const session = await fetch(`${server.url}/admin/session`, { method: "POST", headers: { "X-Admin-Key": key } });
  const cookie = session.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const account = {
    label: "Attic",
    workspace: "attic-gpu",
    kind: "http",
    base_url: worker.url,
    worker_key: worker.key,
  };
  const answer = await fetch(`${server.url}/admin/accounts`, {
    method: "POST",
    headers: { cookie, "Content-Type": "application/json" },
    body: JSON.stringify(account),
  });
  if (answer.status !== 201) throw new Error(`The account was not taken: ${await answer.text()}`);
}

async function whole(ways: Ways, agent: Agent, { bytes, rounds }: Scale): Promise<Figure> {
  for (let warmUp = 0; warmUp < 2; warmUp += 1) await read(ways.through, agent, bytes);
  const times = await inTurns(ways, rounds, (way) => read(way, agent, bytes));
  const what = `workspace::id, ${Math.round(bytes / 1024 / 1024)} MB result`;
  return inTime(what, times, 0.4, (ms) => megabytesPerSecond(bytes, ms));
}

async function seeking(ways: Ways, agent: Agent, { bytes, seeks }: Scale): Promise<Figure> {
  let seek = 0;
  const times = await inTurns(ways, seeks, (way) => {
    seek += 1;
    return read(way, agent, slice, (seek * 7_919 * 4_096) % (bytes - slice));
  });
  return inTime("workspace::id, seek, 256 kB each", times, 0.3, milliseconds);
}

async function alone(ways: Ways, agent: Agent, { seeks }: Scale): Promise<Figure> {
  const times = await inTurns(ways, seeks, (way) => read(way, agent));
  return inTime("workspace::id, one status", times, 0.2, milliseconds);
}

async function crowd(ways: Ways, { seconds }: Scale): Promise<Figure> {
  const [through, direct]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    const common = { connections: 20, seconds, expectedStatus: 200 };
    direct.push((await load({ ...common, ...ways.direct })).perSecond);
    const ours = await load({ ...common, ...ways.through });
    if (ours.unexpected > 0) throw new Error(`${ours.unexpected} answers were no 200`);
    through.push(ours.perSecond);
  }
  const ratio = median(through) / median(direct);
  return {
    what: "workspace::id, status, 20 connections",
    measured: rate(median(through)),
    against: `${rate(median(direct))} the worker itself`,
    ratio,
    target: "≥ 0.10",
    reached: ratio >= 0.1,
  };
}

async function inTurns(ways: Ways, rounds: number, measure: (way: Way) => Promise<number>) {
  const times: { through: number[]; direct: number[] } = { through: [], direct: [] };
  for (let round = 0; round < rounds; round += 1) {
    times.direct.push(await measure(ways.direct));
    times.through.push(await measure(ways.through));
  }
  return times;
}

function inTime(
  what: string,
  { through, direct }: { through: number[]; direct: number[] },
  target: number,
  show: (ms: number) => string,
): Figure {
  const ratio = median(direct) / median(through);
  return {
    what,
    measured: show(median(through)),
    against: `${show(median(direct))} the worker itself`,
    ratio,
    target: `≥ ${target.toFixed(2)}`,
    reached: ratio >= target,
  };
}

/** Reads to the end and answers the time in ms. With a start, a slice from there; with a size, exactly so many bytes. */
async function read({ url, headers }: Way, agent: Agent, size?: number, start?: number): Promise<number> {
  const range = start === undefined ? {} : { Range: `bytes=${start}-${start + slice - 1}` };
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const outgoing = get(url, { headers: { ...headers, ...range }, agent }, (response) => {
      let bytes = 0;
      response.on("data", (chunk: Buffer) => (bytes += chunk.length));
      response.on("error", reject);
      response.on("end", () => {
        const isRight = response.statusCode === (start === undefined ? 200 : 206) && (size ?? bytes) === bytes;
        if (isRight) resolve();
        else reject(new Error(`${url} answered ${response.statusCode} with ${bytes} bytes`));
      });
    });
    outgoing.on("error", reject);
  });
  return performance.now() - began;
}
