import { createHash } from "node:crypto";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type WorkerTask, type WorkerTaskRequest, workerTaskErrorCodes } from "@safelight/contract/worker";
import { afterEach, describe, expect, test } from "vitest";
import { plainPng } from "../executors/scripted.ts";
import { openWorkerTransport, type WorkerTransport } from "../network/guarded-fetch.ts";
import { type ScriptedWorker, type ScriptedWorkerOptions, startScriptedWorker } from "../testing/scripted-worker.ts";
import { WorkerClient } from "../worker-client/worker-client.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function open(options: ScriptedWorkerOptions = {}): Promise<{ worker: ScriptedWorker; client: WorkerClient }> {
  const worker = await startScriptedWorker(options);
  opened.push(worker);
  return { worker, client: clientOf(worker) };
}

function clientOf(worker: ScriptedWorker, key = worker.key): WorkerClient {
  const transport: WorkerTransport = openWorkerTransport({
    baseUrl: worker.url,
    workerNetworks: ["127.0.0.0/8"],
    allowPlainHttp: false,
  });
  opened.push(transport);
  return new WorkerClient({ baseUrl: worker.url, key, fetch: transport.fetch });
}

const golden = JSON.parse(
  await readFile(new URL("../../../contract/examples/worker/worker-task-request.image.json", import.meta.url), "utf8"),
) as WorkerTaskRequest;
const refused = JSON.parse(
  await readFile(new URL("../../../contract/examples/worker/refused-tasks.json", import.meta.url), "utf8"),
) as { change: Record<string, unknown>; code: string; fields: Record<string, string> }[];

let nextTask = 0;
function request(overrides: Partial<WorkerTaskRequest> = {}): WorkerTaskRequest {
  nextTask += 1;
  const task_id = `0195a3c2-7f10-7c3e-8a52-${String(nextTask).padStart(12, "0")}`;
  return { ...golden, task_id, ...overrides };
}

const hanging = { script: () => [{ do: "hang" } as const] };
const noMedia = (): never => {
  throw new Error("no picture was to be sent");
};

async function ended(client: WorkerClient, { task_id, attempt }: WorkerTaskRequest): Promise<WorkerTask> {
  let task = await client.task(task_id, { attempt });
  while (task.state === "running") task = await client.task(task_id, { attempt, wait: 5, after: task.version });
  return task;
}

