// What a task costs that goes through the gateway to a worker, against the same task given to the worker itself. The worker is a real one
// whose pictures are drawn by a script in a fixed time, so what is left is the way: two servers instead of one, seven durable commits,
// and a look into every result.
import { Gateway } from "@safelight/e2e/gateway";
import { temporaryDirectory } from "@safelight/e2e/server-process";
import { startWorkerProcess, type WorkerProcess } from "@safelight/e2e/worker-process";
import { type Figure, median, milliseconds, percentile, rate } from "./figures.ts";

const drawingMs = 100;
const slots = 8;
const mostOverheadMs = 40;
const leastShare = 0.2;

type Draw = (nth: number) => Promise<void>;

export async function benchRouting({ small }: { small: boolean }): Promise<Figure[]> {
  const [rounds, together] = small ? [3, 8] : [40, 160];
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const worker = await startWorkerProcess(there.path, ["--slots", String(slots)], "script");
  const gateway = await Gateway.start(here.path, { LOG_LEVEL: "error" });
  try {
    await gateway.logIn();
    await gateway.addWorker("attic-gpu", worker, slots);
    const through: Draw = async (nth) => {
      const id = await gateway.submit(`task-${nth}`, { ...request, seed: drawingMs });
      const { status } = await gateway.ended(id);
      if (status !== "done") throw new Error(`A task ended ${status}.`);
      await gateway.result(id);
    };
    const direct: Draw = (nth) => drawDirectly(worker, nth);
    return [await alone(through, direct, rounds), await crowd(through, direct, together)];
  } finally {
    await gateway.server.stop("SIGKILL");
    await worker.stop();
    await here.remove();
    await there.remove();
  }
}

const request = { model: "flux", prompt: "a red boat at sea", width: 512, height: 512, steps: 15 };
let counter = 0;

async function alone(through: Draw, direct: Draw, rounds: number): Promise<Figure> {
  const times: { through: number[]; direct: number[] } = { through: [], direct: [] };
  for (let round = 0; round < rounds + 3; round += 1) {
    const theirs = await timed(direct);
    const ours = await timed(through);
    // The first ones compile statements and schemas.
    if (round < 3) continue;
    times.direct.push(theirs);
    times.through.push(ours);
  }
  const overhead = median(times.through) - median(times.direct);
  return {
    what: `routing, one task, drawn in ${drawingMs} ms`,
    measured: milliseconds(median(times.through)),
    against: `${milliseconds(median(times.direct))} the worker itself`,
    ratio: median(times.direct) / median(times.through),
    target: `≤ ${mostOverheadMs} ms more`,
    reached: overhead <= mostOverheadMs,
    note: `${milliseconds(overhead)} more for the whole way: submit, claim, start, watch, result, verify, store, wait; p95 ${milliseconds(percentile(times.through, 0.95))} against ${milliseconds(percentile(times.direct, 0.95))}`,
  };
}

async function timed(draw: Draw): Promise<number> {
  counter += 1;
  const began = performance.now();
  await draw(counter);
  return performance.now() - began;
}

/** Every slot kept busy: how much of the worker's own pace is left. */
async function crowd(through: Draw, direct: Draw, tasks: number): Promise<Figure> {
  const theirs = await perSecond(tasks, direct);
  const ours = await perSecond(tasks, through);
  return {
    what: `routing, ${slots} slots kept busy`,
    measured: rate(ours),
    against: `${rate(theirs)} the worker itself`,
    ratio: ours / theirs,
    target: `≥ ${leastShare.toFixed(2)}`,
    reached: ours / theirs >= leastShare,
  };
}

async function perSecond(tasks: number, draw: Draw): Promise<number> {
  let left = tasks;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: slots }, async () => {
      while (left > 0) {
        left -= 1;
        counter += 1;
        await draw(counter);
      }
    }),
  );
  return tasks / ((performance.now() - began) / 1000);
}

/** What a gateway does, and nothing else: start, wait, fetch, forget. */
async function drawDirectly({ url, key }: WorkerProcess, nth: number): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, "safelight-protocol": "1", "content-type": "application/json" };
  const id = `0195a3c2-7f10-7c3e-8a52-${String(nth).padStart(12, "0")}`;
  const { model, prompt, ...parameters } = request;
  const task = { task_id: id, attempt: 1, model, mode: "txt2img", prompt, negative_prompt: "", parameters };
  const body = JSON.stringify({ ...task, seed: drawingMs, deadline_s: 60, media: [] });
  let state = await read(await fetch(`${url}/tasks`, { method: "POST", headers, body }));
  while (state.state === "running") {
    state = await read(await fetch(`${url}/tasks/${id}?wait=20&after=${state.version}`, { headers }));
  }
  const result = await fetch(`${url}/tasks/${id}/result`, { headers });
  if (!result.ok) throw new Error(`The worker answered ${result.status}.`);
  await result.arrayBuffer();
  const { "content-type": _none, ...plain } = headers;
  await fetch(`${url}/tasks/${id}`, { method: "DELETE", headers: plain });
}

async function read(answer: Response): Promise<{ state: string; version: number }> {
  if (!answer.ok) throw new Error(`The worker answered ${answer.status}: ${await answer.text()}`);
  return (await answer.json()) as { state: string; version: number };
}
