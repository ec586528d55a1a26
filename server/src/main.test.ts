import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Status } from "@safelight/contract";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StartupError } from "./errors.ts";
import { createLog } from "./log.ts";
import { type RunningServer, startServer } from "./main.ts";

let folder = "";
let lines: string[] = [];
let secretsMade: string[] = [];
const running: RunningServer[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-main-"));
  lines = [];
  secretsMade = [];
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
  await rm(folder, { recursive: true, force: true });
});

const settings = (extra: Record<string, string> = {}) => ({ DATA_DIR: folder, PORT: "0", ...extra });

async function start(extra: Record<string, string> = {}): Promise<RunningServer> {
  const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  const server = await startServer(settings(extra), { log, onSecretMade: (file) => secretsMade.push(file) });
  running.push(server);
  return server;
}

async function refusal(extra: Record<string, string> = {}): Promise<string> {
  const error = await start(extra).then(
    () => new Error("it started"),
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toBeInstanceOf(StartupError);
  expect(error.message).not.toContain("\n");
  return error.message;
}

const headers = (server: RunningServer) => ({ "x-api-key": server.secrets.apiKey, "content-type": "application/json" });

async function submit(server: RunningServer, body: object): Promise<string> {
  const answer = await fetch(`${server.url}/generate`, {
    method: "POST",
    headers: headers(server),
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as { task_id: string }).task_id;
}

async function status(server: RunningServer, id: string, wait = 0): Promise<Status> {
  const answer = await fetch(`${server.url}/status/${id}?wait=${wait}`, { headers: headers(server) });
  return (await answer.json()) as Status;
}

async function ended(server: RunningServer, id: string): Promise<Status> {
  for (;;) {
    const now = await status(server, id, 30);
    if (now.status === "done" || now.status === "failed") return now;
  }
}

describe("a server", () => {
  test("starts, says where it is, answers, and leaves no note behind", async () => {
    const server = await start();
    expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: "ok", version: "0.1.0", ready: true });
    const note = join(folder, "server.json");
    const local = { local_key: expect.stringMatching(/^[\w-]{43}$/) as string };
    expect(JSON.parse(await readFile(note, "utf8"))).toEqual({ url: server.url, pid: process.pid, ...local });
    expect((await stat(note)).mode & 0o777).toBe(0o600);
    await server.close();
    await server.close();
    await expect(stat(note)).rejects.toThrow("ENOENT");
    await expect(fetch(`${server.url}/health`)).rejects.toThrow();
  });

  test("makes no news for its own parts: nobody listens until somebody does", async () => {
    const server = await start();
    expect(server.context.hub.listeners).toBe(0);
    const stream = await fetch(`${server.url}/events`, { headers: headers(server) });
    await expect.poll(() => server.context.hub.listeners).toBe(1);
    await stream.body?.cancel();
  });

  test("tells the files of the secrets it made, once, and never a value", async () => {
    const first = await start();
    expect(first.secrets.created).toHaveLength(3);
    await first.close();
    expect(secretsMade).toEqual(first.secrets.created);
    const second = await start();
    expect(second.secrets.created).toEqual([]);
    expect(secretsMade).toHaveLength(3);
    expect(second.secrets.apiKey).toBe(first.secrets.apiKey);
    for (const secret of [
      first.secrets.apiKey,
      first.secrets.adminKey,
      first.secrets.encryptionKey.toString("base64"),
    ]) {
      expect(lines.join("")).not.toContain(secret);
    }
  });

  test("a first start that fails late has named its secrets all the same, and says nothing of stopping", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    expect(await refusal({ PORT: String(port) })).toContain("is taken");
    other.close();
    expect(secretsMade).toHaveLength(3);
    expect(lines.join("")).not.toContain("stopping");
  });

  test("US1: makes a picture of a prompt with the real engine, and keeps it over a restart", async () => {
    const server = await start();
    const id = await submit(server, {
      model: "pony",
      prompt: "a red boat at sea",
      width: 512,
      height: 512,
      steps: 20,
      seed: 1,
    });
    expect(await ended(server, id)).toMatchObject({
      status: "done",
      progress: 100,
      engine: "sketch",
      seed: 1,
      error: null,
    });
    const read = async (from: RunningServer) => {
      const answer = await fetch(`${from.url}/results/${id}`, { headers: headers(from) });
      expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/png"]);
      return Buffer.from(await answer.arrayBuffer());
    };
    const bytes = await read(server);
    await server.close();
    const again = await start();
    expect((await read(again)).equals(bytes)).toBe(true);
    expect(lines.join("")).not.toContain("red boat");
  });

  test("FR-006: a graceful stop hands a running task back, ends streams, and the next start finishes it", async () => {
    const server = await start();
    const body = { model: "flux", prompt: "a green hill under a blue sky", width: 512, height: 512, steps: 50 };
    const ids = [await submit(server, body), await submit(server, { ...body, steps: 20 })];
    const first = ids[0] ?? "";
    while ((await status(server, first)).step === null) await status(server, first, 5);
    const stream = await fetch(`${server.url}/events`, { headers: headers(server) });
    const heard = stream.text();
    const began = performance.now();
    await server.close();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await heard).toContain("event: task.updated");
    const next = await start();
    for (const id of ids) expect(await ended(next, id)).toMatchObject({ status: "done", attempt: 1 });
  });

  test("needs neither the picture library nor the inference runtime to be healthy", async () => {
    const server = await start();
    await fetch(`${server.url}/health`);
    const source = `
      import { startServer } from ${JSON.stringify(import.meta.resolve("./main.ts"))};
      import { readFileSync } from "node:fs";
      const server = await startServer({ DATA_DIR: process.argv[1], PORT: "0", LOG_LEVEL: "silent" });
      await fetch(server.url + "/health");
      const maps = readFileSync("/proc/self/maps", "utf8");
      const cpu = process.cpuUsage();
      console.log(JSON.stringify({ sharp: maps.includes("vips"), onnx: maps.includes("onnxruntime"), rss: process.memoryUsage.rss(), ms: (cpu.user + cpu.system) / 1000 }));
      await server.close();
      process.exit(0);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", source, join(folder, "other")], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [printed] = (await once(child.stdout, "data")) as [Buffer];
    const measured = JSON.parse(printed.toString()) as { sharp: boolean; onnx: boolean; rss: number; ms: number };
    expect(measured).toMatchObject({ sharp: false, onnx: false });
    // The exact targets, 700 ms and 150 MB, are measured by the benchmarks; this catches a heavy import.
    expect(measured.rss).toBeLessThan(220 * 1024 * 1024);
    expect(measured.ms).toBeLessThan(6000);
  });
});

describe("what keeps a server from starting is one clear line", () => {
  test("a port that is taken; and the directory is free again afterwards", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    expect(await refusal({ PORT: String(port) })).toMatch(new RegExp(`^PORT: ${port} on 127\\.0\\.0\\.1 is taken`));
    other.close();
    await once(other, "close");
    expect((await start({ PORT: String(port) })).url).toBe(`http://127.0.0.1:${port}`);
  });

  test("a second server on one directory, which harms the first in nothing", async () => {
    const first = await start();
    expect(await refusal()).toContain(`${first.url} (pid ${process.pid})`);
    expect((await fetch(`${first.url}/health`)).status).toBe(200);
    expect(JSON.parse(await readFile(join(folder, "server.json"), "utf8"))).toMatchObject({ url: first.url });
  });

  test("an address of another machine, and a bad setting", async () => {
    expect(await refusal({ HOST: "192.0.2.1", KEYS_ONLY: "1" })).toMatch(/^HOST: 192\.0\.2\.1 is not an address/);
    expect(await refusal({ PORT: "http" })).toMatch(/^PORT: /);
    expect(await refusal({ HOST: "0.0.0.0" })).toMatch(/^HOST: .*ACCESS_PASSWORD/);
    expect(await refusal({ FRONTEND_ORIGINS: "*" })).toMatch(/^FRONTEND_ORIGINS: /);
  });

  test("FR-023: production without a secret", async () => {
    const given = { SAFELIGHT_ENV: "prod", API_KEY: "an-api-key-0123456789", ADMIN_KEY: "an-admin-key-9876543210" };
    expect(await refusal(given)).toMatch(/^ENCRYPTION_KEY: /);
    const key = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString("hex");
    const server = await start({ ...given, ENCRYPTION_KEY: key });
    const body = JSON.stringify({ model: "pony", prompt: "a boat" });
    const answer = await fetch(`${server.url}/generate`, { method: "POST", headers: headers(server), body });
    expect(await answer.json()).toMatchObject({ code: "no_workers" });
  });

  test("a database that is damaged, is none, or is held by another program", async () => {
    const server = await start();
    const file = join(folder, "safelight.sqlite");
    await server.close();
    const holder = new DatabaseSync(file);
    holder.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE");
    expect(await refusal()).toMatch(/locked/);
    holder.close();
    await (await start()).close();
    const bytes = await readFile(file);
    bytes.fill(0x5a, 4096, 40_960);
    await writeFile(file, bytes);
    expect(await refusal()).toMatch(/damaged/);
    await writeFile(file, "this is a letter, not a database. ".repeat(200));
    expect(await refusal()).toMatch(/damaged|no database/);
    expect((await readFile(file, "utf8")).startsWith("this is a letter")).toBe(true);
  });

  test("a media folder that is a file", async () => {
    await writeFile(join(folder, "media"), "in the way");
    expect(await refusal()).toMatch(/^DATA_DIR: the media folder cannot be written/);
  });

  test("a directory that this user may not write, tried as somebody without rights", async () => {
    // Root may write everywhere, so as root the attempt is made as nobody, once everything is loaded.
    const source = `
      import { startServer } from ${JSON.stringify(import.meta.resolve("./main.ts"))};
      if (process.getuid() === 0) {
        process.setgid(65534);
        process.setuid(65534);
      }
      try {
        await startServer({ DATA_DIR: process.argv[1], PORT: "0", LOG_LEVEL: "silent" });
        console.log("it started");
      } catch (error) {
        console.log(error.name + " " + error.message);
      }
      process.exit(0);`;
    const closed = join(folder, "closed");
    await mkdir(closed);
    await chmod(closed, 0o555);
    await chmod(folder, 0o755);
    for (const path of [closed, join(closed, "data")]) {
      const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", source, path], {
        stdio: ["ignore", "pipe", "pipe"],
      });
      let printed = "";
      for (const output of [child.stdout, child.stderr])
        output.on("data", (piece: Buffer) => (printed += piece.toString()));
      await once(child, "close");
      expect(printed.trim()).toMatch(/^StartupError DATA_DIR: .* cannot be written \(EACCES\)\.$/);
    }
  });
});