async function collect(stream: Readable): Promise<Buffer> {
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

describe("a worker, spoken to by its client", () => {
  test("a task runs to its result, which is kept until it is deleted", async () => {
    const { worker, client } = await open();
    const wanted = request();
    expect(await client.start(wanted, noMedia)).toMatchObject({ state: "running", attempt: 1 });
    const task = await ended(client, wanted);
    expect(task).toMatchObject({ state: "succeeded", progress: 100, result: { width: 768, height: 512, frames: 1 } });
    const name = { taskId: wanted.task_id, attempt: 1 };
    if (task.result === null) throw new Error("no result");
    const bytes = await collect(await client.result(name, task.result));
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(task.result.sha256);
    expect((await client.preview(name))?.contentType).toBe("image/webp");
    await client.remove(name);
    await client.remove(name);
    await expect(client.task(wanted.task_id)).rejects.toMatchObject({ kind: "task_unknown" });
    expect(await readdir(join(worker.folder, "media/results"))).toEqual([]);
  });

  test("finished results survive a restart, running tasks are unknown afterwards (FR-006)", async () => {
    const { worker, client } = await open();
    const done = request();
    await client.start(done, noMedia);
    const before = await ended(client, done);
    worker.machine.script = hanging.script;
    const lost = request();
    await client.start(lost, noMedia);
    await worker.restart();
    expect(await client.task(done.task_id)).toEqual(before);
    if (before.result === null) throw new Error("no result");
    const again = await client.result({ taskId: done.task_id, attempt: 1 }, before.result);
    expect(await collect(again)).toHaveLength(before.result.bytes);
    await expect(client.task(lost.task_id)).rejects.toMatchObject({ kind: "task_unknown" });
  });

  test("what a kill left behind half written is removed at the next start", async () => {
    const { worker, client } = await open();
    const done = request();
    await client.start(done, noMedia);
    await ended(client, done);
    const results = join(worker.folder, "media/results");
    await writeFile(join(results, "0195a3c2-7f10-7c3e-8a52-000000999999-1.png"), "half a file");
    await writeFile(join(results, "0195a3c2-7f10-7c3e-8a52-000000999998-1.json"), "{");
    await worker.restart();
    expect((await readdir(results)).sort()).toEqual([`${done.task_id}-1.json`, `${done.task_id}-1.png`]);
  });

  test("two that race with the same attempt start one run", async () => {
    const { worker, client } = await open({ slots: 4 });
    const wanted = request();
    const tasks = await Promise.all(Array.from({ length: 8 }, () => client.start(wanted, noMedia)));
    expect(new Set(tasks.map(({ accepted_at }) => accepted_at)).size).toBe(1);
    await ended(client, wanted);
    expect(worker.machine.started).toHaveLength(1);
  });

  test("a later attempt takes the slot of the earlier one; a stale one is refused", async () => {
    const { worker, client } = await open(hanging);
    const first = request();
    await client.start(first, noMedia);
    worker.machine.script = () => [{ do: "preview" }];
    const second = { ...first, attempt: 2 };
    await client.start(second, noMedia);
    expect(await ended(client, second)).toMatchObject({ state: "succeeded" });
    for (const stale of [client.start(first, noMedia), client.task(first.task_id, { attempt: 1 })]) {
      await expect(stale).rejects.toMatchObject({ kind: "task_unknown", problem: { code: "attempt_superseded" } });
    }
    expect((await client.health()).busy.total).toBe(0);
    expect(worker.machine.running()).toHaveLength(0);
  });

  test("says busy when every slot is taken, and frees it by cancel", async () => {
    const { client } = await open(hanging);
    const first = request();
    await client.start(first, noMedia);
    expect((await client.health()).busy).toEqual({ image: 1, video: 0, total: 1 });
    await expect(client.start(request(), noMedia)).rejects.toMatchObject({ kind: "busy" });
    const stopped = await client.cancel({ taskId: first.task_id, attempt: 1 }, 5000);
    expect(stopped).toMatchObject({ state: "failed", error: { code: "cancelled", retryable: false } });
    await client.start(request(), noMedia);
  });

  test("cancelling in the same moment as starting stops it as well", async () => {
    const { worker, client } = await open(hanging);
    const wanted = request();
    await client.start(wanted, noMedia);
    const [task] = await Promise.all([
      client.cancel({ taskId: wanted.task_id, attempt: 1 }, 5000),
      client.cancel({ taskId: wanted.task_id, attempt: 1 }, 5000),
    ]);
    expect(task?.state).toBe("failed");
    expect(worker.machine.running()).toHaveLength(0);
  });

  test("the deadline counts", async () => {
    const { client } = await open(hanging);
    const wanted = request({ deadline_s: 0.2 });
    await client.start(wanted, noMedia);
    expect(await ended(client, wanted)).toMatchObject({ state: "failed", error: { code: "timed_out" } });
  });

  test.each(["sha256", "bytes", "stream"] as const)(
    "a result that is not as announced (%s) is never kept",
    async (about) => {
      const { worker, client } = await open({ script: () => [{ do: "lie", about }] });
      const wanted = request();
      await client.start(wanted, noMedia);
      expect(await ended(client, wanted)).toMatchObject({ state: "failed", error: { code: "engine_failed" } });
      expect(await readdir(join(worker.folder, "media/results"))).toEqual([`${wanted.task_id}-1.json`]);
    },
  );

  test("a result whose file has gone is 410", async () => {
    const { worker, client } = await open();
    const wanted = request();
    await client.start(wanted, noMedia);
    const { result } = await ended(client, wanted);
    await rm(join(worker.folder, "media/results", `${wanted.task_id}-1.png`));
    if (result === null) throw new Error("no result");
    const reading = client.result({ taskId: wanted.task_id, attempt: 1 }, result);
    await expect(reading).rejects.toMatchObject({ kind: "task_unknown", problem: { code: "result_gone" } });
  });

  test("pictures are sent when the worker lacks them, once", async () => {
    const { worker, client } = await open();
    const bytes = plainPng(64, 64, 9);
    const id = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
    const media = [{ id, content_type: "image/png" as const, bytes: bytes.byteLength }];
    const parameters = { ...golden.parameters, reference_image: id };
    let sent = 0;
    const openMedia = () => {
      sent += 1;
      return bytes;
    };
    for (const wanted of [0, 1].map(() => request({ mode: "img2img", parameters, media }))) {
      await client.start(wanted, openMedia);
      await ended(client, wanted);
    }
    expect(sent).toBe(1);
    const [reference] = worker.machine.started[0]?.references ?? [];
    expect(reference).toMatchObject({ parameter: "reference_image", frameIndex: null });
    expect(await readFile(reference?.path ?? "")).toEqual(bytes);
  });

  test.each(refused.map((one) => [JSON.stringify(one.change), one] as const))(
    "refuses the golden %s, and starts nothing",
    async (_text, { change, code, fields }) => {
      const { worker, client } = await open();
      const body = Object.fromEntries(
        Object.entries({ ...golden, ...change }).filter(([, value]) => value !== null),
      ) as WorkerTaskRequest;
      const refusal = await client.start(body, noMedia).catch((error: unknown) => error);
      expect(refusal).toMatchObject({ kind: "task_refused", problem: { code } });
      const errors = (refusal as { problem: { errors: { field: string; code: string }[] } }).problem.errors;
      expect(Object.fromEntries(errors.map((one) => [one.field, one.code]))).toEqual(fields);
      await sleep(5);
      expect(worker.machine.started).toHaveLength(0);
    },
  );

  test("models that are not offered are refused with the reason that health gives", async () => {
    const { client } = await open({ models: ["pony"] });
    const flux = (await client.health()).models.find(({ id }) => id === "flux");
    expect(flux).toMatchObject({ available: false, reason: { code: "not_offered" } });
    const starting = client.start(request(), noMedia);
    await expect(starting).rejects.toMatchObject({ kind: "worker_fault", problem: { code: "model_unavailable" } });
  });

  test("a wrong key is one clear error", async () => {
    const { worker } = await open();
    await expect(clientOf(worker, "another-key").health()).rejects.toMatchObject({ kind: "key_refused" });
  });

  test("every task error says whether another attempt has a chance", () => {
    expect(workerTaskErrorCodes.worker_lost.retryable).toBe(true);
    expect(workerTaskErrorCodes.cancelled.retryable).toBe(false);
  });
});
