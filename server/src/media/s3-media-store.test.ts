import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { StartupError } from "../errors.ts";
import { createLog, silentLog } from "../log.ts";
import { type S3Misdeed, type S3Request, type S3Server, startS3Server } from "../testing/s3-server.ts";
import { locationOf, openS3Store } from "../testing/s3-store.ts";
import { MediaNotFound } from "./media-names.ts";
import type { S3Limits } from "./s3-limits.ts";
import { S3MediaStore } from "./s3-media-store.ts";
import { openPlace } from "./s3-place.ts";
import { S3Spool } from "./s3-spool.ts";
import { tidyUploads } from "./s3-upload.ts";

let server: S3Server;
let folder = "";
let prefix = "";
let opened = 0;
const stores: S3MediaStore[] = [];

beforeAll(async () => {
  server = await startS3Server();
});
afterAll(() => server.close());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-spool-"));
  opened += 1;
  prefix = `studio-${opened}`;
});
afterEach(async () => {
  server.meddle(null);
  for (const store of stores.splice(0)) store.close();
  await rm(folder, { recursive: true, force: true });
});

async function open(limits: Partial<S3Limits> = {}): Promise<S3MediaStore> {
  const store = await openS3Store(server, folder, { prefix, limits });
  stores.push(store);
  return store;
}

/** Does this to the first so many requests of a kind, and lets everything else be. */
function meddleWith(isMeant: (request: S3Request) => boolean, misdeed: S3Misdeed, times = 1): { left: number } {
  const plan = { left: times };
  server.meddle((request) => {
    if (plan.left === 0 || !isMeant(request)) return null;
    plan.left -= 1;
    return misdeed;
  });
  return plan;
}

const busy = { status: 503, code: "SlowDown" } as const;
const denied = { status: 403, code: "AccessDenied" } as const;
const isPart = ({ method, query }: S3Request) => method === "PUT" && query.has("partNumber");
const isCompletion = ({ method, query }: S3Request) => method === "POST" && query.has("uploadId");
const isBeginning = ({ method, query }: S3Request) => method === "POST" && query.has("uploads");
const isAbort = ({ method, query }: S3Request) => method === "DELETE" && query.has("uploadId");
const isSmallPut = ({ method, query }: S3Request) => method === "PUT" && !query.has("partNumber");
const isRead = ({ method, key }: S3Request) => method === "GET" && key !== "";
const isWrite = ({ method }: S3Request) => method !== "GET" && method !== "HEAD";

// Four parts.
const large = randomBytes(1_000_000);
const readAll = async (store: S3MediaStore, name = "results/a.png") => buffer(await store.open(name));
const inPieces = () => Readable.from([large.subarray(0, 400_000), large.subarray(400_000)]);

