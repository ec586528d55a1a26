/**
 * The compromise drill (FR-016): each secret of a whole server leaks in turn, the steps of docs/operations/keys.md are taken, and what
 * leaked opens nothing any more, at once, while everything else goes on: other keys, other sessions, tasks that run.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiKeyCreated, SecretChanged, Status } from "@safelight/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { silentLog } from "./log.ts";
import { type RunningServer, startServer } from "./main.ts";
import { gate } from "./testing/core.ts";
import { type ScriptedWorker, startScriptedWorker } from "./testing/scripted-worker.ts";

let folder: string;
let server: RunningServer;
let worker: ScriptedWorker;
let adminKey: string;
/** Runs go on until the drill is over. */
let held: Promise<void> = Promise.resolve();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-drill-"));
  worker = await startScriptedWorker({
    script: () => [{ do: "preview" }, { do: "wait", until: () => held }],
    models: ["flux"],
  });
  server = await open();
  adminKey = server.secrets.adminKey;
  const facts = { label: "Attic", workspace: "attic-gpu", kind: "http", base_url: worker.url, worker_key: worker.key };
  const admin = await operator();
  expect((await ask("/admin/accounts", { as: admin, body: facts })).status).toBe(201);
  await ask("/admin/accounts/attic-gpu/health", { as: admin, method: "POST" });
  expect(await accountStatus(admin)).toBe("ready");
}, 60_000);

afterAll(async () => {
  await server.close();
  await worker.close();
  await rm(folder, { recursive: true, force: true });
});

function open(environment: Record<string, string> = {}): Promise<RunningServer> {
  const settings = { DATA_DIR: folder, PORT: "0", KEYS_ONLY: "1", ...environment };
  return startServer(settings, { log: silentLog(), limits: { client_session: 1e6, admin_session: 1e6 } });
}

type As = Readonly<Record<string, string>>;
interface Asking {
  readonly as?: As;
  readonly body?: object;
  readonly method?: string;
}

function ask(path: string, { as = {}, body, method }: Asking = {}): Promise<Response> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  return fetch(server.url + path, {
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: { ...as, ...json },
    ...sent,
  });
}

const key = (value: string): As => ({ "x-api-key": value });

async function operator(presented = adminKey): Promise<As> {
  const answer = await ask("/admin/session", { method: "POST", as: { "x-admin-key": presented } });
  expect(answer.status).toBe(204);
  return cookieOf(answer);
}

/** A browser that has shown this key. */
async function browser(apiKey: string): Promise<As> {
  const answer = await ask("/auth/session", { method: "POST", as: key(apiKey) });
  expect(answer.status).toBe(201);
  return cookieOf(answer);
}

function cookieOf(answer: Response): As {
  return { cookie: (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "" };
}

const codeOf = async (answer: Response) => (answer.ok ? "fine" : ((await answer.json()) as { code: string }).code);
const modelsAs = async (as: As) => codeOf(await ask("/models", { as }));

async function accountStatus(as: As): Promise<string> {
  return ((await (await ask("/admin/accounts/attic-gpu", { as })).json()) as { status: string }).status;
}

async function ownSecret(name: string): Promise<string> {
  return (await readFile(join(folder, "secrets", name), "utf8")).trim();
}

async function change(as: As, path: string, body: object = {}): Promise<SecretChanged> {
  const answer = await ask(`/admin/secrets/${path}`, { as, body, method: "POST" });
  expect(answer.status).toBe(200);
  return (await answer.json()) as SecretChanged;
}

async function createKey(as: As, name: string, scope = "generate"): Promise<ApiKeyCreated> {
  const answer = await ask("/admin/api-keys", { as, body: { name, scope } });
  expect(answer.status).toBe(201);
  return (await answer.json()) as ApiKeyCreated;
}

interface OpenStream {
  /** Milliseconds from this call until the stream has ended; null where it goes on. */
  endsWithin(limit: number): Promise<number | null>;
  leave(): void;
}

async function stream(as: As): Promise<OpenStream> {
  const leaving = new AbortController();
  const answer = await fetch(`${server.url}/events`, { headers: as, signal: leaving.signal });
  expect(answer.status).toBe(200);
  const reading = (async () => {
    const reader = answer.body?.getReader();
    for (;;) if ((await reader?.read())?.done !== false) return;
  })().catch(() => undefined);
  return {
    endsWithin: async (limit) => {
      const began = performance.now();
      const isOver = await Promise.race([
        reading.then(() => true),
        new Promise<false>((resolve) => setTimeout(() => resolve(false), limit).unref()),
      ]);
      return isOver ? performance.now() - began : null;
    },
    leave: () => leaving.abort(),
  };
}

/** Everything else there is, before a leak; afterwards all of it must be as good as before. */
async function surroundings(): Promise<{ check: () => Promise<void>; as: As }> {
  const admin = await operator();
  const other = await createKey(admin, `bystander-${Math.random().toString(36).slice(2, 10)}`);
  const session = await browser(other.key);
  const streams = [await stream(key(other.key)), await stream(session)];
  const { opened, open: letGo } = gate();
  held = opened;
  const submitted = await ask("/generate", {
    as: session,
    body: { model: "flux", prompt: "a red boat", width: 512, height: 512 },
  });
  const { task_id: id } = (await submitted.json()) as { task_id: string };
  const status = async () => ((await (await ask(`/status/${id}`, { as: session })).json()) as Status).status;
  await expect.poll(status, { timeout: 20_000 }).toBe("processing");
  return {
    as: key(other.key),
    check: async () => {
      expect([await modelsAs(key(other.key)), await modelsAs(session)]).toEqual(["fine", "fine"]);
      expect(await Promise.all(streams.map((one) => one.endsWithin(50)))).toEqual([null, null]);
      for (const one of streams) one.leave();
      expect(await status()).toBe("processing");
      letGo();
      await expect.poll(status, { timeout: 20_000 }).toBe("done");
    },
  };
}

/** The status of the account after a check. */
async function checkedAccount(as: As): Promise<string> {
  await ask("/admin/accounts/attic-gpu/health", { as, method: "POST" });
  return accountStatus(as);
}

const workerKeyFile = () => join(worker.folder, "secrets", "worker-key");
const currentWorkerKey = async () => (await readFile(workerKeyFile(), "utf8")).trim();

async function giveWorker(keys: string): Promise<void> {
  await writeFile(workerKeyFile(), `${keys}\n`);
  await worker.restart();
}

async function workerAnswers(key: string): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, "safelight-protocol": "1" };
  return (await fetch(`${worker.url}/health`, { headers })).status;
}

