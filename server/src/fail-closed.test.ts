// FR-023: where it cannot be told who may come in, every route of the contract refuses everybody with auth_unavailable, nothing
// happens, and the server goes on by itself once the fault has gone.
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { StartupError } from "./errors.ts";
import { silentLog } from "./log.ts";
import { type RunningServer, startServer } from "./main.ts";
import { openEdge } from "./testing/edge.ts";
import { callOf, everyRoute, isForEverybody } from "./testing/every-route.ts";

type Inject = (options: InjectOptions) => Promise<LightMyRequestResponse>;

const plenty = { client_session: 1e6, admin_session: 1e6, admin_by_session: 1e6, admin_by_address: 1e6 };
const patience = { timeout: 20_000 };
const password = "open sesame, please";
let folder: string;
let passwordFile: string;
let server: RunningServer;
let inject: Inject;
let credentials: Readonly<Record<string, Record<string, string>>>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-closed-"));
  passwordFile = join(folder, "password");
  await writeFile(passwordFile, password);
  server = await start();
  inject = (options) => server.app.inject({ ...options, headers: { host: "127.0.0.1", ...options.headers } });
  credentials = await credentialsOf(inject, server.secrets.apiKey, server.secrets.adminKey);
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

function start(): Promise<RunningServer> {
  const environment = { DATA_DIR: join(folder, "data"), PORT: "0", ACCESS_PASSWORD_FILE: passwordFile };
  return startServer(environment, { log: silentLog(), limits: plenty });
}

/** Everything that ever opened a door, alone and together. */
async function credentialsOf(send: Inject, apiKey: string, adminKey: string) {
  const cookieOf = (answer: LightMyRequestResponse) => String(answer.headers["set-cookie"]).split(";")[0] ?? "";
  const session = cookieOf(await send({ method: "POST", url: "/auth/session", payload: { password } }));
  const admin = cookieOf(await send({ method: "POST", url: "/admin/session", headers: { "x-admin-key": adminKey } }));
  return {
    "the API key": { "x-api-key": apiKey },
    "a wrong API key": { "x-api-key": "wrong" },
    nothing: {},
    "a session": { cookie: session },
    "an admin session": { cookie: admin },
    "a made-up session": { cookie: "gg_session=made-up; gg_admin_session=made-up" },
    everything: {
      "x-api-key": apiKey,
      "x-admin-key": adminKey,
      authorization: "Bearer x",
      cookie: `${session}; ${admin}`,
    },
  };
}

/** Each alone is tried once; where only the fault differs, those that prove the most and the least. */
const few = ({ everything = {}, nothing = {} }: typeof credentials) => ({ everything, nothing });

