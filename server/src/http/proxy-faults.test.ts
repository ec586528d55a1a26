/** A registered worker that lies, hangs, breaks off or repeats what it was told: contained, and in our own words (FR-017, FR-020). */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { WorkerTask } from "@safelight/contract/worker";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { openSink, type Sink } from "../testing/recorders.ts";
import { addAccount } from "../worker-accounts/add-account.ts";

const succeeded = JSON.parse(
  await readFile(new URL("../../../contract/examples/worker/worker-task.succeeded.json", import.meta.url), "utf8"),
) as WorkerTask;
const running = JSON.parse(
  await readFile(new URL("../../../contract/examples/worker/worker-task.running.json", import.meta.url), "utf8"),
) as WorkerTask;
const id = succeeded.task_id;
const key = "the-key-of-the-attic";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer;
let edge: Edge;
let sink: Sink;
let asked: string[];
const closers: (() => unknown)[] = [];

beforeEach(async () => {
  asked = [];
  sink = await openSink();
  closers.push(() => sink.close());
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  edge = await openEdge({ workers: { timeoutMs: 1_500, idleMs: 1_000, cancelMs: 1_500 } });
  closers.push(() => edge.close());
  await addAccount(edge.context, edge.installation.accounts, {
    label: "Attic",
    workspace: "attic-gpu",
    kind: "http",
    base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    worker_key: key,
  });
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const spoken = { "safelight-protocol": "1" };
const json =
  (body: unknown, status = 200, headers: Record<string, string> = {}): Answer =>
  (_request, response) => {
    const type = status >= 400 ? "application/problem+json" : "application/json";
    response.writeHead(status, { ...spoken, "content-type": type, ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
const problem = (code: string, status: number, detail = "Something of the worker.") =>
  json(
    {
      type: `urn:safelight:worker-problem:${code}`,
      title: "No",
      status,
      detail,
      instance: "/",
      code,
      user_action: "None.",
      correlation_id: "1",
    },
    status,
  );
const ask = (url: string, headers = {}) => edge.inject({ method: "GET", url, headers });
const status = `/status/attic-gpu::${id}`;

describe("answers nonsense, and its caller gets worker_unreachable (502):", () => {
  test.each<[string, Answer]>([
    ["a page", (_request, response) => response.writeHead(200, { "content-type": "text/html" }).end("<h1>Hi</h1>")],
    [
      "a page in the name of the protocol",
      (_request, response) => response.writeHead(200, { ...spoken, "content-type": "text/html" }).end("<h1>Hi</h1>"),
    ],
    [
      "no protocol",
      (_request, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(succeeded)),
    ],
    ["another protocol", json(succeeded, 200, { "safelight-protocol": "2" })],
    ["half of its JSON", json(JSON.stringify(succeeded).slice(0, 100))],
    ["no JSON", json("undefined")],
    ["another task", json({ ...succeeded, task_id: "0195a3c2-7f10-7c3e-8a52-000000000000" })],
    ["success without a result", json({ ...succeeded, result: null })],
    ["failure without a reason", json({ ...succeeded, state: "failed", result: null })],
    ["progress of 200", json({ ...succeeded, progress: 200 })],
    ["a model of its own", json({ ...succeeded, model: "nothing-we-know" })],
    ["a time that is none", json({ ...succeeded, accepted_at: "yesterday" })],
    ["an end that is none", json({ ...succeeded, ended_at: null })],
    ["a state of its own", json({ ...succeeded, state: "resting" })],
    ["two megabytes", json({ ...succeeded, stage_detail: "x".repeat(2_000_000) })],
    ["our key in a text", json({ ...running, stage_detail: `the key is ${key}` })],
    ["our key in a field of its own", json({ ...running, extra: { deep: [key] } })],
    ["a fault of its own", problem("internal", 500)],
    ["that it is full", problem("busy", 409)],
    ["that our key is wrong", problem("invalid_worker_key", 401)],
    ["a refusal with the wrong status", problem("task_not_found", 200)],
    ["that there is no such address", problem("not_found", 404)],
    ["a status of its own", (_request, response) => response.writeHead(207, spoken).end()],
    ["nothing", (_request, response) => void response.destroy()],
    ["never", () => undefined],
    [
      "never to the end",
      (_request, response) =>
        void response.writeHead(200, { ...spoken, "content-type": "application/json" }).write("{"),
    ],
  ])("%s", async (_what, given) => {
    answer = given;
    const refused = await ask(status);
    expect(refused.statusCode).toBe(502);
    expect(refused.headers["content-type"]).toContain("application/problem+json");
    expect(refused.json()).toMatchObject({ code: "worker_unreachable", detail: expect.stringContaining("attic-gpu") });
    expect(refused.payload).not.toContain(key);
    expect(refused.payload).not.toMatch(/127\.0\.0\.1|Something of the worker/);
    expect(edge.logged.join("")).not.toContain(key);
    for (const url of [`/results/attic-gpu::${id}`, `/cancel/attic-gpu::${id}`]) {
      const method = url.startsWith("/cancel") ? "POST" : "GET";
      expect([502, 404]).toContain((await edge.inject({ method, url })).statusCode);
    }
  });

  test.each([301, 302, 303, 307, 308])("a redirect (%d), and the new place hears nothing", async (code) => {
    answer = (_request, response) => response.writeHead(code, { ...spoken, location: `${sink.url}/tasks/${id}` }).end();
    for (const url of [status, `/results/attic-gpu::${id}`, `/preview/attic-gpu::${id}`]) {
      expect((await ask(url)).json()).toMatchObject({ code: "worker_unreachable" });
    }
    expect((await edge.inject({ method: "POST", url: `/cancel/attic-gpu::${id}` })).statusCode).toBe(502);
    expect(sink.heard()).toEqual({ connections: 0, bytes: 0 });
  });

  test("a reason that holds our key is not passed on", async () => {
    answer = problem("task_failed", 409, `it failed with ${key}`);
    const refused = await ask(status);
    expect(refused.json()).toMatchObject({ code: "task_failed", detail: "The task failed and has no result." });
    expect(edge.logged.join("")).not.toContain(key);
  });

  test("nobody is there", async () => {
    await edge.context.database.write((tx) =>
      tx.prepare("UPDATE worker_accounts SET base_url = 'http://127.0.0.1:9'").run(),
    );
    expect((await ask(status)).json()).toMatchObject({ code: "worker_unreachable" });
  });

  test("a preview that is no picture", async () => {
    for (const type of ["text/html", "image/svg+xml", "application/javascript"]) {
      answer = (_request, response) =>
        response
          .writeHead(200, { ...spoken, "content-type": type, "safelight-preview-version": "1" })
          .end("<script>alert(1)</script>");
      expect((await ask(`/preview/attic-gpu::${id}`)).json()).toMatchObject({ code: "worker_unreachable" });
    }
  });
});

describe("a result", () => {
  const bytes = Buffer.alloc(3_000_000, "0123456789");
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const facts = { ...succeeded.result, content_type: "image/png", bytes: bytes.byteLength, sha256 };
  const task = { ...succeeded, result: facts };
  const head = (changes: Record<string, string> = {}) => ({
    ...spoken,
    "content-type": "image/png",
    "safelight-size": String(bytes.byteLength),
    "safelight-sha256": sha256,
    ...changes,
  });
  /** Answers the status, and the result in this way. */
  const withResult =
    (deliver: Answer): Answer =>
    (request, response) =>
      (request.url?.includes("/result") === true ? deliver : json(task))(request, response);
  /** What a client over a real connection gets, and how it ends. */
  async function download(headers: Record<string, string> = {}, begun = (): void => undefined) {
    const base = edge.app.server.listening ? edge.app.listeningOrigin : await edge.listen();
    return new Promise<{ status: number; received: number; ended: string }>((resolve) => {
      get(
        `${base}/results/attic-gpu::${id}`,
        { headers: { "x-api-key": edge.apiKey, ...headers }, agent: false },
        (response) => {
          let received = 0;
          response.on("data", (piece: Buffer) => (received += piece.byteLength)).once("data", begun);
          const end = (ended: string) => () => resolve({ status: response.statusCode ?? 0, received, ended });
          response.on("end", end("whole")).on("error", end("broken off"));
        },
      ).on("error", () => resolve({ status: 0, received: 0, ended: "no answer" }));
    });
  }

  test("arrives whole when it is whole", async () => {
    answer = withResult((_request, response) => response.writeHead(200, head()).end(bytes));
    expect(await download()).toEqual({ status: 200, received: bytes.byteLength, ended: "whole" });
  });

  const damaged = Buffer.from(bytes);
  damaged[2_999_999] = 0;
  test.each<[string, Answer]>([
    ["is damaged in its last byte", (_request, response) => response.writeHead(200, head()).end(damaged)],
    ["is cut short", (_request, response) => response.writeHead(200, head()).end(bytes.subarray(0, 2_000_000))],
    [
      "is longer than announced",
      (_request, response) => response.writeHead(200, head()).end(Buffer.concat([bytes, bytes])),
    ],
    [
      "breaks off",
      (_request, response) => {
        response.writeHead(200, head({ "content-length": String(bytes.byteLength) }));
        response.write(bytes.subarray(0, 2_000_000), () => response.destroy());
      },
    ],
    ["stands still", (_request, response) => void response.writeHead(200, head()).write(bytes.subarray(0, 2_000_000))],
  ])("that %s is never ended as if it were whole", async (_what, deliver) => {
    answer = withResult(deliver);
    const got = await download();
    expect(got).toMatchObject({ status: 200, ended: "broken off" });
    expect(got.received).toBeLessThan(bytes.byteLength);
    expect(edge.logged.join("")).toContain("a result of a workspace broke off");
  });

  test.each<[string, Answer]>([
    [
      "of another type",
      (_request, response) => response.writeHead(200, head({ "content-type": "text/html" })).end(bytes),
    ],
    ["of another size", (_request, response) => response.writeHead(200, head({ "safelight-size": "5" })).end("12345")],
    [
      "with another hash",
      (_request, response) => response.writeHead(200, head({ "safelight-sha256": "0".repeat(64) })).end(bytes),
    ],
    [
      "in packed form",
      (_request, response) => response.writeHead(200, head({ "content-encoding": "gzip" })).end(bytes),
    ],
    ["as a part that nobody asked for", (_request, response) => response.writeHead(206, head()).end(bytes)],
    ["and breaks off before the first byte", (_request, response) => response.writeHead(200, head()).flushHeaders()],
  ])("%s is worker_unreachable", async (_what, deliver) => {
    answer = withResult(deliver);
    const refused = await ask(`/results/attic-gpu::${id}`);
    expect(refused.json()).toMatchObject({ code: "worker_unreachable" });
    for (const name of ["etag", "content-range", "content-disposition", "accept-ranges"])
      expect(refused.headers[name], name).toBeUndefined();
  });

  test.each<[string, Answer]>([
    [
      "another part",
      (_request, response) =>
        response.writeHead(206, head({ "content-range": `bytes 1-10/${bytes.byteLength}` })).end(bytes.subarray(1, 11)),
    ],
    ["the whole file", (_request, response) => response.writeHead(200, head()).end(bytes)],
    [
      "too few bytes",
      (_request, response) =>
        response.writeHead(206, head({ "content-range": `bytes 0-9/${bytes.byteLength}` })).end(bytes.subarray(0, 4)),
    ],
  ])("answered with %s instead of the range asked for is worker_unreachable", async (_what, deliver) => {
    answer = withResult(deliver);
    const refused = await ask(`/results/attic-gpu::${id}`, { range: "bytes=0-9" });
    expect(refused.json()).toMatchObject({ code: "worker_unreachable" });
    expect(refused.headers["content-range"]).toBeUndefined();
  });

  test("of a size that no store takes is not begun", async () => {
    answer = (request, response) =>
      json({ ...succeeded, result: { ...facts, bytes: 3 * 1024 ** 3 } })(request, response);
    expect((await ask(`/results/attic-gpu::${id}`)).json()).toMatchObject({ code: "worker_unreachable" });
    expect(asked.filter((line) => line.includes("/result"))).toEqual([]);
  });

  test("is read no faster than its reader takes it", async () => {
    let sent = 0;
    const piece = Buffer.alloc(1024 * 1024);
    const size = 400 * piece.byteLength;
    const large = { ...facts, bytes: size };
    answer = (request, response) => {
      if (request.url?.includes("/result") !== true) return json({ ...succeeded, result: large })(request, response);
      response.writeHead(200, head({ "safelight-size": String(size), "content-length": String(size) }));
      const more = (): void => {
        while (sent < size && !response.destroyed) {
          sent += piece.byteLength;
          if (!response.write(piece)) return void response.once("drain", more);
        }
      };
      more();
    };
    const base = await edge.listen();
    const outgoing = get(`${base}/results/attic-gpu::${id}`, { headers: { "x-api-key": edge.apiKey }, agent: false });
    const response = await new Promise<IncomingMessage>((resolve) => outgoing.on("response", resolve));
    response.pause();
    await sleep(100);
    let before = -1;
    while (before !== sent) {
      before = sent;
      await sleep(200);
    }
    // What fits into the buffers of four sockets; far from the whole. And its silence is not the worker's fault (idleMs is 1,000).
    expect(sent).toBeLessThan(40 * piece.byteLength);
    await sleep(1_300);
    expect(response.destroyed).toBe(false);
    outgoing.destroy();
  });

  test("is let go of by the worker when the reader leaves", async () => {
    let closed = false;
    answer = withResult((request, response) => {
      request.socket.once("close", () => (closed = true));
      response.writeHead(200, head()).write(bytes.subarray(0, 1000));
      const drip = setInterval(() => response.write(bytes.subarray(0, 1000)), 20);
      response.once("close", () => clearInterval(drip));
    });
    const base = await edge.listen();
    const outgoing = get(`${base}/results/attic-gpu::${id}`, { headers: { "x-api-key": edge.apiKey }, agent: false });
    outgoing.on("error", () => undefined);
    const response = await new Promise<IncomingMessage>((resolve) => outgoing.on("response", resolve));
    response.resume();
    outgoing.destroy();
    await expect.poll(() => closed).toBe(true);
  });

  test("ends with the session of its reader (within 5 s)", async () => {
    const session = await edge.app.inject({ method: "POST", url: "/auth/session", headers: { host: "127.0.0.1" } });
    const cookie = String(session.headers["set-cookie"]).split(";")[0] ?? "";
    answer = withResult((_request, response) => {
      response.writeHead(200, head({ "content-length": String(bytes.byteLength) })).write(bytes.subarray(0, 1000));
      const drip = setInterval(() => response.write(bytes.subarray(0, 1000)), 20);
      response.once("close", () => clearInterval(drip));
    });
    let begun = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const ending = download({ "x-api-key": "", cookie }, begun);
    await hasBegun;
    await edge.inject({ method: "DELETE", url: "/auth/session", headers: { "x-api-key": "", cookie } });
    expect(await ending).toMatchObject({ ended: "broken off" });
  });
});
