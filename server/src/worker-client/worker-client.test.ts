import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { WorkerResult, WorkerTask, WorkerTaskRequest } from "@safelight/contract/worker";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openWorkerTransport, type WorkerTransport } from "../network/guarded-fetch.ts";
import { WorkerClient } from "./worker-client.ts";
import { WorkerError } from "./worker-error.ts";

async function golden<T>(name: string): Promise<T> {
  const url = new URL(`../../../contract/examples/worker/${name}`, import.meta.url);
  return JSON.parse(await readFile(url, "utf8")) as T;
}

const health = await golden<object>("worker-health.json");
const request = await golden<WorkerTaskRequest>("worker-task-request.image.json");
const running = await golden<WorkerTask>("worker-task.running.json");
const succeeded = await golden<WorkerTask>("worker-task.succeeded.json");
const problemBusy = await golden<object>("worker-problem.busy.json");
const problemKey = await golden<object>("worker-problem.wrong-key.json");

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer;
let server: Server;
let transport: WorkerTransport;
let client: WorkerClient;
let baseUrl: string;

beforeEach(async () => {
  server = createServer((incoming, response) => answer(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  transport = openWorkerTransport({ baseUrl, workerNetworks: [], allowPlainHttp: false });
  // Patient, however busy this machine is; who waits in vain waits less.
  client = clientWith({ timeoutMs: 60_000, idleMs: 60_000 });
});

const clientWith = (patience: { timeoutMs: number; idleMs: number }) =>
  new WorkerClient({ baseUrl, key: "a-key-of-a-worker", fetch: transport.fetch, ...patience });

afterEach(() => {
  transport.close();
  server.closeAllConnections();
  server.close();
});

/** Answers JSON as a worker does. */
function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  return (_request, response) => {
    response.writeHead(status, { "safelight-protocol": "1", "content-type": type, ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
}

const noMedia = (): never => {
  throw new Error("no picture was to be sent");
};

async function kindOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => "no error",
    (thrown: unknown) => thrown,
  );
  return error instanceof WorkerError ? error.kind : String(error);
}

describe("a worker that does as it should", () => {
  test("gets key and protocol in headers, never in the address (FR-017)", async () => {
    let seen: IncomingMessage | undefined;
    answer = (incoming, response) => {
      seen = incoming;
      json(health)(incoming, response);
    };
    expect(await client.health()).toEqual(health);
    expect(seen?.headers).toMatchObject({ authorization: "Bearer a-key-of-a-worker", "safelight-protocol": "1" });
    expect(seen?.url).toBe("/health");
  });

  test("may know more than we do: unknown fields pass", async () => {
    answer = json({ ...health, mood: "fine" });
    expect(await client.health()).toMatchObject({ mood: "fine" });
  });

  test("says busy, or that it does not take our key", async () => {
    answer = json(problemBusy, 409);
    expect(await kindOf(client.start(request, noMedia))).toBe("busy");
    answer = json(problemKey, 401);
    expect(await kindOf(client.health())).toBe("key_refused");
  });
});

describe("what is not believed", () => {
  const cases: [string, Answer, string][] = [
    ["a web page", json("<html>", 200, { "content-type": "text/html" }), "broken_protocol"],
    ["something that speaks no protocol", (_request, response) => response.end("hello"), "broken_protocol"],
    ["another version", json(health, 200, { "safelight-protocol": "2" }), "broken_protocol"],
    ["text that is no JSON", json("{"), "broken_protocol"],
    ["JSON of another shape", json({ ...health, slots: "many" }), "broken_protocol"],
    ["an endless answer", json("x".repeat(3 * 1024 * 1024)), "broken_protocol"],
    ["a redirect", json("", 302, { location: "http://127.0.0.1:1/" }), "broken_protocol"],
    ["a refusal that contradicts itself", json(problemBusy, 503), "broken_protocol"],
    ["a refusal in another form", json({ error: "no" }, 500), "broken_protocol"],
    ["a packed answer", json(health, 200, { "content-encoding": "gzip" }), "broken_protocol"],
    ["silence", () => undefined, "timeout"],
    ["a connection that is cut", (incoming) => incoming.socket.destroy(), "unreachable"],
  ];

  test.each(cases)("%s", async (_name, given, kind) => {
    answer = given;
    if (kind === "timeout") client = clientWith({ timeoutMs: 400, idleMs: 300 });
    expect(await kindOf(client.health())).toBe(kind);
  });

  test("a task that is not the one asked for, or that contradicts itself", async () => {
    const id = running.task_id;
    for (const body of [
      { ...running, attempt: 2 },
      { ...running, task_id: running.task_id.replace("0195", "0196") },
      { ...running, state: "succeeded" },
      { ...succeeded, error: { code: "engine_failed", detail: "x", retryable: true } },
      { ...running, progress: 140 },
    ]) {
      answer = json(body);
      expect(await kindOf(client.task(id, { attempt: 1 }))).toBe("broken_protocol");
    }
    answer = json(running);
    expect(await client.task(id, { attempt: 1 })).toEqual(running);
  });

  test("nobody there", async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await kindOf(client.health())).toBe("unreachable");
  });
});

