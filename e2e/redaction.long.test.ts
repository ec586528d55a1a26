// SC-008: one life of an installation with marked secrets and marked prompts, and then a search of everything that it has left behind or
// said: logs at the loudest level, refusals, audit rows, database files, temporary files and process lists.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pythonOfTests } from "@safelight/server/testing/modal-server";
import { type ScriptedWorker, startScriptedWorker } from "@safelight/server/testing/scripted-worker";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Leak, LeakSearch, type Marked, showsProcesses } from "./src/leak-search.ts";
import { serverEnvironment } from "./src/server-process.ts";

const repository = resolve(import.meta.dirname, "..");
// With signs that every way of writing writes another way.
const mark = (name: string) => `MARK-${name}-"+/=&%-${randomBytes(9).toString("base64url")}`;
const encryptionKey = randomBytes(32);
const secrets = {
  API_KEY: mark("api"),
  ADMIN_KEY: mark("admin"),
  ENCRYPTION_KEY: encryptionKey.toString("base64"),
  ACCESS_PASSWORD: mark("password"),
  METRICS_TOKEN: mark("metrics"),
  WEBHOOK_SECRET: mark("webhook-of-24-bytes-and-more"),
};
const tokenSecret = `as-${randomBytes(18).toString("hex")}`;
const goodKey = `wk-${randomBytes(18).toString("hex")}`;
const prompts = ["a red MARKboat at the MARKpier", "нарисуй МЕТКАлодку у МЕТКАпричала", 'MARK"quoted"\\prompt'];
const typed = `MARK-typed-wrong-${randomBytes(9).toString("hex")}`;
const cookies: string[] = [];

let folder: string;
let child: ChildProcess;
let url: string;
let worker: ScriptedWorker;
let receiver: Server;
let logged = "";
const refusals: string[] = [];
const heard: string[] = [];
const seenProcesses: Leak[] = [];
const temporary: Leak[] = [];

const place = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-redaction-"));
  for (const name of ["data", "given", "temporary"]) await mkdir(place(name), { mode: 0o700 });
  for (const [name, value] of Object.entries(secrets)) await writeFile(place(`given/${name}`), value, { mode: 0o600 });
  worker = await startScriptedWorker();
  receiver = createServer((request, response) => {
    request.on("data", (piece: Buffer) => heard.push(piece.toString()));
    heard.push(JSON.stringify(request.headers));
    request.on("end", () => response.writeHead(500).end("no"));
  });
  await new Promise<void>((listening) => receiver.listen(0, "127.0.0.1", listening));
  await start();
});
afterAll(async () => {
  child.kill("SIGKILL");
  receiver.close();
  await worker.close();
  await rm(folder, { recursive: true, force: true });
});

