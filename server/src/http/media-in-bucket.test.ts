import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AdminHealth, Storage } from "@safelight/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { restoreBackup } from "../backup/restore-backup.ts";
import { takeBackup } from "../backup/take-backup.ts";
import { lookAtMedia } from "../doctor/look-at-media.ts";
import { type Edge, openEdge } from "../testing/edge.ts";
import { picture } from "../testing/pictures.ts";
import { type S3Server, startS3Server } from "../testing/s3-server.ts";
import { sendUpload } from "../testing/send-upload.ts";
import { finishTask, showPreview } from "../testing/stored-tasks.ts";

let s3: S3Server;
let edge: Edge;
let signed: Edge;
let web: string;
let id = "";
let signedId = "";
let bytes: Buffer;

beforeAll(async () => {
  s3 = await startS3Server();
  web = await mkdtemp(join(tmpdir(), "safelight-web-"));
  await mkdir(join(web, "assets"));
  edge = await openEdge({ environment: s3.environment });
  const MEDIA_URL = s3.environment.MEDIA_URL.replace("/studio", "/other");
  signed = await openEdge({ environment: { ...s3.environment, MEDIA_URL, MEDIA_DELIVERY: "signed" }, webFolder: web });
  bytes = await picture("png");
  id = await newTask(edge);
  signedId = await newTask(signed);
});
afterAll(async () => {
  await Promise.all([edge.close(), signed.close()]);
  await s3.close();
  await rm(web, { recursive: true });
});

async function newTask(on: Edge): Promise<string> {
  const payload = { model: "pony", prompt: "a red boat at sea", width: 512, height: 512 };
  const { task_id } = (await on.inject({ method: "POST", url: "/generate", payload })).json<{ task_id: string }>();
  await showPreview(on.context, task_id, 1, await picture("webp"));
  await finishTask(on.context, task_id, bytes);
  return task_id;
}

async function asAdmin<Answer>(url: string): Promise<Answer> {
  const headers = { host: "127.0.0.1", "x-admin-key": edge.adminKey };
  const login = await edge.app.inject({ method: "POST", url: "/admin/session", headers });
  const cookie = String(login.headers["set-cookie"]).split(";")[0] ?? "";
  return (await edge.app.inject({ url, headers: { host: "127.0.0.1", cookie } })).json<Answer>();
}

const get = (url: string, headers: Record<string, string> = {}) => edge.inject({ url, headers });
const sha256Of = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");