/** Of this test's prefix. */
async function unfinished(): Promise<string[]> {
  return (await server.unfinished()).filter((key) => key.startsWith(`${prefix}/`));
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe("storing", () => {
  test.each<[string, (request: S3Request) => boolean, S3Misdeed, number]>([
    ["every call answered 503 for a while", () => true, busy, 4],
    ["parts cut off on their way", isPart, { cutRequest: true }, 3],
    ["a part damaged on its way", isPart, { damage: true }, 1],
    ["a part stored and its answer lost", isPart, { lose: true }, 2],
    ["the beginning of the upload lost", isBeginning, { lose: true }, 1],
    ["the end of the upload done and its answer lost", isCompletion, { lose: true }, 1],
    ["the end of the upload cut off", isCompletion, { cutRequest: true }, 2],
    ["a part never answered", isPart, { hang: true }, 1],
    [
      "the look at what was stored refused",
      ({ method }) => method === "HEAD",
      { status: 500, code: "InternalError" },
      2,
    ],
  ])("gets through: %s", async (_what, isMeant, misdeed, times) => {
    const store = await open({ request: 400 });
    const plan = meddleWith(isMeant, misdeed, times);
    const received = await store.receive("results/a.png", inPieces());
    await received.store();
    expect(plan.left).toBe(0);
    expect((await readAll(store)).equals(large)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
    expect(store.fault()).toBeNull();
  });

  test.each<[string, S3Misdeed]>([
    ["cut off", { cutRequest: true }],
    ["damaged", { damage: true }],
    ["stored and its answer lost", { lose: true }],
    ["answered 503", busy],
  ])("gets through with a small one: %s", async (_what, misdeed) => {
    const store = await open();
    const plan = meddleWith(isSmallPut, misdeed);
    await store.put("results/a.png", large.subarray(0, 1000));
    expect(plan.left).toBe(0);
    expect((await readAll(store)).equals(large.subarray(0, 1000))).toBe(true);
  });

  test("what is refused in the middle leaves what was there, nothing unfinished, and the bytes here for another try", async () => {
    const store = await open();
    await store.put("results/a.png", Buffer.from("before"));
    const received = await store.receive("results/a.png", inPieces());
    server.meddle((request) => (isPart(request) && request.query.get("partNumber") === "3" ? denied : null));
    await expect(received.store()).rejects.toMatchObject({ code: "storage_unavailable" });
    expect((await readAll(store)).toString()).toBe("before");
    expect(await unfinished()).toEqual([]);
    server.meddle(null);
    await received.store();
    expect((await readAll(store)).equals(large)).toBe(true);
    expect(await readdir(folder)).toEqual([]);
  });

  test("an upload that could not be ended is ended by the next start", async () => {
    const store = await open({ call: 200 });
    server.meddle((request) => (isCompletion(request) || isAbort(request) ? denied : null));
    await expect(store.put("results/a.png", inPieces())).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await unfinished()).toHaveLength(1);
    expect(await readdir(folder)).toHaveLength(1);
    store.close();
    // As a kill leaves it: half a file, and a note that was cut off.
    await writeFile(join(folder, "half"), "half a file");
    await writeFile(join(folder, "cut.upload"), '{"key":"');
    server.meddle(null);
    await open();
    await until(async () => (await unfinished()).length + (await readdir(folder)).length === 0);
    expect(await server.objects()).not.toContain(`${prefix}/results/a.png`);
  });

  test("an upload that nobody knows of is ended after a day, and one of somebody else is not", async () => {
    const store = await open();
    meddleWith(isBeginning, { lose: true });
    await store.put("results/a.png", inPieces());
    expect(await unfinished()).toHaveLength(1);
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = server.environment;
    const keys = { accessKeyId, secretAccessKey };
    const spool = await S3Spool.open(join(folder, "other"));
    const tidy = async (ours: string, hours: number) => {
      const place = openPlace({ ...locationOf(server), prefix: ours }, keys);
      const { ended, fault } = await tidyUploads({ place, spool }, Date.now() + hours * 3_600_000);
      place.client.destroy();
      return { ended, fault };
    };
    expect(await tidy(prefix, 23)).toEqual({ ended: 0, fault: null });
    expect(await tidy("another-installation", 25)).toEqual({ ended: 0, fault: null });
    expect(await tidy("", 25)).toEqual({ ended: 0, fault: null });
    expect(await tidy(prefix, 25)).toEqual({ ended: 1, fault: null });
    expect(await unfinished()).toEqual([]);
    expect((await readAll(store)).equals(large)).toBe(true);
  });

  test("who no longer wants it is not kept waiting, and nothing is left", async () => {
    const store = await open();
    const received = await store.receive("results/a.png", inPieces());
    const gone = new AbortController();
    server.meddle((request) => {
      if (!isPart(request)) return null;
      gone.abort();
      return { hang: true };
    });
    await expect(received.store(gone.signal)).rejects.toMatchObject({ code: "storage_unavailable" });
    await received.discard();
    expect(await unfinished()).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
    expect(store.fault()).toBeNull();
  });

  test("headers that many servers do not know are not sent, and every body carries its hash", async () => {
    const store = await open();
    server.requests.length = 0;
    await store.put("results/a.png", large);
    const bodies = server.requests.filter(({ method }) => method === "PUT");
    expect(bodies.length).toBeGreaterThan(3);
    for (const { headers } of bodies) {
      expect(headers["content-md5"]).toMatch(/^[\w+/]{22}==$/);
      expect(headers["x-amz-content-sha256"]).toMatch(/^[0-9a-f]{64}$/);
      expect(Object.keys(headers).join()).not.toMatch(/x-amz-(?:sdk-)?checksum|x-amz-trailer/);
    }
  });
});

describe("reading", () => {
  // What is to end by the limit alone stands still for far longer than that; everything else may take as long as it needs.
  const impatient = { stall: 1500 };

  test.each<[string, S3Misdeed, number, Partial<S3Limits>]>([
    ["cut off in the middle", { cutAfter: 100_000 }, 3, {}],
    ["cut off before the first byte", { cutAfter: 0 }, 2, {}],
    ["slow", { pieces: 20, pauseMs: 5 }, 1, {}],
    ["standing still", { pieces: 2, pauseMs: 30_000 }, 1, impatient],
    ["announcing more than comes", { lengthOff: 500 }, 1, impatient],
    ["answered 503 at first", busy, 3, {}],
  ])("goes on where it broke: %s", async (_what, misdeed, times, limits) => {
    const store = await open(limits);
    await store.put("results/a.png", large);
    const plan = meddleWith(isRead, misdeed, times);
    expect((await readAll(store)).equals(large)).toBe(true);
    expect(plan.left).toBe(0);
    plan.left = times;
    const part = await buffer(await store.open("results/a.png", { start: 5, end: 900_000 }));
    expect(part.equals(large.subarray(5, 900_001))).toBe(true);
  });

  test("what was replaced in the middle ends in an error, never in a mixture", async () => {
    const store = await open();
    await store.put("results/a.png", large);
    meddleWith(isRead, { cutAfter: 300_000 });
    const content = await store.open("results/a.png");
    await store.put("results/a.png", randomBytes(1_000_000));
    await expect(buffer(content)).rejects.toThrow("PreconditionFailed");
  });

  test("what does not come back ends in an error", async () => {
    const store = await open({ stall: 100 });
    await store.put("results/a.png", large);
    server.meddle((request) => (request.headers.range === undefined ? { cutAfter: 1000 } : busy));
    await expect(buffer(await store.open("results/a.png"))).rejects.toThrow("does not answer as it should");
  });

  test("a file that is lent is the one that was stored", async () => {
    const store = await open();
    await store.put("uploads/a.png", large);
    const file = join(server.folder, server.bucket, prefix, "uploads", "a.png._S3rver_object");
    const bytes = await readFile(file);
    bytes[500_000] = (bytes[500_000] ?? 0) ^ 1;
    await writeFile(file, bytes);
    await expect(store.borrow("uploads/a.png")).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("a bucket that cannot be used", () => {
  const keys = () => [server.environment.AWS_ACCESS_KEY_ID, server.environment.AWS_SECRET_ACCESS_KEY];

  test.each<[string, () => void, RegExp, Partial<S3Limits>?]>([
    [
      "missing",
      () => server.meddle(() => ({ status: 404, code: "NoSuchBucket" })),
      /there is no such bucket \(NoSuchBucket\)/,
    ],
    ["closed to us", () => server.meddle(() => denied), /does not allow this \(AccessDenied, to list\)/],
    ["read-only", () => server.meddle((request) => (isWrite(request) ? denied : null)), /AccessDenied, to write\)/],
    [
      "one that keeps everything",
      () => server.meddle(({ method }) => (method === "DELETE" ? denied : null)),
      /AccessDenied, to remove\)/,
    ],
    ["busy all the time", () => server.meddle(() => busy), /does not answer as it should/, { start: 300 }],
    [
      "in another region",
      () => server.meddle(() => ({ status: 301, code: "PermanentRedirect" })),
      /another region, or answers at another address/,
    ],
  ])("keeps a server from starting, in one line without a key: %s", async (_what, prepare, reason, limits) => {
    prepare();
    const error = await open(limits).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(StartupError);
    const { problems, message, cause } = error as StartupError;
    expect(problems).toHaveLength(1);
    expect(message).toMatch(reason);
    expect(message).toContain(`MEDIA_URL: bucket ${server.bucket}, prefix ${prefix} at ${server.url}:`);
    for (const key of keys()) expect(message + String(cause)).not.toContain(key);
  });

  test.each([
    ["AWS_SECRET_ACCESS_KEY", "SignatureDoesNotMatch"],
    ["AWS_ACCESS_KEY_ID", "InvalidAccessKeyId"],
  ])("a wrong %s keeps it from starting", async (name, code) => {
    const wrong = { ...server, environment: { ...server.environment, [name]: "not-the-one" } };
    const opening = openS3Store(wrong, folder, { prefix });
    await expect(opening).rejects.toThrow(`does not accept the credentials (${code})`);
    await expect(opening).rejects.not.toThrow("not-the-one");
  });

  test("a server that is not there keeps it from starting", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    await new Promise((resolve) => taken.close(resolve));
    const location = { ...locationOf(server), endpoint: `http://127.0.0.1:${port}` };
    const options = { location, keys: null, spoolFolder: folder, log: silentLog(), limits: { start: 300 } };
    const keyed = { ...options, keys: { accessKeyId: "one", secretAccessKey: "two" } };
    await expect(S3MediaStore.open(keyed)).rejects.toThrow(/does not answer as it should/);
  });

  test("while it is read-only writes are refused at once and reads go on; it is found well again by itself", async () => {
    const lines: string[] = [];
    const log = createLog({ level: "info", destination: { write: (line) => void lines.push(line) } });
    const store = await openS3Store(server, folder, { prefix, log, limits: { probeEvery: 10 } });
    stores.push(store);
    await store.put("results/a.png", large);
    server.meddle((request) => (isWrite(request) ? denied : null));
    await expect(store.put("results/b.png", large)).rejects.toMatchObject({
      code: "storage_unavailable",
      detail: "The server cannot use its media storage at the moment.",
      retryAfter: 5,
    });
    await expect(store.remove("results/a.png")).rejects.toMatchObject({ code: "storage_unavailable" });
    expect((await readAll(store)).equals(large)).toBe(true);
    expect(await store.stat("results/a.png")).not.toBeNull();
    expect(store.fault()).toContain("it does not allow this (AccessDenied");
    expect(store.refusal()).toBe(store.fault());
    server.meddle(null);
    await until(() => store.fault() === null);
    expect(store.refusal()).toBeNull();
    await store.put("results/b.png", large);
    expect(lines.join()).toContain("the media storage can be used again");
    expect(lines.join()).toContain(server.url);
    for (const key of keys()) expect(lines.join()).not.toContain(key);
  });

  test("one that does not answer is a fault, but nothing is refused for it before a minute", async () => {
    const store = await open({ put: 200, call: 200, probeEvery: 10 });
    server.meddle(() => busy);
    await expect(store.put("results/a.png", large)).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(store.stat("results/a.png")).rejects.toMatchObject({ code: "storage_unavailable" });
    await expect(store.open("results/a.png")).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(store.fault()).toContain("does not answer as it should");
    expect(store.refusal()).toBeNull();
    server.meddle(null);
    await until(() => store.fault() === null);
  });

  test("a bucket that has gone is no missing file", async () => {
    const other = await startS3Server();
    try {
      const store = await openS3Store(other, folder, { prefix, limits: { probeEvery: 10 } });
      stores.push(store);
      await store.put("results/a.png", Buffer.from("x"));
      await expect(store.open("results/b.png")).rejects.toThrow(MediaNotFound);
      await other.removeBucket();
      const late = await openS3Store(server, join(folder, "late"), { prefix });
      stores.push(late);
      for (const work of [() => store.open("results/a.png"), () => store.put("results/c.png", large)]) {
        await expect(work()).rejects.toMatchObject({ code: "storage_unavailable" });
      }
      expect(store.refusal()).toContain("there is no such bucket (NoSuchBucket)");
      await other.makeBucket();
      await until(() => store.fault() === null);
      await store.put("results/a.png", Buffer.from("y"));
    } finally {
      await other.close();
    }
  });
});