function settings(): Record<string, string> {
  const files = Object.keys(secrets).map((name) => [`${name}_FILE`, place(`given/${name}`)]);
  return serverEnvironment(place("data"), {
    ...Object.fromEntries(files),
    LOG_LEVEL: "trace",
    SAFELIGHT_ENV: "stage",
    EMBEDDED_ENGINE: "always",
    TMPDIR: place("temporary"),
    MODAL_PYTHON: pythonOfTests(),
    WEBHOOK_URL: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`,
  });
}

async function start(): Promise<void> {
  child = spawn(process.execPath, [join(repository, "cli/src/main.ts"), "serve"], {
    cwd: repository,
    env: settings(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (piece: Buffer) => {
      said += piece.toString();
      logged += piece.toString();
    });
  while (!said.includes("is ready: ") && child.exitCode === null) await sleep(25);
  url = /is ready: (\S+)/.exec(said)?.[1] ?? said;
}

interface Wish {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Asks, and keeps what was refused. */
async function ask(path: string, { method = "GET", headers = {}, body }: Wish = {}): Promise<Response> {
  const sent = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await fetch(url + path, {
    method,
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: sent }),
  });
  for (const cookie of answer.headers.getSetCookie()) cookies.push(/=([^;]*)/.exec(cookie)?.[1] ?? "");
  if (answer.status >= 400) refusals.push(JSON.stringify([...answer.headers]), await answer.clone().text());
  return answer;
}

const withKey = { "x-api-key": secrets.API_KEY };
const request = (prompt: string, more: object = {}) => ({
  model: "pony",
  prompt,
  negative_prompt: prompt,
  width: 512,
  height: 512,
  steps: 20,
  ...more,
});

async function logIn(): Promise<Record<string, string>> {
  const answer = await ask("/admin/session", { method: "POST", headers: { "x-admin-key": secrets.ADMIN_KEY } });
  return { cookie: answer.headers.getSetCookie()[0]?.split(";")[0] ?? "" };
}

async function made(prompt: string, more: object = {}): Promise<string> {
  const answer = await ask("/generate", { method: "POST", headers: withKey, body: request(prompt, more) });
  expect(answer.status).toBe(202);
  const { task_id: id } = (await answer.json()) as { task_id: string };
  for (;;) {
    const status = await ask(`/status/${id}?wait=5`, { headers: withKey });
    if (["done", "failed"].includes(((await status.json()) as { status: string }).status)) return id;
  }
}

test("SC-008: no secret anywhere, and no prompt in a log", { timeout: 600_000 }, async () => {
  const search = new LeakSearch(
    Object.entries({ ...secrets, tokenSecret, goodKey }).map(([name, value]) => ({ name, value })),
  );
  const watching = setInterval(() => {
    // The command that deploys is given the token of its own account, and nothing else, by its environment: it takes it no other way.
    const ofDeploy = (command: string, name: string) => /python/.test(command) && name === "tokenSecret";
    if (showsProcesses() && child.pid !== undefined) seenProcesses.push(...search.inProcesses(child.pid, ofDeploy));
    temporary.push(...search.inFolder(place("temporary")));
  }, 100);
  try {
    await refusalsOfAllKinds();
    await tasks();
    const operator = await logIn();
    await accounts(operator);
    await ask("/admin/metrics", { headers: { authorization: `Bearer ${secrets.METRICS_TOKEN}` } });
    await ask("/admin/metrics", { headers: { authorization: `Bearer ${typed}` } });
    const audit = await (await ask("/admin/logs/export", { headers: operator })).text();
    const marked = everythingMarked();
    expect(new LeakSearch([...marked, ...promptsMarked()]).inText(audit, "the audit log")).toEqual([]);
    expect(audit.split("\n").length).toBeGreaterThan(10);
    child.kill("SIGKILL");
    await start();
    await ask("/tasks", { headers: withKey });
    const doctor = spawnSync(process.execPath, [join(repository, "cli/src/main.ts"), "doctor", "--json"], {
      cwd: repository,
      env: settings(),
      encoding: "utf8",
    });
    logged += doctor.stdout + doctor.stderr;
    expect(doctor.stdout).toContain('"findings"');
  } finally {
    clearInterval(watching);
  }
  expect(searchAll()).toEqual([]);
  child.kill("SIGTERM");
  while (child.exitCode === null && child.signalCode === null) await sleep(25);
  expect(searchAll()).toEqual([]);
  // It has happened: an empty log would hold no secret either.
  expect(logged.split("\n").length).toBeGreaterThan(100);
  expect(logged).toContain('"debug"');
  expect(refusals.length).toBeGreaterThan(30);
  expect(heard.join("")).toContain("worker_account.failed");
  await plantOneOfEach();
});

async function refusalsOfAllKinds(): Promise<void> {
  const [prompt = ""] = prompts;
  const body = request(prompt);
  const post = { method: "POST", body } as const;
  for (const headers of [
    {},
    { "x-api-key": typed },
    { "x-api-key": `${secrets.API_KEY}x` },
    { cookie: `gg_session=${typed}` },
  ])
    await ask("/generate", { ...post, headers });
  const key = encodeURIComponent(secrets.API_KEY);
  await ask(`/status/none?api_key=${key}`, { headers: { referer: `http://x.example/?api_key=${key}` } });
  await ask(`/nothing/${key}?api_key=${key}`);
  await ask(`/gallery?api_key=${key}&q=${encodeURIComponent(prompt)}&per_page=lots`);
  await ask(`/admin/logs?admin_key=${encodeURIComponent(secrets.ADMIN_KEY)}`, {
    headers: { "x-admin-key": secrets.ADMIN_KEY },
  });
  await ask("/admin/session", { method: "POST", headers: { "x-admin-key": typed } });
  for (const password of [typed, secrets.ACCESS_PASSWORD])
    await ask("/auth/session", { method: "POST", body: { password } });
  const sent = [
    `{"prompt": "${prompt}", "api_key": "${secrets.API_KEY.replaceAll('"', '\\"')}", `,
    request(prompt, { surprise: secrets.API_KEY }),
    request(prompt, { model: "nothing" }),
    request(prompt.repeat(200)),
    request(prompt, { steps: prompt }),
    request(prompt, {
      mode: "img2img",
      reference_image: `data:image/png;base64,${Buffer.from(prompt).toString("base64")}`,
    }),
    request(prompt, { workspace: "nobody" }),
  ];
  for (const one of sent) await ask("/generate", { method: "POST", headers: withKey, body: one });
  await ask("/generate", { ...post, headers: { ...withKey, "content-type": "text/plain" } });
  await ask("/generate", { ...post, headers: { ...withKey, origin: `https://${typed.toLowerCase()}.example` } });
  await ask("/status/attic::0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11", { headers: withKey });
  const twice = { ...withKey, "idempotency-key": "once" };
  const accepted = await ask("/generate", { ...post, headers: twice });
  await ask(((await accepted.json()) as { cancel_url: string }).cancel_url, { method: "POST", headers: withKey });
  await ask("/generate", { method: "POST", headers: twice, body: request(`${prompt}!`) });
}

async function tasks(): Promise<void> {
  const first = await made(prompts[0] ?? "");
  for (const path of ["results", "preview", "status", "tasks"]) await ask(`/${path}/${first}`, { headers: withKey });
  await ask(`/results/${first}?api_key=${encodeURIComponent(secrets.API_KEY)}&download=1`);
  await ask(`/gallery?q=${encodeURIComponent("MARKboat")}`, { headers: withKey });
  await ask(`/gallery/${first}`, { method: "DELETE", headers: withKey });
  await ask(`/results/${first}`, { headers: withKey });
}

async function accounts(operator: Record<string, string>): Promise<void> {
  const post = (path: string, body?: unknown, method = "POST") => ask(path, { method, headers: operator, body });
  const http = { kind: "http", label: "a", base_url: worker.url, worker_key: worker.key };
  await post("/admin/accounts", { ...http, workspace: "good" });
  await post("/admin/accounts", { ...http, workspace: "wrong-key", worker_key: goodKey });
  await post("/admin/accounts", { ...http, workspace: "BAD NAME", worker_key: goodKey });
  await post("/admin/accounts", { ...http, workspace: "gone", base_url: "http://127.0.0.1:9", worker_key: goodKey });
  await post("/admin/accounts", {
    ...http,
    workspace: "plain",
    base_url: `http://${typed}.example`,
    worker_key: goodKey,
  });
  const modal = { kind: "modal", label: "m", token_id: "ak-of-this-test", token_secret: tokenSecret };
  await post("/admin/accounts", { ...modal, workspace: "cloud" });
  for (const workspace of ["good", "wrong-key", "gone"]) await post(`/admin/accounts/${workspace}/health`);
  for (const prompt of prompts) await made(prompt, { workspace: "good" });
  await worker.stop();
  // The account fails, and the operator's address is told of it.
  await post("/admin/accounts/good/health");
  await post("/admin/accounts/good/rotate", { worker_key: goodKey });
  await post("/admin/accounts/cloud/deploy");
  for (let tries = 0; tries < 60; tries += 1) {
    const found = (await (await ask("/admin/deployments", { headers: operator })).json()) as {
      deployments: { id: string; status: string }[];
    };
    const [deployment] = found.deployments;
    if (deployment !== undefined && !["queued", "running"].includes(deployment.status)) {
      refusals.push(await (await ask(`/admin/deployments/${deployment.id}`, { headers: operator })).text());
      break;
    }
    await sleep(2000);
  }
  for (const path of ["/admin/accounts", "/admin/health", "/admin/storage", "/admin/tasks"]) {
    const answer = await ask(path, { headers: operator });
    if (path !== "/admin/tasks") refusals.push(await answer.text());
  }
  await worker.restart();
}

function everythingMarked(): Marked[] {
  const named = { ...secrets, tokenSecret, goodKey, workerKey: worker.key, typed };
  const all: Marked[] = Object.entries(named).map(([name, value]) => ({ name, value }));
  all.push({ name: "the bytes of ENCRYPTION_KEY", value: encryptionKey });
  for (const [index, value] of [...new Set(cookies)].filter((one) => one.length > 20).entries())
    all.push({ name: `cookie ${index}`, value });
  return all;
}

/** The words that nobody else says; a sentence may be cut. */
function promptsMarked(): Marked[] {
  return ["MARKboat", "MARKpier", "МЕТКАлодку", 'MARK"quoted"'].map((value) => ({ name: `prompt ${value}`, value }));
}

/** Everything there is to be searched. Prompts belong into the database, into the files made from them, and nowhere else. */
function searchAll(): Leak[] {
  const search = new LeakSearch(everythingMarked());
  const prompt = new LeakSearch(promptsMarked());
  return [
    ...search.inText(logged, "the log"),
    ...prompt.inText(logged, "the log"),
    ...refusals.flatMap((text) => [
      ...search.inText(text, `a refusal: ${text.slice(0, 100)}`),
      ...prompt.inText(text, "a refusal"),
    ]),
    ...heard.flatMap((text) => [...search.inText(text, "a webhook"), ...prompt.inText(text, "a webhook")]),
    ...search.inFolder(place("data"), (path) => path.startsWith("secrets/")),
    ...prompt.inFolder(place("data"), (path) => /^(?:safelight\.sqlite|media\/|secrets\/)/.test(path)),
    ...search.inFolder(place("temporary")),
    ...prompt.inFolder(place("temporary")),
    ...seenProcesses,
    ...temporary,
  ];
}

/** A search that finds nothing must be one that could have found something. */
async function plantOneOfEach(): Promise<void> {
  const forms = [secrets.API_KEY, JSON.stringify(secrets.API_KEY), encodeURIComponent(secrets.API_KEY)];
  for (const planted of [...forms, Buffer.from(`xy${secrets.API_KEY}z`).toString("base64")]) {
    const file = place("data/media/planted");
    await writeFile(file, `before ${planted} after`);
    expect(searchAll().map(({ name, where }) => [name, where])).toContainEqual(["API_KEY", "media/planted"]);
    await rm(file);
  }
  const database = place("data/safelight.sqlite");
  const whole = await readFile(database);
  await appendFile(database, encryptionKey);
  expect(searchAll()).toContainEqual({ name: "the bytes of ENCRYPTION_KEY", form: "plain", where: "safelight.sqlite" });
  await writeFile(database, whole);
  logged += `{"msg":"${prompts[1]}"}`;
  expect(searchAll().map(({ where }) => where)).toContain("the log");
  if (!showsProcesses() || !existsSync("/proc/self/cmdline")) return;
  const planted = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)", secrets.ADMIN_KEY]);
  await sleep(200);
  const found = new LeakSearch(everythingMarked()).inProcesses(process.pid);
  planted.kill("SIGKILL");
  expect(found.map(({ name }) => name)).toContain("ADMIN_KEY");
}
