import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { ApiError, type Client, createClient } from "./client.ts";
import { endpoints, pathOf } from "./endpoints.ts";
import { type Asked, answerJson, startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function serve(answer: (asked: Asked, response: ServerResponse, number: number) => void): Promise<TestServer> {
  server = await startTestServer(answer);
  return server;
}

async function refusal(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

test("an upload that is given up before it is sent fails in its own promise and nowhere else", async () => {
  const { url } = await serve((_asked, response) => answerJson(response, 201, {}));
  const elsewhere: unknown[] = [];
  const listen = (reason: unknown) => elsewhere.push(reason);
  process.on("unhandledRejection", listen);
  const client = createClient({ baseUrl: url });
  for (let time = 0; time < 20; time += 1) {
    const upload = client.upload(new Blob([new Uint8Array(20_000)]), "a.png", { signal: AbortSignal.abort() });
    await expect(upload).rejects.toThrow();
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
  process.off("unhandledRejection", listen);
  expect(elsewhere).toEqual([]);
});

describe("what the client sends", () => {
  test("a JSON body with key and headers, to the path of the table", async () => {
    const { url, asked } = await serve((_asked, response) =>
      answerJson(response, 202, { task_id: "t1", status: "pending" }),
    );
    const client = createClient({ baseUrl: url, apiKey: "test-key" });
    const answer = await client.generate({
      body: { model: "flux", prompt: "a red boat", seed: 7 },
      headers: { "idempotency-key": "once" },
    });
    expect(answer.task_id).toBe("t1");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      method: "POST",
      url: "/generate",
      headers: {
        "x-api-key": "test-key",
        "idempotency-key": "once",
        "content-type": "application/json",
        accept: "application/json",
      },
    });
    expect(JSON.parse(asked[0]?.body ?? "")).toEqual({ model: "flux", prompt: "a red boat", seed: 7 });
  });

  test("path parameters encoded, queries without what was left out", async () => {
    const { url, asked } = await serve((_asked, response) => answerJson(response, 200, {}));
    const client = createClient({ baseUrl: `${url}/below/` });
    await client.getStatus({ path: { id: "studio::../a b" }, query: { wait: 30 } });
    await client.listTasks({ query: { q: "sea & sky", page: 2 } });
    await client.listTasks();
    expect(asked.map((one) => one.url)).toEqual([
      "/below/status/studio%3A%3A..%2Fa%20b?wait=30",
      "/below/tasks?q=sea+%26+sky&page=2",
      "/below/tasks",
    ]);
    expect(asked[0]?.headers["x-api-key"]).toBeUndefined();
    expect(asked[0]?.headers["content-type"]).toBeUndefined();
  });

  test("an empty id never becomes another route", async () => {
    const client = createClient({ baseUrl: "http://127.0.0.1:1" });
    await expect(client.getStatus({ path: { id: "" } })).rejects.toThrow(TypeError);
    expect(() => pathOf("getResult")).toThrow("path parameter id");
  });

  test("a picture as the part file, with its name and bytes", async () => {
    const { url, asked } = await serve((_asked, response) => answerJson(response, 201, { id: "sha256-x" }));
    const picture = new Blob([new Uint8Array([1, 0, 255, 13, 10])], { type: "image/png" });
    expect(await createClient({ baseUrl: url }).upload(picture, "boat.png")).toEqual({ id: "sha256-x" });
    expect(asked[0]?.headers["content-type"]).toMatch(/^multipart\/form-data; boundary=/);
    expect(asked[0]?.body).toContain('name="file"; filename="boat.png"');
    expect(asked[0]?.body).toContain("\u0001\u0000\u00ff\r\n");
  });

  test("credentials as told, the browser's same-origin cookie without being told", async () => {
    const modes: unknown[] = [];
    const fetch: typeof globalThis.fetch = async (_url, init) => {
      modes.push(init?.credentials);
      return new Response(null, { status: 204 });
    };
    await createClient({ baseUrl: "", fetch }).deleteSession();
    await createClient({ baseUrl: "https://films.example", fetch, credentials: "include" }).deleteSession();
    expect(modes).toEqual(["same-origin", "include"]);
  });
});

describe("what the client gives back", () => {
  test("nothing for an answer without a body", async () => {
    const { url } = await serve((_asked, response) => response.writeHead(204).end());
    expect(await createClient({ baseUrl: url }).deleteSession()).toBeUndefined();
  });

  test("a file as the Response, ranges and known ETags too", async () => {
    const { url } = await serve(({ headers }, response) => {
      if (headers["if-none-match"] === '"a"') response.writeHead(304).end();
      else if (headers.range === "bytes=1-2") response.writeHead(206, { "content-range": "bytes 1-2/4" }).end("bc");
      else response.writeHead(200, { "content-type": "image/png" }).end("abcd");
    });
    const client = createClient({ baseUrl: url });
    const path = { id: "t1" };
    const whole = await client.getResult({ path, query: { metadata: "0" } });
    expect([whole.status, await whole.text()]).toEqual([200, "abcd"]);
    const part = await client.getPreview({ path, headers: { range: "bytes=1-2" } });
    expect([part.status, await part.text()]).toEqual([206, "bc"]);
    expect((await client.getUpload({ path, headers: { "if-none-match": '"a"' } })).status).toBe(304);
  });

  test("a refusal as an ApiError with the problem and the time to wait", async () => {
    const problem = { code: "queue_full", detail: "1000 tasks are waiting.", user_action: "Wait." };
    const { url } = await serve((_asked, response) => answerJson(response, 503, problem, { "retry-after": "12" }));
    const error = await refusal(createClient({ baseUrl: url }).generate({ body: { model: "flux", prompt: "x" } }));
    expect(error).toMatchObject({ status: 503, problem, retryAfter: 12, message: "1000 tasks are waiting." });
  });

  test.each([
    ["a proxy's page", "<html>Bad gateway</html>"],
    ["JSON of another kind", '{"error":"nope"}'],
    ["a list", "[1]"],
    ["nothing", ""],
  ])("%s as an ApiError without a problem", async (_what, body) => {
    const { url } = await serve((_asked, response) => response.writeHead(502).end(body));
    const error = await refusal(createClient({ baseUrl: url }).getHealth());
    expect(error).toMatchObject({ status: 502, problem: null, retryAfter: null, message: "The server answered 502." });
  });

  test("an abort as an AbortError", async () => {
    const { url } = await serve(() => {});
    const controller = new AbortController();
    const waiting = createClient({ baseUrl: url }).getHealth({ signal: controller.signal });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ name: "AbortError" });
  });

  test("addresses for links and media elements", () => {
    const client = createClient({ baseUrl: "" });
    expect(client.urlOf("getResult", { id: "t1" })).toBe("/results/t1");
    expect(createClient({ baseUrl: "https://films.example/" }).urlOf("getDocs")).toBe("https://films.example/docs");
  });
});