test("a clock set back by a day harms neither tasks nor sessions", async () => {
  let offset = 0;
  const clock = { now: () => Date.now() + offset, steady: () => Math.round(performance.now()) };
  const server = await startServer(settings(), { log: createLog({ level: "silent" }), clock });
  running.push(server);
  const made = await fetch(`${server.url}/auth/session`, { method: "POST" });
  const cookie = made.headers.get("set-cookie")?.split(";")[0] ?? "";
  const id = await submit(server, { model: "pony", prompt: "a red boat", width: 512, height: 512, steps: 20 });
  offset = -24 * 60 * 60 * 1000;
  expect((await fetch(`${server.url}/auth/session`, { headers: { cookie } })).status).toBe(200);
  expect(await ended(server, id)).toMatchObject({ status: "done" });
  const later = await submit(server, { model: "pony", prompt: "a blue boat", width: 512, height: 512, steps: 20 });
  expect(await ended(server, later)).toMatchObject({ status: "done" });
});

test("an error nobody caught is logged without what is secret in it, and ends the process", async () => {
  const source = `
    import { endOnUncaughtErrors } from ${JSON.stringify(import.meta.resolve("./main.ts"))};
    import { createLog } from ${JSON.stringify(import.meta.resolve("./log.ts"))};
    endOnUncaughtErrors(createLog({ level: "info" }));
    setTimeout(() => {}, 60_000);
    Promise.reject(new Error("broken at /tasks?api_key=sup3r-s3cret"));`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", source], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const output of [child.stdout, child.stderr])
    output.on("data", (piece: Buffer) => (printed += piece.toString()));
  const [code] = (await once(child, "close")) as [number];
  expect(code).toBe(1);
  expect(printed).toContain("broken at");
  expect(printed).not.toContain("sup3r-s3cret");
});