describe("media in a bucket, through the gateway", () => {
  test("results come whole and in exact parts, previews and thumbnails too (FR-005)", async () => {
    const whole = await get(`/results/${id}`);
    expect([whole.statusCode, whole.headers["content-type"]]).toEqual([200, "image/png"]);
    expect(whole.rawPayload.equals(bytes)).toBe(true);
    const part = await get(`/results/${id}`, { range: "bytes=5-14" });
    expect([part.statusCode, part.headers["content-range"]]).toEqual([206, `bytes 5-14/${bytes.length}`]);
    expect(part.rawPayload.equals(bytes.subarray(5, 15))).toBe(true);
    expect((await get(`/results/${id}`, { range: `bytes=${bytes.length}-` })).statusCode).toBe(416);
    expect((await get(`/results/${id}`, { "if-none-match": `"${sha256Of(bytes)}"` })).statusCode).toBe(304);
    expect((await get(`/preview/${id}`)).statusCode).toBe(200);
    expect((await get(`/preview/${id}?thumbnail=1`)).headers["content-type"]).toBe("image/webp");
    expect(await s3.objects()).toContain(`studio/thumbnails/${id}.webp`);
  });

  test("uploads lie there, and leave nothing on the way", async () => {
    const upload = await sendUpload(edge, await picture("jpeg"), "image/jpeg");
    expect(upload.statusCode).toBe(201);
    const { id: uploadId } = upload.json<{ id: string }>();
    expect((await s3.objects()).filter((key) => key.startsWith("studio/uploads/"))).toEqual([
      `studio/uploads/${uploadId}.jpeg`,
    ]);
    expect((await get(`/uploads/${uploadId}`)).statusCode).toBe(200);
  });

  test("what is deleted is deleted there; a list tells whether a result is gone", async () => {
    const other = await newTask(edge);
    const { items } = (await get("/gallery")).json<{ items: { id: string; result_missing: boolean }[] }>();
    expect(items.find((item) => item.id === other)).toMatchObject({ result_missing: false });
    expect((await edge.inject({ method: "DELETE", url: `/gallery/${other}` })).statusCode).toBeLessThan(300);
    await expect.poll(async () => (await s3.objects()).filter((key) => key.includes(other))).toEqual([]);
  });

  test("no room is measured, and nothing says that there is none", async () => {
    expect(await asAdmin<Storage>("/admin/storage")).toMatchObject({
      accepting: true,
      free_bytes: null,
      short_of: null,
    });
    expect((await edge.installation.metrics.read()).toString()).not.toMatch(/^safelight_storage_free_bytes /m);
  });

  test("while it takes nothing, tasks are refused and the rest goes on; health says why, without a key", async () => {
    s3.meddle((request) => (["PUT", "POST"].includes(request.method) ? { status: 403, code: "AccessDenied" } : null));
    await expect(edge.context.media.put("uploads/a.png", bytes)).rejects.toMatchObject({ code: "storage_unavailable" });
    const payload = { model: "pony", prompt: "a boat" };
    const refused = await edge.inject({ method: "POST", url: "/generate", payload });
    expect([refused.statusCode, refused.json<{ code: string }>().code]).toEqual([503, "storage_unavailable"]);
    expect(refused.headers["retry-after"]).toBe("5");
    expect((await get(`/status/${id}`)).statusCode).toBe(200);
    expect((await get(`/results/${id}`)).rawPayload.equals(bytes)).toBe(true);
    const { ok, parts } = await asAdmin<AdminHealth>("/admin/health");
    const storage = parts.find(({ name }) => name === "media_storage");
    expect([ok, storage?.state]).toEqual([false, "failed"]);
    expect(storage?.detail).toMatch(/^Bucket media, prefix studio at http:.*AccessDenied/);
    expect(JSON.stringify(parts)).not.toContain(s3.environment.AWS_ACCESS_KEY_ID);
    s3.meddle(null);
    await expect.poll(() => edge.context.media.fault()).toBeNull();
    expect((await edge.inject({ method: "POST", url: "/generate", payload })).statusCode).toBe(202);
  });
});

describe("MEDIA_DELIVERY=signed", () => {
  /** As an element of a page asks: nothing of who asks stands in a header of ours. */
  const asBrowser = (url: string, headers: Record<string, string> = {}, method: "GET" | "HEAD" = "GET") => {
    const query = `${url.includes("?") ? "&" : "?"}api_key=${signed.apiKey}`;
    return signed.app.inject({ method, url: url + query, headers: { host: "127.0.0.1", ...headers } });
  };

  test("a result is at an address in the bucket, in exact parts and with our headers; the rest is ours to tell", async () => {
    const answer = await asBrowser(`/results/${signedId}?download=1`);
    expect([answer.statusCode, answer.headers["cache-control"]]).toEqual([302, "no-store"]);
    const address = String(answer.headers.location);
    expect(address.startsWith(`${s3.url}/media/other/results/`)).toBe(true);
    expect(new URL(address).searchParams.get("X-Amz-Expires")).toBe("300");
    expect(address).not.toContain(s3.environment.AWS_SECRET_ACCESS_KEY);
    const part = await fetch(address, { headers: { range: "bytes=5-14" } });
    expect([part.status, part.headers.get("content-type")]).toEqual([206, "image/png"]);
    expect(part.headers.get("content-disposition")).toMatch(/^attachment; filename=a-red-boat-at-sea-/);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(5, 15))).toBe(true);
    expect((await asBrowser(`/results/${signedId}`, {}, "HEAD")).statusCode).toBe(200);
    const unchanged = { "if-none-match": `"${sha256Of(bytes)}"` };
    expect((await asBrowser(`/results/${signedId}`, unchanged)).statusCode).toBe(304);
    expect((await asBrowser(`/results/${signedId}?metadata=0`)).statusCode).toBe(200);
    expect((await asBrowser(`/preview/${signedId}`)).statusCode).toBe(200);
  });

  test("who sends a key in a header is not sent elsewhere with it", async () => {
    const answer = await signed.inject({ url: `/results/${signedId}` });
    expect([answer.statusCode, answer.headers.location]).toEqual([200, undefined]);
    expect(answer.rawPayload.equals(bytes)).toBe(true);
  });

  test("who may not read it is sent nowhere, and what is gone is gone", async () => {
    const headers = { host: "127.0.0.1" };
    expect((await signed.app.inject({ url: `/results/${signedId}`, headers })).statusCode).toBe(401);
    const other = await newTask(signed);
    await signed.context.media.remove(`results/${other}-1.png`);
    expect((await asBrowser(`/results/${other}`)).statusCode).toBe(410);
  });

  test("pages may show what comes from the bucket, and from nowhere else", async () => {
    const policy = String((await signed.inject({ url: "/docs" })).headers["content-security-policy"]);
    for (const what of ["img-src", "media-src", "connect-src"]) {
      expect(policy).toMatch(new RegExp(`${what} 'self'[^;]* ${s3.url}(?:;|$)`));
    }
    expect(policy).toContain("script-src 'self';");
    expect(String((await get("/docs")).headers["content-security-policy"])).not.toContain(s3.url);
  });
});

