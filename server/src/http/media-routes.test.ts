import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { readRecipe } from "@safelight/engine";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { exactRequest } from "../testing/exact-request.ts";
import { holdReads } from "../testing/held-database.ts";
import { flatPng, pngChunk } from "../testing/pictures.ts";
import { claimTask, failTask, finishTask, showPreview } from "../testing/stored-tasks.ts";

let edge: Edge;
const bytes = randomBytes(300_000);
const sha256 = createHash("sha256").update(bytes).digest("hex");
let id = "";
let base: Promise<string>;

async function newTask(prompt = "a red boat at sea", edgeOf = edge): Promise<string> {
  const payload = { model: "pony", prompt, width: 512, height: 512 };
  return (await edgeOf.inject({ method: "POST", url: "/generate", payload })).json<{ task_id: string }>().task_id;
}

const get = (url: string, headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") =>
  edge.inject({ method, url, headers });

beforeAll(async () => {
  edge = await openEdge();
  id = await newTask();
  await finishTask(edge.context, id, bytes);
  base = edge.listen();
});
afterAll(() => edge.close());

describe("FR-005: a result", () => {
  test("comes whole, with type, length, a strong ETag and the right to ask for parts", async () => {
    const answer = await get(`/results/${id}`);
    expect(answer.statusCode).toBe(200);
    expect(answer.rawPayload.equals(bytes)).toBe(true);
    expect(answer.headers).toMatchObject({
      "content-type": "image/png",
      "content-length": "300000",
      "accept-ranges": "bytes",
      etag: `"${sha256}"`,
      "cache-control": "private, no-cache",
      "x-content-type-options": "nosniff",
    });
    expect(answer.headers["content-disposition"]).toBe(`inline; filename=a-red-boat-at-sea-${id.slice(-8)}.png`);
  });

  test.each([
    ["bytes=0-99", 0, 99],
    ["bytes=299999-", 299_999, 299_999],
    ["bytes=-1000", 299_000, 299_999],
    ["bytes=100000-250000", 100_000, 250_000],
  ])("comes in part for %s", async (range, start, end) => {
    const answer = await get(`/results/${id}`, { range });
    expect(answer.statusCode).toBe(206);
    expect(answer.headers["content-range"]).toBe(`bytes ${start}-${end}/300000`);
    expect(answer.headers["content-length"]).toBe(String(end - start + 1));
    expect(answer.rawPayload.equals(bytes.subarray(start, end + 1))).toBe(true);
  });

  test("HEAD tells the same and sends nothing", async () => {
    const answer = await get(`/results/${id}`, {}, "HEAD");
    expect([answer.statusCode, answer.headers["content-length"], answer.body]).toEqual([200, "300000", ""]);
    const part = await get(`/results/${id}`, { range: "bytes=0-9" }, "HEAD");
    expect([part.statusCode, part.headers["content-length"], part.body]).toEqual([206, "10", ""]);
  });

  test("is not sent again to who has it; If-Range asks for a part of the same file only", async () => {
    const same = await get(`/results/${id}`, { "if-none-match": `"${sha256}"` });
    expect([same.statusCode, same.body, same.headers.etag]).toEqual([304, "", `"${sha256}"`]);
    expect((await get(`/results/${id}`, { "if-range": `"${sha256}"`, range: "bytes=0-9" })).statusCode).toBe(206);
    expect((await get(`/results/${id}`, { "if-range": '"other"', range: "bytes=0-9" })).statusCode).toBe(200);
    // A part nobody can have is no error for someone who asks for it of another file.
    expect((await get(`/results/${id}`, { "if-range": '"other"', range: "bytes=999999999-" })).statusCode).toBe(200);
  });

  test("is saved under a name that says what it is", async () => {
    const answer = await get(`/results/${id}?download=1`);
    expect(answer.headers["content-disposition"]).toBe(`attachment; filename=a-red-boat-at-sea-${id.slice(-8)}.png`);
    const russian = await newTask('Красная лодка "; filename=x.exe\r\nSet-Cookie: a=b');
    await finishTask(edge.context, russian, bytes);
    const header = String((await get(`/results/${russian}?download=1`)).headers["content-disposition"]);
    expect(header).toContain("filename*=UTF-8''%D0%BA%D1%80%D0%B0%D1%81%D0%BD%D0%B0%D1%8F-");
    expect(header).toMatch(/\.png/);
    expect(header).not.toMatch(/[\r\n]|x\.exe"?;|set-cookie: /i);
  });

  test("metadata=0 strips the recipe, changes the ETag and still serves parts", async () => {
    const task = await newTask();
    const { default: sharp } = await import("sharp");
    const withRecipe = flatPng(64, 48, [pngChunk("tEXt", Buffer.from("Comment\0recipe-inside"))]);
    expect(withRecipe.includes("recipe-inside")).toBe(true);
    await finishTask(edge.context, task, withRecipe);
    const kept = await get(`/results/${task}?metadata=1`);
    expect(kept.rawPayload.equals(withRecipe)).toBe(true);
    const plain = await get(`/results/${task}?metadata=0`);
    expect(plain.statusCode).toBe(200);
    expect(plain.rawPayload.includes("recipe-inside")).toBe(false);
    expect(await readRecipe(plain.rawPayload)).toBeNull();
    expect(plain.headers.etag).not.toBe(kept.headers.etag);
    expect(plain.headers["content-length"]).toBe(String(plain.rawPayload.length));
    const before = await sharp(withRecipe).raw().toBuffer();
    expect((await sharp(plain.rawPayload).raw().toBuffer()).equals(before)).toBe(true);
    const part = await get(`/results/${task}?metadata=0`, { range: "bytes=0-7" });
    expect([part.statusCode, part.rawPayload.toString("latin1")]).toEqual([206, "\x89PNG\r\n\x1a\n"]);
    expect((await get(`/results/${task}?metadata=2`)).json()).toMatchObject({ code: "validation_failed" });
  });

  test("has its own code for every state without a file", async () => {
    const task = await newTask();
    const early = await get(`/results/${task}`);
    expect([early.statusCode, early.json<{ code: string }>().code]).toEqual([425, "task_not_ready"]);
    expect(Number(early.headers["retry-after"])).toBeGreaterThan(0);
    await claimTask(edge.context, task);
    expect((await get(`/results/${task}`)).statusCode).toBe(425);
    await failTask(edge.context, task);
    const failed = await get(`/results/${task}`);
    expect(failed.json()).toMatchObject({
      code: "task_failed",
      status: 409,
      detail: "The engine could not finish the task.",
    });
    for (const name of ["etag", "accept-ranges", "content-disposition"]) expect(failed.headers[name]).toBeUndefined();

    const gone = await newTask();
    await finishTask(edge.context, gone, bytes);
    await edge.context.media.remove(`results/${gone}-1.png`);
    for (const url of [`/results/${gone}`, `/results/${gone}?metadata=0`]) {
      expect((await get(url)).json()).toMatchObject({ code: "result_gone", status: 410 });
    }
    // The record stays: done, and said to have lost its file.
    expect((await get(`/status/${gone}`)).json()).toMatchObject({ status: "done" });
    const { items } = (await get("/tasks?per_page=100")).json<{ items: { id: string; result_missing: boolean }[] }>();
    expect(items.find((item) => item.id === gone)?.result_missing).toBe(true);
    expect(items.find((item) => item.id === id)?.result_missing).toBe(false);
  });
});

describe("a preview", () => {
  let task = "";
  beforeEach(async () => {
    task = await newTask();
  });

  test("is the newest step picture, not to be kept while the task runs", async () => {
    expect((await get(`/preview/${task}`)).json()).toMatchObject({ code: "task_not_ready" });
    await claimTask(edge.context, task);
    await showPreview(edge.context, task, 1, Buffer.from("first"));
    const first = await get(`/preview/${task}`);
    expect([first.statusCode, first.body, first.headers["cache-control"]]).toEqual([200, "first", "no-store"]);
    expect(first.headers["content-type"]).toBe("image/webp");
    await showPreview(edge.context, task, 2, Buffer.from("second"));
    const second = await get(`/preview/${task}`, { "if-none-match": String(first.headers.etag) });
    expect([second.statusCode, second.body]).toEqual([200, "second"]);
    expect((await get(`/preview/${task}`, { range: "bytes=1-3" })).body).toBe("eco");
    expect((await get(`/preview/${task}`, {}, "HEAD")).headers["content-length"]).toBe("6");
  });

  test("stays after the end, and is a 404 where there never was one or it has gone", async () => {
    await claimTask(edge.context, task);
    await showPreview(edge.context, task, 1, Buffer.from("last"));
    await failTask(edge.context, task);
    const kept = await get(`/preview/${task}`);
    expect([kept.statusCode, kept.body, kept.headers["cache-control"]]).toEqual([200, "last", "private, no-cache"]);
    await edge.context.media.remove(`previews/${task}-1.webp`);
    expect((await get(`/preview/${task}`)).json()).toMatchObject({ code: "not_found" });
    const bare = await newTask();
    await failTask(edge.context, bare);
    expect((await get(`/preview/${bare}`)).json()).toMatchObject({ code: "not_found" });
  });
});

test("ids and paths that reach for something else name no task", async () => {
  const code = async (path: string) => {
    const answer = await exactRequest(await base, { path, headers: { "x-api-key": edge.apiKey } });
    expect(answer.status).toBe(404);
    return [path, (JSON.parse(answer.body) as { code: string }).code];
  };
  const tricks = [
    "..%2f..%2fsafelight.sqlite",
    "%2e%2e",
    "..",
    "..\\..\\x",
    "%00",
    "a%00b",
    `${id}%00`,
    `${id}.png`,
    id.toUpperCase(),
    `%20${id}`,
    "*",
    "%252e%252e",
    "'%20or%201=1--",
    "undefined",
    "null",
    "a".repeat(200),
  ];
  for (const route of ["results", "preview", "status", "events"]) {
    for (const trick of tricks)
      expect(await code(`/${route}/${trick}`)).toEqual([`/${route}/${trick}`, "task_not_found"]);
    for (const rest of ["/../../secrets/api-key", `/${id}/..`, `/${id}/`, "/", `/${"a".repeat(400)}`, "/%zz"]) {
      expect(await code(`/${route}${rest}`)).toEqual([`/${route}${rest}`, "not_found"]);
    }
    expect(await code(`//${route}/${id}`)).toEqual([`//${route}/${id}`, "not_found"]);
  }
});

test("a download ends within five seconds of its session's revocation", async () => {
  const big = await newTask();
  await finishTask(edge.context, big, randomBytes(48 * 1024 * 1024));
  const made = await fetch(`${await base}/auth/session`, { method: "POST" });
  const cookie = made.headers.get("set-cookie")?.split(";")[0] ?? "";
  const answer = await fetch(`${await base}/results/${big}`, { headers: { cookie } });
  const reader = answer.body?.getReader();
  await reader?.read();
  expect(edge.installation.streams.size).toBe(1);
  const revokedAt = performance.now();
  await fetch(`${await base}/auth/session`, { method: "DELETE", headers: { cookie } });
  await expect(
    (async () => {
      while (!(await reader?.read())?.done);
    })(),
  ).rejects.toThrow();
  expect(performance.now() - revokedAt).toBeLessThan(5000);
  expect(edge.installation.streams.size).toBe(0);
});

test("who leaves while a result is looked up leaves nothing open", async () => {
  const { port } = new URL(await base);
  const made = await fetch(`${await base}/auth/session`, { method: "POST" });
  const cookie = made.headers.get("set-cookie")?.split(";")[0] ?? "";
  const held = holdReads(edge.context.database, "FROM sessions WHERE token_hash");
  const accepted = once(edge.app.server, "connection") as Promise<[Socket]>;
  const caller = connect(Number(port), "127.0.0.1");
  caller.write(`GET /results/${id} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`);
  const [socket] = await accepted;
  await held.waiting;
  const closed = once(socket, "close");
  caller.destroy();
  await closed;
  const sending = vi.spyOn(edge.installation.streams, "track");
  held.release();
  await expect.poll(() => sending.mock.calls.length).toBe(1);
  await expect.poll(() => edge.installation.streams.size).toBe(0);
});
