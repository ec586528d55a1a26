/** Tasks inside a workspace, asked through the gateway: a worker of our own behind an account, and a listener between the two. */
import { readFile } from "node:fs/promises";
import { Status } from "@safelight/contract";
import type { WorkerTask, WorkerTaskRequest } from "@safelight/contract/worker";
import { Ajv } from "ajv";
import type { InjectOptions } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openWorkerTransport } from "../network/guarded-fetch.ts";
import { type Edge, openEdge } from "../testing/edge.ts";
import { type Recorder, recordInFrontOf } from "../testing/recorders.ts";
import { type ScriptedWorker, startScriptedWorker } from "../testing/scripted-worker.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { disableAccount, drainAccount, enableAccount, rotateCredentials } from "../worker-accounts/change-account.ts";
import { deleteAccount } from "../worker-accounts/delete-account.ts";
import { WorkerClient } from "../worker-client/worker-client.ts";

const golden = JSON.parse(
  await readFile(new URL("../../../contract/examples/worker/worker-task-request.image.json", import.meta.url), "utf8"),
) as WorkerTaskRequest;
const fitsStatus = new Ajv({ strict: false, validateFormats: false }).compile(Status);

let edge: Edge;
let worker: ScriptedWorker;
let recorder: Recorder;
let client: WorkerClient;
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  edge = await openEdge();
  closers.push(() => edge.close());
  worker = await startScriptedWorker();
  closers.push(() => worker.close());
  recorder = await recordInFrontOf(worker.url);
  closers.push(() => recorder.close());
  const transport = openWorkerTransport({ baseUrl: worker.url, workerNetworks: [], allowPlainHttp: false });
  closers.push(() => transport.close());
  client = new WorkerClient({ baseUrl: worker.url, key: worker.key, fetch: transport.fetch });
  await addAccount(edge.context, edge.installation.accounts, {
    label: "Attic",
    workspace: "attic-gpu",
    kind: "http",
    base_url: recorder.url,
    worker_key: worker.key,
  });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const noMedia = (): never => {
  throw new Error("no picture was to be sent");
};
let count = 0;
async function begin(changes: Partial<WorkerTaskRequest> = {}): Promise<string> {
  count += 1;
  const task_id = `0195a3c2-7f10-7c3e-8a52-${String(count).padStart(12, "0")}`;
  await client.start({ ...golden, task_id, ...changes }, noMedia);
  return task_id;
}
async function finish(id: string): Promise<WorkerTask> {
  let task = await client.task(id);
  while (task.state === "running") task = await client.task(id, { wait: 5, after: task.version });
  return task;
}
const hang = () => [{ do: "hang" } as const];
const inside = (id: string) => `attic-gpu::${id}`;
const ask = (url: string, options: Partial<InjectOptions> = {}) => edge.inject({ method: "GET", url, ...options });
const codeOf = async (url: string, options: Partial<InjectOptions> = {}) =>
  (await ask(url, options)).json<{ code: string }>().code;
const statusOf = async (id: string, query = ""): Promise<Status> => {
  const answer = await ask(`/status/${inside(id)}${query}`);
  expect(answer.statusCode).toBe(200);
  const status = answer.json<Status>();
  expect(fitsStatus(status), JSON.stringify(fitsStatus.errors)).toBe(true);
  return status;
};