describe("looking after it", () => {
  const reading = () => ({ prepareRead: edge.context.database.prepareRead, close: () => undefined }) as never;

  test("the doctor compares records with objects, and names the bucket that it cannot read", async () => {
    const { config } = edge.context;
    const lost = await newTask(edge);
    const short = await newTask(edge);
    await edge.context.media.remove(`results/${lost}-1.png`);
    await edge.context.media.put(`results/${short}-1.png`, randomBytes(10));
    await edge.context.media.put("results/nobody-1.png", randomBytes(10));
    const found = JSON.stringify(await lookAtMedia(reading(), config));
    expect(found).toContain(`1 object (results/${lost}-1.png) is missing that records name`);
    expect(found).toContain(`1 object (results/${short}-1.png) is not as long`);
    expect(found).toContain("1 object (results/nobody-1.png) is there that no record names");
    s3.meddle(() => ({ status: 404, code: "NoSuchBucket" }));
    const [broken] = await lookAtMedia(reading(), config);
    s3.meddle(null);
    expect(broken).toMatchObject({ state: "problem", check: "media" });
    expect(JSON.stringify(broken)).toMatch(/bucket media, prefix studio at http:.*there is no such bucket/);
  });

  test("a backup has the database and a list of objects with hashes, says what stays there, and is restored", async () => {
    const { config } = edge.context;
    const place = join(web, "backup");
    const manifest = await takeBackup({ config, target: place, withSecrets: false, safelightVersion: "9.9.9" });
    expect(manifest.objects?.place).toMatch(/^bucket media, prefix studio at http/);
    const lines = (await readFile(join(place, "objects.ndjson"), "utf8")).trim().split("\n");
    const objects = lines.map((line) => JSON.parse(line) as { path: string; bytes: number; sha256: string });
    expect(objects).toHaveLength(manifest.objects?.count ?? 0);
    const result = objects.find(({ path }) => path === `media/results/${id}-1.png`);
    expect(result).toEqual({ path: `media/results/${id}-1.png`, bytes: bytes.length, sha256: sha256Of(bytes) });
    for (const { sha256 } of objects) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(manifest.faulty.map(({ fault }) => fault).sort()).toEqual(["damaged", "gone"]);
    const dataDirectory = join(web, "restored");
    const restored = await restoreBackup({
      source: place,
      config: { ...config, dataDirectory },
      replace: false,
      acceptAudit: true,
    });
    expect(restored.manifest?.objects).toEqual(manifest.objects);
  });
});
