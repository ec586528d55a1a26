/** Deploys of a server in a process of its own: up to the check of the account, and through kill -9. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readServerNote } from "../database/data-directory.ts";
import { type HealthWorker, startHealthWorker } from "../testing/health-worker.ts";
import { type ModalServer, startModalServer } from "../testing/modal-server.ts";

let folder: string;
let modal: ModalServer;
let worker: HealthWorker;
let server: ChildProcess | undefined;
let url: string;
let cookie: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-deploys-"));
  worker = await startHealthWorker();
  modal = await startModalServer(worker.url);
});
afterEach(async () => {
  await kill();
  await modal.close();
  await worker.close();
  await rm(folder, { recursive: true, force: true });
});

const startScript = `const { startServer } = await import(${JSON.stringify(new URL("../main.ts", import.meta.url).href)}); await startServer(process.env);`;

async function start(): Promise<void> {
  server = spawn(process.execPath, ["--input-type=module", "-e", startScript], {
    env: {
      PATH: process.env["PATH"] ?? "",
      DATA_DIR: folder,
      PORT: "0",
      LOG_LEVEL: "warn",
      MODAL_SERVER_URL: modal.url,
    },
    stdio: "ignore",
  });
  const { pid } = server;
  await expect.poll(async () => (await readServerNote(folder))?.pid, { timeout: 30_000 }).toBe(pid);
  url = (await readServerNote(folder))?.url ?? "";
  const key = readFileSync(join(folder, "secrets", "admin-key"), "utf8").trim();
  const answer = await fetch(`${url}/admin/session`, { method: "POST", headers: { "x-admin-key": key } });
  cookie = String(answer.headers.get("set-cookie")).split(";")[0] ?? "";
}

async function kill(): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const ended = once(server, "exit");
  server.kill("SIGKILL");
  await ended;
}

async function admin<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers = { cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) };
  const answer = await fetch(url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Processes whose environment names the text. */
function processesNaming(text: string): string[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(text);
    } catch {
      return false;
    }
  });
}

test("FR-008: an account is ready by itself once its worker is deployed", async () => {
  await start();
  const account = { label: "Cloud", workspace: "cloud-gpu", kind: "modal" };
  const token = { token_id: "ak-known-0123456789", token_secret: "as-0123456789abcdef" };
  await admin("POST", "/admin/accounts", { ...account, ...token });
  await admin("POST", "/admin/accounts/cloud-gpu/deploy");
  // The worker gets its key as a secret of its app.
  const secret = () => modal.calls.find((call) => call.secret !== undefined)?.secret;
  await expect.poll(secret, { timeout: 30_000 }).toBeDefined();
  worker.accepts = secret()?.["SAFELIGHT_WORKER_KEY"] ?? "";
  const state = () => admin<{ status: string; base_url: string | null }>("GET", "/admin/accounts/cloud-gpu");
  await expect.poll(state, { timeout: 30_000 }).toMatchObject({ status: "ready", base_url: worker.url });
});

test("kill -9: the command dies with the server, and the next start calls the deploy interrupted", async () => {
  await start();
  const account = { label: "Cloud", workspace: "cloud-gpu", kind: "modal" };
  const token = { token_id: "ak-slow-0123456789", token_secret: "as-0123456789abcdef" };
  await admin("POST", "/admin/accounts", { ...account, ...token });
  const { deployment_id: id } = await admin<{ deployment_id: string }>("POST", "/admin/accounts/cloud-gpu/deploy");
  await expect.poll(() => modal.calls.map(({ call }) => call), { timeout: 30_000 }).toContain("FunctionCreate");
  const home = join("runs", id, "home");
  expect(processesNaming(home)).toHaveLength(process.platform === "linux" ? 1 : 0);
  await kill();
  await expect.poll(() => processesNaming(home)).toEqual([]);

  await start();
  expect(await admin("GET", `/admin/deployments/${id}`)).toMatchObject({
    status: "failed",
    error: { code: "interrupted" },
    base_url: null,
  });
  expect(() => readdirSync(join(folder, "deployments", "runs"))).toThrow("ENOENT");
  const { logs } = await admin<{ logs: { actor: { type: string }; action: string; outcome: string }[] }>(
    "GET",
    "/admin/logs?action=deploy_account",
  );
  expect(logs.map(({ actor, outcome }) => `${actor.type} ${outcome}`)).toEqual(["system failure", "admin success"]);
  // The account is free for the next one.
  await admin("POST", "/admin/accounts/cloud-gpu/deploy");
});