describe("status", () => {
  test("is told in the shape of our own, with addresses that lead back inside", async () => {
    const id = await begin();
    await finish(id);
    const status = await statusOf(id);
    expect(status).toMatchObject({
      task_id: inside(id),
      model: golden.model,
      mode: golden.mode,
      type: "image",
      seed: golden.seed,
      status: "done",
      progress: 100,
      attempt: 1,
      engine: "scripted",
      stage: null,
      error: null,
      queue_position: null,
      result: { content_type: "image/png", frames: 1, fps: null },
      result_url: `/results/${inside(id)}`,
    });
    expect(status.finished_at).toMatch(/^\d{4}-.*Z$/);
    const result = await ask(String(status.result_url));
    expect([result.statusCode, result.rawPayload.byteLength]).toEqual([200, status.result?.bytes]);
    expect((await ask(String(status.preview_url))).headers["content-type"]).toBe("image/webp");
  });

  test("while it runs, and when it has failed", async () => {
    worker.machine.script = () => [
      { do: "report", update: { stage: "denoise", step: 3, steps: 8, progress: 40 } },
      { do: "hang" },
    ];
    const running = await begin();
    await expect
      .poll(() => statusOf(running))
      .toMatchObject({
        status: "processing",
        stage: "denoise",
        step: 3,
        steps: 8,
        progress: 40,
        finished_at: null,
        result: null,
        result_url: null,
      });
    await client.cancel({ taskId: running }, 5000);
    worker.machine.script = () => [{ do: "fail", code: "out_of_memory", detail: "Too large for this card." }];
    const failed = await begin();
    await finish(failed);
    expect(await statusOf(failed)).toMatchObject({
      status: "failed",
      stage: null,
      error: { code: "out_of_memory", detail: "Too large for this card." },
      error_msg: "Too large for this card.",
    });
    expect(await codeOf(`/results/${inside(failed)}`)).toBe("task_failed");
  });

  test("a wait is held until something changes, and no longer", async () => {
    let goOn = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    worker.machine.script = () => [{ do: "wait", until: opened }];
    const id = await begin();
    await expect.poll(() => statusOf(id)).toMatchObject({ status: "processing" });
    let answered = false;
    const waiting = statusOf(id, "?wait=20").then((status) => {
      answered = true;
      return status;
    });
    await expect.poll(() => recorder.heard()).toContain("wait=20");
    expect(answered).toBe(false);
    goOn();
    const status = await waiting;
    expect(["processing", "done"]).toContain(status.status);
    await finish(id);
    expect(await statusOf(id, "?wait=20")).toMatchObject({ status: "done" });
  });

  test("those who wait hold nobody up", async () => {
    worker.machine.script = hang;
    const id = await begin();
    const waiting = Array.from({ length: 80 }, () => statusOf(id, "?wait=30"));
    await expect.poll(() => recorder.heard().split("wait=30").length - 1).toBe(80);
    expect(await statusOf(id)).toMatchObject({ status: "processing" });
    await client.cancel({ taskId: id }, 5000);
    for (const { status, stage } of await Promise.all(waiting))
      expect(status === "failed" || stage === "cancelling").toBe(true);
  });

  test("of the newest attempt, also for someone who waited for an earlier one", async () => {
    worker.machine.script = hang;
    const id = await begin();
    const waiting = statusOf(id, "?wait=20");
    await expect.poll(() => recorder.heard()).toContain("wait=20");
    await client.start({ ...golden, task_id: id, attempt: 2 }, noMedia);
    expect(await waiting).toMatchObject({ status: "processing", attempt: 2 });
  });

  test("a task that the worker does not know is task_not_found", async () => {
    const unknown = "0195a3c2-7f10-7c3e-8a52-ffffffffffff";
    for (const url of [`/status/${inside(unknown)}`, `/results/${inside(unknown)}`, `/preview/${inside(unknown)}`]) {
      expect(await codeOf(url), url).toBe("task_not_found");
    }
    expect(await codeOf(`/cancel/${inside(unknown)}`, { method: "POST" })).toBe("task_not_found");
    expect(await codeOf(`/status/${unknown}`)).toBe("task_not_found");
  });

  test("a plain id is never asked for outside", async () => {
    const id = await begin();
    await finish(id);
    recorder.forget();
    expect(await codeOf(`/status/${id}`)).toBe("task_not_found");
    expect(recorder.heard()).toBe("");
  });
});