describe("results", () => {
  const bytes = Buffer.from("a picture, as far as this test goes");
  const facts: WorkerResult = {
    ...(succeeded.result as WorkerResult),
    bytes: bytes.byteLength,
    sha256: createHash("sha256").update(bytes).digest("hex"),
  };
  const headers = (changes: Record<string, string> = {}): Record<string, string> => ({
    "safelight-protocol": "1",
    "content-type": facts.content_type,
    "safelight-size": String(facts.bytes),
    "safelight-sha256": facts.sha256,
    ...changes,
  });
  const deliver = async (): Promise<Buffer> => {
    const stream = await client.result({ taskId: succeeded.task_id, attempt: 1 }, facts);
    return Buffer.concat((await stream.toArray()) as Buffer[]);
  };

  test("arrive whole", async () => {
    answer = (_request, response) => response.writeHead(200, headers()).end(bytes);
    expect(await deliver()).toEqual(bytes);
  });

  const damaged = Buffer.from(bytes);
  damaged[3] = 0;
  test.each<[string, Answer, string]>([
    ["damaged", (_request, response) => response.writeHead(200, headers()).end(damaged), "broken_protocol"],
    ["too short", (_request, response) => response.writeHead(200, headers()).end(bytes.subarray(5)), "broken_protocol"],
    [
      "too long",
      (_request, response) => response.writeHead(200, headers()).end(Buffer.concat([bytes, bytes])),
      "broken_protocol",
    ],
    [
      "of another type",
      (_request, response) => response.writeHead(200, headers({ "content-type": "text/html" })).end(bytes),
      "broken_protocol",
    ],
    [
      "with another hash in its headers",
      (_request, response) => response.writeHead(200, headers({ "safelight-sha256": "0".repeat(64) })).end(bytes),
      "broken_protocol",
    ],
    ["that stall", (_request, response) => response.writeHead(200, headers()).write(bytes.subarray(0, 4)), "timeout"],
    [
      "that break off",
      (_request, response) => {
        response.writeHead(200, headers({ "content-length": String(facts.bytes) }));
        response.write(bytes.subarray(0, 4), () => response.destroy());
      },
      "unreachable",
    ],
  ])("%s are an error, never a file", async (_name, given, kind) => {
    answer = given;
    if (kind === "timeout") client = clientWith({ timeoutMs: 60_000, idleMs: 500 });
    expect(await kindOf(deliver())).toBe(kind);
  });

  test("are never handed on to the last byte before they are proven", async () => {
    const large = Buffer.alloc(1_000_000, 7);
    const announced = { ...facts, bytes: large.byteLength };
    answer = (_request, response) =>
      response.writeHead(200, headers({ "safelight-size": String(large.byteLength) })).end(large);
    const stream = await client.result({ taskId: succeeded.task_id, attempt: 1 }, announced);
    let count = 0;
    const reading = (async () => {
      for await (const piece of stream) count += (piece as Buffer).byteLength;
    })();
    expect(await kindOf(reading)).toBe("broken_protocol");
    expect(count).toBeLessThan(large.byteLength);
  });

  const part = { start: 2, end: 9 };
  const partHeaders = (changes: Record<string, string> = {}) =>
    headers({ "content-range": `bytes 2-9/${facts.bytes}`, ...changes });
  const deliverPart = async (): Promise<Buffer> => {
    const stream = await client.resultPart({ taskId: succeeded.task_id, attempt: 1 }, facts, part);
    return Buffer.concat((await stream.toArray()) as Buffer[]);
  };

  test("come in parts, too", async () => {
    let asked: string | undefined;
    answer = (incoming, response) => {
      asked = incoming.headers.range;
      response.writeHead(206, partHeaders()).end(bytes.subarray(2, 10));
    };
    expect(await deliverPart()).toEqual(bytes.subarray(2, 10));
    expect(asked).toBe("bytes=2-9");
  });

  test.each<[string, Answer]>([
    [
      "another part",
      (_request, response) =>
        response
          .writeHead(206, partHeaders({ "content-range": `bytes 3-10/${facts.bytes}` }))
          .end(bytes.subarray(3, 11)),
    ],
    [
      "a part of another file",
      (_request, response) =>
        response.writeHead(206, partHeaders({ "safelight-sha256": "0".repeat(64) })).end(bytes.subarray(2, 10)),
    ],
    ["the whole file", (_request, response) => response.writeHead(200, headers()).end(bytes)],
    ["fewer bytes", (_request, response) => response.writeHead(206, partHeaders()).end(bytes.subarray(2, 7))],
    ["more bytes", (_request, response) => response.writeHead(206, partHeaders()).end(bytes.subarray(2, 20))],
  ])("%s instead of the part asked for is an error", async (_name, given) => {
    answer = given;
    expect(await kindOf(deliverPart())).toBe("broken_protocol");
  });
});

test("the caller's signal ends a call with its own reason", async () => {
  answer = () => undefined;
  const leaving = new AbortController();
  const asking = client.health(leaving.signal);
  leaving.abort(new Error("changed my mind"));
  await expect(asking).rejects.toThrow("changed my mind");
});
