// A real gateway with its media in a bucket of a real S3 server: killed between the steps of storing a result, and with the server
// answering 503 for ten seconds. No task is lost, no `done` is without its object.
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type S3Misdeed, type S3Request, type S3Server, startS3Server } from "@safelight/server/testing/s3-server";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

const directory = await temporaryDirectory();
let s3: S3Server;
beforeAll(async () => {
  s3 = await startS3Server();
});
afterAll(async () => {
  await s3.close();
  await directory.remove();
});

const start = () => startServerProcess(directory.path, s3.environment);

async function submit(server: ServerProcess, seed: number): Promise<string> {
  const answer = await fetch(`${server.url}/generate`, {
    method: "POST",
    headers: { "x-api-key": server.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ model: "pony", prompt: "a red boat at sea", width: 512, height: 512, seed }),
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { task_id: string }).task_id;
}

async function get(server: ServerProcess, path: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, { headers: { "x-api-key": server.apiKey, ...headers } });
}

async function ended(server: ServerProcess, id: string): Promise<string> {
  for (;;) {
    const { status } = (await (await get(server, `/status/${id}`)).json()) as { status: string };
    if (status === "done" || status === "failed") return status;
    await sleep(100);
  }
}

async function expectWhole(server: ServerProcess, id: string): Promise<void> {
  const answer = await get(server, `/results/${id}`);
  expect(answer.status).toBe(200);
  const bytes = Buffer.from(await answer.arrayBuffer());
  expect(answer.headers.get("etag")).toBe(`"${createHash("sha256").update(bytes).digest("hex")}"`);
}

/** Every row that names an object has it. */
async function expectNoRowWithoutObject(): Promise<void> {
  const database = new DatabaseSync(join(directory.path, "safelight.sqlite"), { readOnly: true });
  const rows = database.prepare("SELECT result_path, preview_path FROM tasks").all();
  database.close();
  const objects = new Set(await s3.objects());
  for (const name of rows.flatMap((row) => [row.result_path, row.preview_path])) {
    if (typeof name === "string") expect(objects).toContain(`studio/${name}`);
  }
}

const isOf = (folder: string, method: string) => (request: S3Request) =>
  request.method === method && request.key.startsWith(`studio/${folder}/`);
const steps: readonly (readonly [string, (request: S3Request) => boolean, S3Misdeed])[] = [
  ["before the result is sent", isOf("results", "PUT"), { cutRequest: true }],
  ["when the result is stored and not answered", isOf("results", "PUT"), { lose: true }],
  ["when the result is looked at", isOf("results", "HEAD"), { hang: true }],
  ["when the preview is stored and not answered", isOf("previews", "PUT"), { lose: true }],
];

test("kill -9 between any two steps of storing leaves no row without its object, and the task is done in the end (FR-006)", async () => {
  let server = await start();
  for (const [index, [step, isMeant, misdeed]] of steps.entries()) {
    const killed = Promise.withResolvers<void>();
    let met = false;
    s3.meddle((request) => {
      if (met || !isMeant(request)) return null;
      met = true;
      void server.stop("SIGKILL").then(killed.resolve);
      return misdeed;
    });
    const id = await submit(server, index);
    await killed.promise;
    await expectNoRowWithoutObject();
    server = await start();
    expect(await ended(server, id), step).toBe("done");
    await expectWhole(server, id);
    await expectNoRowWithoutObject();
  }
  await server.stop("SIGTERM");
  expect(await s3.unfinished()).toEqual([]);
});

test("503 for ten seconds: results wait, statuses and lists are told, and all of it is done in the end", async () => {
  const server = await start();
  const before = await submit(server, 100);
  expect(await ended(server, before)).toBe("done");
  const until = performance.now() + 10_000;
  s3.meddle(() => (performance.now() < until ? { status: 503, code: "SlowDown" } : null));
  const ids = [await submit(server, 101), await submit(server, 102)];
  const list = await get(server, "/gallery");
  expect(list.status).toBe(200);
  const refused = await get(server, `/results/${before}`);
  expect([200, 503]).toContain(refused.status);
  if (refused.status === 503) expect(await refused.json()).toMatchObject({ code: "storage_unavailable" });
  for (const id of ids) {
    expect(await ended(server, id)).toBe("done");
    await expectWhole(server, id);
  }
  expect(performance.now()).toBeGreaterThan(until);
  await expectWhole(server, before);
  await expectNoRowWithoutObject();
  const part = await get(server, `/results/${before}`, { range: "bytes=10-19" });
  expect(part.status).toBe(206);
  expect(await part.arrayBuffer()).toHaveProperty("byteLength", 10);
  await server.stop("SIGTERM");
});

test("a picture is made from another one that lies in the bucket, and nothing is left on the way", async () => {
  const server = await start();
  const form = new FormData();
  const red = await sharp({ create: { width: 256, height: 256, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  form.set("file", new Blob([red], { type: "image/png" }), "red.png");
  const headers = { "x-api-key": server.apiKey };
  const upload = await fetch(`${server.url}/uploads`, { method: "POST", headers, body: form });
  expect(upload.status).toBe(201);
  const { id: reference_image } = (await upload.json()) as { id: string };
  const body = {
    model: "pony",
    mode: "img2img",
    prompt: "a red boat at sea",
    width: 512,
    height: 512,
    reference_image,
  };
  const answer = await fetch(`${server.url}/generate`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(202);
  const { task_id: id } = (await answer.json()) as { task_id: string };
  expect(await ended(server, id)).toBe("done");
  await expectWhole(server, id);
  await expect.poll(() => readdir(join(directory.path, "media-on-its-way"))).toEqual([]);
  await server.stop("SIGTERM");
});