describe("a result", () => {
  let id: string;
  let whole: Buffer;
  let url: string;
  beforeEach(async () => {
    id = await begin();
    await finish(id);
    url = `/results/${inside(id)}`;
    whole = (await ask(url)).rawPayload;
  });

  test("comes with our own headers and is the worker's file", async () => {
    const { result } = await finish(id);
    const answer = await ask(url);
    expect(answer.headers).toMatchObject({
      "content-type": "image/png",
      "content-length": String(result?.bytes),
      "accept-ranges": "bytes",
      etag: `"${result?.sha256}"`,
      "cache-control": "private, no-cache",
      "x-content-type-options": "nosniff",
    });
    expect(answer.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(Object.keys(answer.headers).filter((name) => name.startsWith("safelight-"))).toEqual([]);
    expect((await ask(`${url}?download=1`)).headers["content-disposition"]).toBe(
      `attachment; filename=attic-gpu-${id.slice(-8)}.png`,
    );
    const head = await ask(url, { method: "HEAD" });
    expect([head.statusCode, head.headers["content-length"], head.rawPayload.byteLength]).toEqual([
      200,
      String(result?.bytes),
      0,
    ]);
  });

  test.each([
    ["bytes=0-0", 0, 1],
    ["bytes=5-20", 5, 21],
    ["bytes=-7", -7, undefined],
    ["bytes=10-", 10, undefined],
    ["BYTES = 3-4", 3, 5],
    ["bytes=0-99999999", 0, undefined],
  ])("passes the range %s through (FR-005)", async (range, start, end) => {
    const answer = await ask(url, { headers: { range } });
    expect(answer.statusCode).toBe(206);
    expect(answer.rawPayload).toEqual(whole.subarray(start, end));
    const first = start < 0 ? whole.byteLength + start : start;
    const last = first + answer.rawPayload.byteLength - 1;
    expect(answer.headers["content-range"]).toBe(`bytes ${first}-${last}/${whole.byteLength}`);
    expect(answer.headers["content-length"]).toBe(String(answer.rawPayload.byteLength));
  });

  test("several ranges, and other units, get the whole", async () => {
    for (const range of ["bytes=0-1,3-4", "lines=1-2"]) {
      const answer = await ask(url, { headers: { range } });
      expect([answer.statusCode, answer.rawPayload.equals(whole)]).toEqual([200, true]);
    }
  });

  test("a range beyond the end, or none, is range_not_satisfiable", async () => {
    for (const range of [`bytes=${whole.byteLength}-`, "bytes=-0", "bytes=9-3", "bytes=x"]) {
      const answer = await ask(url, { headers: { range } });
      expect([answer.statusCode, answer.headers["content-range"]]).toEqual([416, `bytes */${whole.byteLength}`]);
      expect(answer.json<{ code: string }>().code).toBe("range_not_satisfiable");
    }
  });

  test("is not sent again to someone who has it", async () => {
    const etag = String((await ask(url)).headers.etag);
    recorder.forget();
    expect((await ask(url, { headers: { "if-none-match": etag } })).statusCode).toBe(304);
    expect(recorder.heard()).not.toContain("/result");
    expect((await ask(url, { headers: { "if-none-match": '"other"' } })).statusCode).toBe(200);
    const part = { range: "bytes=0-3" };
    expect((await ask(url, { headers: { ...part, "if-range": etag } })).statusCode).toBe(206);
    expect((await ask(url, { headers: { ...part, "if-range": '"other"' } })).statusCode).toBe(200);
  });

  test("without its recipe on request", async () => {
    const stripped = await ask(`${url}?metadata=0`);
    expect(stripped.statusCode).toBe(200);
    expect(stripped.rawPayload.byteLength).toBeLessThanOrEqual(whole.byteLength);
    expect(stripped.headers.etag).toMatch(/-plain"$/);
  });

  test("that is not there yet is task_not_ready with Retry-After", async () => {
    worker.machine.script = hang;
    const running = await begin();
    const answer = await ask(`/results/${inside(running)}`);
    expect([answer.statusCode, answer.headers["retry-after"]]).toEqual([425, "2"]);
    expect(await codeOf(`/preview/${inside(running)}`)).toBe("task_not_ready");
  });

  test("of an attempt that was just replaced is not given out for the new one", async () => {
    worker.machine.script = hang;
    await client.start({ ...golden, task_id: id, attempt: 2 }, noMedia);
    expect(await codeOf(url)).toBe("task_not_ready");
    await edge.inject({ method: "POST", url: `/cancel/${inside(id)}` });
    expect(await codeOf(url)).toBe("task_failed");
  });

  test("is not told from what was known of an earlier attempt", async () => {
    await ask(url);
    worker.machine.script = () => [{ do: "fail", code: "engine_failed", detail: "It broke." }];
    await client.start({ ...golden, task_id: id, attempt: 2 }, noMedia);
    await finish(id);
    expect((await ask(url)).json()).toMatchObject({ code: "task_failed", detail: "It broke." });
  });

  test("that was picked up and deleted is gone at once", async () => {
    await client.remove({ taskId: id, attempt: 1 });
    expect(await codeOf(url)).toBe("task_not_found");
  });
});

describe("a preview", () => {
  test("is the newest picture and kept by nobody", async () => {
    worker.machine.script = () => [{ do: "preview" }, { do: "hang" }];
    const id = await begin();
    await expect.poll(async () => (await ask(`/preview/${inside(id)}`)).statusCode).toBe(200);
    const answer = await ask(`/preview/${inside(id)}`);
    expect(answer.headers).toMatchObject({ "content-type": "image/webp", "cache-control": "no-store" });
    const part = await ask(`/preview/${inside(id)}`, { headers: { range: "bytes=0-3" } });
    expect([part.statusCode, part.rawPayload.equals(answer.rawPayload.subarray(0, 4))]).toEqual([206, true]);
    expect(await codeOf(`/preview/${inside(id)}?thumbnail=1`)).toBe("not_found");
  });

  test("of a task that ended without one is not found", async () => {
    worker.machine.script = () => [];
    const id = await begin();
    await finish(id);
    expect(await codeOf(`/preview/${inside(id)}`)).toBe("not_found");
  });
});

describe("cancel", () => {
  test("stops the run there; once more it changes nothing", async () => {
    worker.machine.script = hang;
    const id = await begin();
    for (let time = 0; time < 2; time += 1) {
      const answer = await edge.inject({ method: "POST", url: `/cancel/${inside(id)}` });
      expect(answer.statusCode).toBe(200);
      expect(answer.json()).toMatchObject({ task_id: inside(id), status: "failed", error: { code: "cancelled" } });
    }
    expect(await client.task(id)).toMatchObject({ state: "failed", error: { code: "cancelled" } });
  });

  test("of a task that has ended answers it unchanged", async () => {
    const id = await begin();
    await finish(id);
    const answer = await edge.inject({ method: "POST", url: `/cancel/${inside(id)}` });
    expect(answer.json()).toEqual(await statusOf(id));
  });
});

describe("FR-020: a worker is called with the key of its account", () => {
  test("and with nothing of the caller's, whatever he sends", async () => {
    const id = await begin();
    await finish(id);
    const session = await edge.app.inject({ method: "POST", url: "/auth/session", headers: { host: "127.0.0.1" } });
    const cookie = String(session.headers["set-cookie"]).split(";")[0] ?? "";
    const marks = {
      authorization: "Bearer callers-own-bearer",
      "proxy-authorization": "Basic callers-own-basic",
      "x-admin-key": "callers-own-admin-key",
      "x-forwarded-for": "203.0.113.77",
      forwarded: "for=203.0.113.77",
      "x-real-ip": "203.0.113.77",
      "user-agent": "callers-own-agent",
      referer: "http://127.0.0.1/callers-own-page",
      "x-callers-own": "callers-own-header",
      "accept-language": "callers-own-language",
      traceparent: "callers-own-trace",
    };
    const ways: { headers: Record<string, string>; query: string }[] = [
      { headers: { "x-api-key": edge.apiKey }, query: "" },
      { headers: { "x-api-key": "", cookie: `${cookie}; callers-own=1` }, query: "" },
      { headers: { "x-api-key": "" }, query: `&api_key=${edge.apiKey}&callers-own=1` },
    ];
    recorder.forget();
    for (const { headers, query } of ways) {
      for (const path of ["status", "results", "preview"]) {
        const answer = await ask(`/${path}/${inside(id)}?v=1${query}`, { headers: { ...marks, ...headers } });
        expect(answer.statusCode, path).toBe(200);
      }
      const cancelled = await ask(`/cancel/${inside(id)}?v=1${query}`, {
        method: "POST",
        headers: { ...marks, ...headers },
      });
      expect(cancelled.statusCode).toBe(200);
    }
    const heard = recorder.heard();
    expect(heard).toContain(`authorization: Bearer ${worker.key}`);
    for (const foreign of [
      "callers-own",
      "203.0.113.77",
      edge.apiKey,
      cookie.split("=")[1] ?? "?",
      "api_key",
      "cookie",
    ]) {
      expect(heard.toLowerCase(), foreign).not.toContain(foreign.toLowerCase());
    }
    // Only these headers, and no key in any address.
    const names = new Set([...heard.matchAll(/^([\w-]+): /gm)].map(([, name = ""]) => name.toLowerCase()));
    expect([...names].sort()).toEqual(
      [
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "host",
        "safelight-protocol",
        "user-agent",
      ].sort(),
    );
    for (const [line] of heard.matchAll(/^(?:GET|POST) .*$/gm)) expect(line).not.toContain(worker.key);
    expect(edge.logged.join("")).not.toContain(worker.key);
  });

  test("as it is now: rotated, disabled and deleted accounts count at once", async () => {
    const id = await begin();
    await finish(id);
    const { accounts } = edge.installation;
    const url = `/status/${inside(id)}`;
    const again = async () => [await codeOf(url), await codeOf(`/results/${inside(id)}`)];
    await ask(`/results/${inside(id)}`);
    await rotateCredentials(edge.context, accounts, "attic-gpu", { worker_key: "another-key-of-no-use" });
    expect(await again()).toEqual(["worker_unreachable", "worker_unreachable"]);
    await rotateCredentials(edge.context, accounts, "attic-gpu", { worker_key: worker.key });
    expect((await ask(url)).statusCode).toBe(200);
    await drainAccount(edge.context, accounts, "attic-gpu", true);
    expect((await ask(url)).statusCode).toBe(200);
    recorder.forget();
    await disableAccount(edge.context, accounts, "attic-gpu", false);
    expect(await again()).toEqual(["proxy_target_invalid", "proxy_target_invalid"]);
    expect(recorder.heard()).toBe("");
    await enableAccount(edge.context, accounts, "attic-gpu").catch(() => undefined);
    expect((await ask(url)).statusCode).toBe(200);
    recorder.forget();
    await deleteAccount(edge.context, accounts, "attic-gpu", false);
    expect(await again()).toEqual(["proxy_target_invalid", "proxy_target_invalid"]);
    expect(recorder.heard()).toBe("");
  });

  test("and a revoked session ends a wait", async () => {
    worker.machine.script = hang;
    const id = await begin();
    const session = await edge.app.inject({ method: "POST", url: "/auth/session", headers: { host: "127.0.0.1" } });
    const cookie = String(session.headers["set-cookie"]).split(";")[0] ?? "";
    const headers = { "x-api-key": "", cookie };
    const waiting = codeOf(`/status/${inside(id)}?wait=30`, { headers });
    await expect.poll(() => recorder.heard()).toContain("wait=30");
    await edge.inject({ method: "DELETE", url: "/auth/session", headers });
    expect(await waiting).toBe("session_expired");
  });

  test("and a server that stops answers those who wait", async () => {
    worker.machine.script = hang;
    const id = await begin();
    const waiting = statusOf(id, "?wait=30");
    await expect.poll(() => recorder.heard()).toContain("wait=30");
    edge.stop();
    expect(await waiting).toMatchObject({ status: "processing" });
  });
});