describe("FR-016: a secret leaks, the documented steps are taken, what leaked is dead everywhere and nothing else is", () => {
  test("an API key with a name", async () => {
    const around = await surroundings();
    const leaked = await createKey(await operator(), "leaked-key");
    const session = await browser(leaked.key);
    const open = [await stream(key(leaked.key)), await stream(session)];
    const admin = await operator();
    expect((await ask(`/admin/api-keys/${leaked.id}/revoke`, { as: admin, method: "POST" })).status).toBe(200);
    for (const one of open) expect(await one.endsWithin(1000)).not.toBeNull();
    expect(await modelsAs(key(leaked.key))).toBe("invalid_api_key");
    expect(await codeOf(await ask(`/models?api_key=${leaked.key}`))).toBe("invalid_api_key");
    expect(
      await codeOf(await ask("/status/attic-gpu::0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11", { as: key(leaked.key) })),
    ).toBe("invalid_api_key");
    expect(await codeOf(await ask("/auth/session", { method: "POST", as: key(leaked.key) }))).toBe("invalid_api_key");
    expect(await modelsAs(session)).toBe("session_expired");
    const logs = (await (await ask("/admin/logs?action=secret_access_denied", { as: admin })).json()) as {
      logs: { target: string }[];
    };
    expect(logs.logs.some(({ target }) => target === "leaked-key")).toBe(true);
    await around.check();
  });

  test("the API key of the installation", async () => {
    const around = await surroundings();
    const leaked = await ownSecret("api-key");
    const session = await browser(leaked);
    const open = [await stream(key(leaked)), await stream(session)];
    const changed = await change(await operator(), "api-key/revoke");
    for (const one of open) expect(await one.endsWithin(1000)).not.toBeNull();
    expect([await modelsAs(key(leaked)), await modelsAs(session)]).toEqual(["invalid_api_key", "session_expired"]);
    expect(changed).toMatchObject({ sessions_ended: 1, next_steps: [] });
    expect(await modelsAs(key((await readFile(changed.written_to ?? "", "utf8")).trim()))).toBe("fine");
    await around.check();
  });

  test("the admin key: the sessions it has opened end with it, also the one that revoked it", async () => {
    const around = await surroundings();
    const leaked = adminKey;
    const [thief, us] = [await operator(leaked), await operator(leaked)];
    const exporting = await ask("/admin/logs/export", { as: thief });
    await change(us, "admin-key/revoke");
    adminKey = await ownSecret("admin-key");
    expect(await codeOf(await ask("/admin/session", { method: "POST", as: { "x-admin-key": leaked } }))).toBe(
      "invalid_api_key",
    );
    for (const one of [thief, us])
      expect(await codeOf(await ask("/admin/accounts", { as: one }))).toBe("session_expired");
    await exporting.body?.cancel();
    expect(await codeOf(await ask("/admin/accounts", { as: await operator() }))).toBe("fine");
    await around.check();
  });

  test("the session secret: every session ends, keys go on", async () => {
    const bystander = await createKey(await operator(), "goes-on");
    const going = await stream(key(bystander.key));
    const session = await browser(bystander.key);
    const open = await stream(session);
    const admin = await operator();
    expect((await change(admin, "session-secret/revoke")).sessions_ended).toBeGreaterThanOrEqual(2);
    expect(await open.endsWithin(1000)).not.toBeNull();
    expect(await modelsAs(session)).toBe("session_required");
    expect(await codeOf(await ask("/admin/accounts", { as: admin }))).toBe("session_required");
    expect([await modelsAs(key(bystander.key)), await going.endsWithin(50)]).toEqual(["fine", null]);
    going.leave();
  });

  test("the encryption key: nothing that is stored opens with it, workers are reached as before", async () => {
    const around = await surroundings();
    const leaked = Buffer.from(await ownSecret("encryption-key"), "base64");
    const { createKeyring } = await import("./keys/keyring.ts");
    const admin = await operator();
    await change(admin, "encryption-key/revoke");
    const rows = await server.context.database.prepareRead("SELECT id, worker_key FROM worker_accounts").all();
    for (const { id, worker_key: sealed } of rows) {
      const place = { table: "worker_accounts", row: String(id), column: "worker_key" };
      expect(() => createKeyring([leaked]).decrypt(String(sealed), place)).toThrow(/encrypted with the key/);
    }
    expect(await ownSecret("encryption-key")).not.toContain(leaked.toString("base64"));
    expect((await ask("/admin/accounts/attic-gpu/health", { as: admin, method: "POST" })).status).toBe(200);
    expect(await accountStatus(admin)).toBe("ready");
    await around.check();
  });

  test("a worker key: the gateway does not show the old one again, and works once the worker has the new one", async () => {
    const admin = await operator();
    const { written_to: file } = await change(admin, "worker-key:attic-gpu/revoke");
    const made = (await readFile(file ?? "", "utf8")).trim();
    expect(made).not.toBe(worker.key);
    // The worker still has the old key, and the gateway does not have it any more.
    expect(await checkedAccount(admin)).toBe("failed");
    await giveWorker(made);
    expect(await checkedAccount(admin)).toBe("ready");
    expect(await workerAnswers(worker.key)).toBe(401);
  });

  test("a worker key that is only old: both count at the worker until the gateway uses the new one", async () => {
    const admin = await operator();
    const old = await currentWorkerKey();
    const { written_to: file } = await change(admin, "worker-key:attic-gpu/rotate");
    const made = (await readFile(file ?? "", "utf8")).trim();
    expect(await checkedAccount(admin)).toBe("ready");
    await giveWorker(`${made}\n${old}`);
    expect(await checkedAccount(admin)).toBe("ready");
    await change(admin, "worker-key:attic-gpu/retire");
    await expect(readFile(file ?? "")).rejects.toThrow("ENOENT");
    await giveWorker(made);
    expect(await checkedAccount(admin)).toBe("ready");
    expect([await workerAnswers(old), await workerAnswers(made)]).toEqual([401, 200]);
  });

  test("an access password and a metrics token: they open nothing, before the settings are changed", async () => {
    await server.close();
    const given = { ACCESS_PASSWORD: "open sesame", METRICS_TOKEN: "metrics-token-of-this-test", KEYS_ONLY: "0" };
    server = await open(given);
    adminKey = await ownSecret("admin-key");
    const logIn = () => ask("/auth/session", { body: { password: "open sesame" } });
    const metrics = () => ask("/admin/metrics", { as: { authorization: `Bearer ${given.METRICS_TOKEN}` } });
    const session = cookieOf(await logIn());
    expect([await modelsAs(session), await codeOf(await metrics())]).toEqual(["fine", "fine"]);
    const admin = await operator();
    await change(admin, "access-password/revoke");
    await change(admin, "metrics-token/revoke");
    expect([await modelsAs(session), await codeOf(await logIn())]).toEqual(["session_expired", "invalid_password"]);
    expect(await codeOf(await metrics())).toBe("invalid_api_key");
    await server.close();
    server = await open(given);
    expect([await codeOf(await logIn()), await codeOf(await metrics())]).toEqual([
      "invalid_password",
      "invalid_api_key",
    ]);
  });

  test("the admin key is lost: who may read the data directory gets in and has a new one made", async () => {
    const note = JSON.parse(await readFile(join(folder, "server.json"), "utf8")) as { local_key: string };
    const admin = await operator(note.local_key);
    const lost = adminKey;
    await change(admin, "admin-key/recover");
    expect(await codeOf(await ask("/admin/session", { method: "POST", as: { "x-admin-key": lost } }))).toBe(
      "invalid_api_key",
    );
    await operator(await ownSecret("admin-key"));
    const forwarded = { "x-admin-key": note.local_key, "x-forwarded-for": "127.0.0.1" };
    expect(await codeOf(await ask("/admin/session", { method: "POST", as: forwarded }))).toBe("invalid_api_key");
    await server.close();
    server = await open();
    expect(await codeOf(await ask("/admin/session", { method: "POST", as: { "x-admin-key": note.local_key } }))).toBe(
      "invalid_api_key",
    );
  });
});