test("every route of the table can be called", async () => {
  const { url, asked } = await serve((one, response) => {
    if (one.url.endsWith("/t1/events"))
      response.writeHead(200).end('event: deployment.log\ndata: {"lines":[],"from":0}\n\n');
    else if (one.url.startsWith("/events"))
      response.writeHead(200).end('event: task.deleted\ndata: {"task_id":"t1"}\n\n');
    else answerJson(response, 200, {});
  });
  const client = createClient({ baseUrl: url });
  const path = { id: "t1" };
  await client.createSession();
  await client.getSession();
  await client.deleteSession();
  await client.listModels();
  await client.upload(new Blob(["x"]));
  await client.getUpload({ path });
  await client.generate({ body: { model: "flux", prompt: "x" } });
  await client.getStatus({ path });
  for await (const _event of client.events({ id: "t1" })) void _event;
  for await (const _event of client.events()) break;
  await client.cancelTask({ path });
  await client.getResult({ path });
  await client.getPreview({ path });
  await client.listTasks();
  await client.getTask({ path });
  await client.listGallery({ query: { favourite: true } });
  await client.deleteTask({ path });
  await client.deleteTasks({ body: { all: true, filters: { type: "image" } } });
  await client.exportTasks({ body: { ids: ["t1"] } });
  await client.setFavourite({ path, body: { favourite: true } });
  await callAdminRoutes(client);
  await client.getHealth();
  await client.getOpenApi();
  const called = asked.map((one) => `${one.method} ${templateOf(one.url)}`);
  // The documentation page is for people: it has an address, no method.
  const table = Object.entries(endpoints).flatMap(([name, one]) =>
    name === "getDocs" ? [] : `${one.method} ${one.path}`,
  );
  expect(called.sort()).toEqual(table.sort());
});

async function callAdminRoutes(client: Client): Promise<void> {
  const path = { workspace: "w1" };
  await client.createAdminSession({ headers: { "x-admin-key": "k" } });
  await client.getAdminSession();
  await client.deleteAdminSession();
  await client.getAdminHealth();
  await client.listAuditEvents({ query: { limit: 10 } });
  await client.verifyAudit();
  await client.exportAudit();
  await client.createAuditCheckpoint();
  await client.noteBackup({ body: { with_secrets: false } });
  await client.listAllTasks();
  await client.cancelAnyTask({ path: { id: "t1" } });
  await client.listSecrets();
  await client.rotateSecret({ path: { name: "s1" }, body: { overlap_hours: 24 } });
  await client.revokeSecret({ path: { name: "s1" }, body: { sessions: true } });
  await client.retireSecret({ path: { name: "s1" } });
  await client.recoverSecret({ path: { name: "s1" } });
  await client.listApiKeys();
  await client.createApiKey({ body: { name: "newsletter" } });
  await client.revokeApiKey({ path: { id: "t1" } });
  await client.getQueue();
  await client.pauseQueue();
  await client.resumeQueue();
  await client.frontTask({ path: { id: "t1" }, body: { front: true } });
  await client.getStatistics({ query: { hours: 24 } });
  await client.getStorage();
  await client.getMetrics();
  await client.listAccounts();
  const worker = { base_url: "https://worker.example", worker_key: "x" };
  await client.addAccount({ body: { label: "x", workspace: "w1", kind: "http", ...worker } });
  await client.getAccount({ path });
  await client.updateAccount({ path, body: { label: "y" } });
  await client.deleteAccount({ path, query: { force: "1" } });
  await client.getAccountHealth({ path });
  await client.checkAccount({ path });
  await client.enableAccount({ path });
  await client.disableAccount({ path });
  await client.drainAccount({ path, body: { draining: false } });
  await client.rotateAccount({ path, body: { worker_key: "y" } });
  await client.deployAccount({ path });
  await client.rollbackAccount({ path });
  await client.deployAll();
  await client.listDeployments();
  await client.getDeployment({ path: { id: "t1" } });
  await client.cancelDeployment({ path: { id: "t1" } });
  for await (const _event of client.deploymentEvents({ id: "t1" })) break;
}

function templateOf(url: string): string {
  return url.replace("t1", "{id}").replace("w1", "{workspace}").replace("s1", "{name}").replace(/\?.*/, "");
}