async function expectClosed(send: Inject, shown: typeof credentials): Promise<void> {
  for (const route of everyRoute) {
    for (const [who, headers] of Object.entries(shown)) {
      const answer = await send({ ...callOf(route), headers });
      const what = `${route.method} ${route.path} with ${who}`;
      if (isForEverybody(route)) {
        expect([what, answer.statusCode]).toEqual([what, 200]);
        continue;
      }
      expect([what, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([what, 503, "auth_unavailable"]);
      expect(answer.headers["set-cookie"]).toBeUndefined();
    }
  }
}

const isOpen = async () =>
  (await inject({ url: "/models", headers: { "x-api-key": server.secrets.apiKey } })).statusCode === 200;

/** All rows but those that tell of the fault and of refusals, all files of media and secrets. */
async function stateOf(data: string): Promise<Record<string, string>> {
  const state: Record<string, string> = {};
  const note = (name: string, value: unknown) => {
    state[name] = createHash("sha256").update(JSON.stringify(value)).digest("hex");
  };
  const database = new DatabaseSync(join(data, "safelight.sqlite"), { readOnly: true });
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  for (const { name } of tables) {
    if (/^(sqlite_|rate_limits|audit_|.*_search)/.test(String(name))) continue;
    note(String(name), database.prepare(`SELECT * FROM "${String(name)}"`).all());
  }
  note(
    "audit",
    database
      .prepare("SELECT count(*) FROM audit_events WHERE outcome = 'success' AND action <> 'secret_access_denied'")
      .get(),
  );
  database.close();
  for (const part of ["media", "secrets"]) note(part, (await readdir(join(data, part), { recursive: true })).sort());
  return state;
}

async function overwrite(path: string, bytes: Buffer): Promise<void> {
  const handle = await open(path, "r+");
  await handle.write(bytes, 0, bytes.length, 0);
  await handle.close();
}

interface Fault {
  readonly what: string;
  readonly make: (data: string) => Promise<unknown>;
  readonly mend: (data: string) => Promise<unknown>;
}

const inData = (name: string) => (data: string) => join(data, name);
const databaseFile = inData("safelight.sqlite");
const apiKeyFile = inData("secrets/api-key");
let kept: Buffer;
const faults: Fault[] = [
  {
    what: "the database file is gone",
    make: (data) => rename(databaseFile(data), join(folder, "away")),
    mend: (data) => rename(join(folder, "away"), databaseFile(data)),
  },
  {
    what: "the database is overwritten",
    make: async (data) => {
      kept = await readFile(databaseFile(data));
      await overwrite(databaseFile(data), Buffer.alloc(kept.length, 0x5a));
    },
    mend: (data) => overwrite(databaseFile(data), kept),
  },
  {
    what: "the whole data directory is gone",
    make: (data) => rename(data, join(folder, "away")),
    mend: (data) => rename(join(folder, "away"), data),
  },
  {
    what: "a secret of this installation is gone",
    make: (data) => rename(apiKeyFile(data), join(folder, "away")),
    mend: (data) => rename(join(folder, "away"), apiKeyFile(data)),
  },
  {
    what: "a secret of this installation cannot be read",
    make: async (data) => {
      await rename(apiKeyFile(data), join(folder, "away"));
      await mkdir(apiKeyFile(data));
    },
    mend: async (data) => {
      await rm(apiKeyFile(data), { recursive: true });
      await rename(join(folder, "away"), apiKeyFile(data));
    },
  },
  {
    what: "a secret that a setting names is empty",
    make: () => writeFile(passwordFile, ""),
    mend: () => writeFile(passwordFile, password),
  },
];

describe("FR-023: nobody is let in while", () => {
  test.each(faults)("$what; afterwards the server goes on", async ({ what, make, mend }) => {
    const data = join(folder, "data");
    expect(await isOpen()).toBe(true);
    const before = await stateOf(data);
    await make(data);
    await expect.poll(isOpen, patience).toBe(false);
    await expectClosed(inject, what === faults[0]?.what ? credentials : few(credentials));
    expect((await inject({ url: "/health" })).json()).toMatchObject({ status: "ok", ready: false });
    await mend(data);
    await expect.poll(isOpen, patience).toBe(true);
    expect(await stateOf(data)).toEqual(before);
    expect((await inject({ url: "/health" })).json()).toMatchObject({ ready: true });
    for (const who of ["the API key", "a session"]) {
      expect((await inject({ url: "/tasks", headers: credentials[who] ?? {} })).statusCode).toBe(200);
    }
    expect((await inject({ url: "/admin/session", headers: credentials["an admin session"] ?? {} })).statusCode).toBe(
      200,
    );
  });

  test.each([
    ["the database became read-only", 8],
    ["the disk fails", 10],
  ])("%s", async (_what, errcode) => {
    let failing = false;
    const edge = await openEdge({
      limits: plenty,
      interrupt: (operation) => {
        if (failing && operation === "commit")
          throw Object.assign(new Error("a fault"), { code: "ERR_SQLITE_ERROR", errcode });
      },
    });
    try {
      const send: Inject = (options) =>
        edge.app.inject({ ...options, headers: { host: "127.0.0.1", ...options.headers } });
      const shown = few(await credentialsOf(send, edge.apiKey, edge.adminKey));
      failing = true;
      await edge.inject({ method: "POST", url: "/generate", payload: { model: "pony", prompt: "a boat" } });
      await expectClosed(send, shown);
      failing = false;
      await expect.poll(async () => (await edge.inject({ url: "/models" })).statusCode, patience).toBe(200);
      expect((await edge.context.database.prepareRead("SELECT count(*) AS count FROM tasks").get())?.count).toBe(0);
    } finally {
      await edge.close();
    }
  });

  test("streams that are open end, an API key's as well", async () => {
    const headers = { "x-api-key": server.secrets.apiKey };
    const answer = await fetch(`${server.url}/events`, { headers });
    const reader = answer.body?.getReader();
    await rename(passwordFile, join(folder, "away"));
    for (;;) {
      const piece = await reader?.read().catch(() => ({ done: true }));
      if (piece === undefined || piece.done) break;
    }
    await rename(join(folder, "away"), passwordFile);
    await expect.poll(isOpen, patience).toBe(true);
  });

  test("what was lost and found again stands in the audit log", async () => {
    const rows = await server.context.database
      .prepareRead(
        "SELECT target, outcome, details FROM audit_events WHERE action = 'secret_access_denied' ORDER BY id",
      )
      .all();
    const targets = rows.filter(({ outcome }) => outcome === "failure").map(({ target }) => target);
    expect(targets).toEqual(expect.arrayContaining(["api-key", "password"]));
    expect(rows.filter(({ outcome }) => outcome === "success").length).toBeGreaterThanOrEqual(3);
  });
});

test("FR-023: a start without a secret that was given, or with one that cannot be read, names it", async () => {
  const missing = join(folder, "nothing-here");
  const data = join(folder, "other");
  for (const name of ["API_KEY", "ADMIN_KEY", "ACCESS_PASSWORD", "ENCRYPTION_KEY", "AUDIT_KEY"]) {
    const start_ = startServer({ DATA_DIR: data, PORT: "0", [`${name}_FILE`]: missing }, { log: silentLog() });
    await expect(start_).rejects.toThrow(new StartupError(`${name}_FILE: cannot be read (ENOENT).`));
  }
  await mkdir(join(data, "secrets", "api-key"), { recursive: true });
  await expect(startServer({ DATA_DIR: data, PORT: "0" }, { log: silentLog() })).rejects.toThrow(
    /api-key cannot be read/,
  );
});
