import { chmodSync, cpSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Environment } from "../config.ts";
import { startServer } from "../main.ts";
import { submitTask } from "../tasks/submit.ts";
import { requestFor } from "../testing/core.ts";
import { examine } from "./examine.ts";
import type { Finding } from "./finding.ts";
import { lookAtNode } from "./look-at-settings.ts";

let folder: string;
/** A sound installation that no server runs on. */
let sound: string;
let worker: ReturnType<typeof createServer>;
/** What the worker says the time is. */
let workerDate = (): string => new Date().toUTCString();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-doctor-"));
  sound = join(folder, "sound");
  worker = createServer((_request, response) => {
    response.sendDate = false;
    response.writeHead(401, { date: workerDate() }).end();
  });
  await new Promise<void>((resolve) => worker.listen(0, "127.0.0.1", resolve));
  const server = await startServer({ DATA_DIR: sound, PORT: "0", LOG_LEVEL: "silent" });
  const { context } = server;
  const { answer } = await submitTask(context, {
    request: requestFor({ model: "pony" }),
    idempotency: null,
    queueLimit: 9,
  });
  await fetch(`${server.url}/cancel/${answer.task_id}`, {
    method: "POST",
    headers: { "x-api-key": server.secrets.apiKey },
  });
  await server.close();
});
afterAll(async () => {
  worker.close();
  await rm(folder, { recursive: true, force: true });
});

let copies = 0;

/** A copy of the sound one, to be damaged. */
function copy(): string {
  copies += 1;
  const path = join(folder, `copy-${copies}`);
  cpSync(sound, path, { recursive: true });
  chmodSync(path, 0o700);
  return path;
}

async function look(path: string, environment: Environment = {}, reach = true): Promise<Finding[]> {
  const webFolder = join(folder, "page");
  cpSync(import.meta.filename, join(webFolder, "index.html"), { recursive: true });
  const findings: Finding[] = [];
  const settings = { DATA_DIR: path, PORT: "0", ...environment };
  for await (const finding of examine(settings, { reach, webFolder })) findings.push(finding);
  return findings;
}

const wrong = async (path: string, environment?: Environment, reach?: boolean) =>
  (await look(path, environment, reach)).filter(({ state }) => state !== "ok");

function change(path: string, sql: string): void {
  const database = new DatabaseSync(join(path, "safelight.sqlite"));
  database.function("fold", (text) => String(text).toLowerCase());
  database.exec(sql);
  database.close();
}

/** Name, size and time of every file, however deep. */
const stateOf = (path: string) =>
  (readdirSync(path, { recursive: true }) as string[])
    .map((name) => [name, statSync(join(path, name)).size, statSync(join(path, name)).mtimeMs] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1));

describe("safelight doctor", () => {
  test("finds nothing wrong with a sound installation, and leaves it as it is", async () => {
    const before = stateOf(sound);
    const findings = await look(sound);
    expect(findings.filter(({ state }) => state !== "ok")).toEqual([]);
    expect(findings.map(({ check }) => check).join(", ")).toBe(
      "node, settings, page, data directory, secrets, free space, server, port, database, schema, clock, media, audit log, workers",
    );
    expect(stateOf(sound)).toEqual(before);
  });

  test("beside a server that runs it says where, and writes nothing", async () => {
    const path = copy();
    const server = await startServer({ DATA_DIR: path, PORT: "0", LOG_LEVEL: "silent" });
    try {
      const rows = async () =>
        (await server.context.database.prepareRead("SELECT count(*) AS rows FROM audit_events").get())?.rows;
      const before = await rows();
      const findings = await look(path);
      expect(findings.filter(({ state }) => state !== "ok")).toEqual([]);
      expect(findings.find(({ check }) => check === "server")?.detail).toContain(server.url);
      expect(await rows()).toBe(before);
    } finally {
      await server.close();
    }
  });

  const damages: readonly [string, (path: string) => void, string, Finding["state"], RegExp][] = [
    ["a directory open to all", (path) => chmodSync(path, 0o755), "data directory", "warning", /mode 755/],
    [
      "a secret open to all",
      (path) => chmodSync(join(path, "secrets/api-key"), 0o644),
      "secrets",
      "problem",
      /mode 644/,
    ],
    [
      "a secret that is empty",
      (path) => truncateSync(join(path, "secrets/admin-key")),
      "secrets",
      "problem",
      /admin-key is empty/,
    ],
    [
      "a note of a killed server",
      (path) => writeFileSync(join(path, "server.json"), '{"url":"http://127.0.0.1:9","pid":9}'),
      "server",
      "warning",
      /was killed/,
    ],
    [
      "a restore that was interrupted",
      (path) => writeFileSync(join(path, "restore-unfinished"), ""),
      "data directory",
      "problem",
      /restore was interrupted/,
    ],
    ["no database", (path) => rmSync(join(path, "safelight.sqlite")), "database", "warning", /none yet/],
    [
      "a file that is no database",
      (path) => writeFileSync(join(path, "safelight.sqlite"), "x".repeat(5000)),
      "database",
      "problem",
      /not a database/,
    ],
    [
      "a database cut short",
      (path) => truncateSync(join(path, "safelight.sqlite"), 40_000),
      "database",
      "problem",
      /damaged|malformed/,
    ],
    [
      "a schema of another build",
      (path) => change(path, "UPDATE migrations SET checksum = 'x' WHERE number = 3"),
      "schema",
      "problem",
      /Step 3/,
    ],
    [
      "an older schema",
      (path) => change(path, "DELETE FROM migrations WHERE number > 9"),
      "schema",
      "warning",
      /step 9 of/,
    ],
    [
      "rows from the future",
      (path) => change(path, "UPDATE tasks SET created_at = created_at + 7200000"),
      "clock",
      "warning",
      /ahead of this machine/,
    ],
    [
      "a file nobody names",
      (path) => writeFileSync(join(path, "media/results/stray-1.png"), "x"),
      "media",
      "warning",
      /stray-1\.png.*no record/,
    ],
    [
      "a result that is gone",
      (path) => change(path, "UPDATE tasks SET result_path = 'results/a-1.png', result_bytes = 3"),
      "media",
      "warning",
      /a-1\.png.*missing/,
    ],
    [
      "a changed row of the audit log",
      (path) =>
        change(
          path,
          "DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_head_updated; UPDATE audit_events SET action = 'no'",
        ),
      "audit log",
      "problem",
      /Row 1 is not/,
    ],
    [
      "no key of the audit log",
      (path) => rmSync(join(path, "secrets/audit-key")),
      "audit log",
      "problem",
      /key that signs/,
    ],
  ];

  test.each(damages)("%s is found, and how to mend it is said", async (_name, damage, check, state, detail) => {
    const path = copy();
    damage(path);
    expect(await wrong(path)).toContainEqual({
      check,
      state,
      detail: expect.stringMatching(detail),
      mend: expect.any(String),
    });
  });

  test("settings that keep the server from starting are told, and the rest is looked at all the same", async () => {
    const found = await wrong(sound, { QUEUE_LIMIT: "many", HOST: "0.0.0.0", MEDIA_RESERVE: "0" });
    expect(found.map(({ check, state }) => [check, state])).toEqual([
      ["settings", "problem"],
      ["settings", "problem"],
    ]);
    expect((await look(sound, { QUEUE_LIMIT: "many" })).at(-1)?.check).toBe("workers");
    expect(await wrong(sound, { MEDIA_RESERVE: "9000TB" })).toMatchObject([{ check: "free space", state: "problem" }]);
    expect(await wrong(sound, { EMBEDDED_ENGINE: "off" })).toMatchObject([{ check: "workers", state: "warning" }]);
    const elsewhere = { SAFELIGHT_ENV: "stage", API_KEY: "k1", ADMIN_KEY: "k2", ENCRYPTION_KEY: "a".repeat(64) };
    const told = { check: "settings", state: "problem", detail: expect.stringMatching(/made in dev/) as string };
    expect(await wrong(sound, elsewhere)).toMatchObject([told]);
    expect(await wrong(sound, { ...elsewhere, ADOPT_ENVIRONMENT: "dev" })).toEqual([]);
    const proxied = { PUBLIC_BASE_URL: "https://studio.example" };
    expect(await wrong(sound, proxied)).toMatchObject([{ check: "settings", detail: /TRUSTED_PROXIES is empty/ }]);
  });

  test("a port that somebody else has is told", async () => {
    const { port } = worker.address() as AddressInfo;
    const found = await wrong(sound, { PORT: String(port) });
    expect(found).toMatchObject([{ check: "port", state: "problem", detail: expect.stringContaining("EADDRINUSE") }]);
  });

  test("workers: reached or not, their clock, and secrets that no key opens", async () => {
    const path = copy();
    const { port } = worker.address() as AddressInfo;
    const server = await startServer({ DATA_DIR: path, PORT: "0", LOG_LEVEL: "silent" });
    const login = await fetch(`${server.url}/admin/session`, {
      method: "POST",
      headers: { "x-admin-key": server.secrets.adminKey },
    });
    const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    for (const [workspace, address] of [
      ["attic", port],
      ["gone", 9],
    ] as const) {
      const body = {
        workspace,
        label: "A",
        kind: "http",
        base_url: `http://127.0.0.1:${address}`,
        worker_key: "k".repeat(32),
      };
      const added = await fetch(`${server.url}/admin/accounts`, {
        method: "POST",
        headers: { cookie, "content-type": "application/json", origin: server.url },
        body: JSON.stringify(body),
      });
      expect(added.status).toBe(201);
    }
    await server.close();
    const of = (found: readonly Finding[], workspace: string) =>
      found.find(({ check }) => check === `worker ${workspace}`);
    const found = await look(path);
    expect(of(found, "gone")).toMatchObject({ state: "problem", detail: expect.stringContaining("cannot be reached") });
    expect(of(found, "attic")?.detail).not.toContain("clock is");
    workerDate = () => new Date(Date.now() + 600_000).toUTCString();
    expect(of(await look(path), "attic")).toMatchObject({
      state: "warning",
      detail: expect.stringMatching(/ahead of/),
    });
    const offline = await look(path, {}, false);
    expect(of(offline, "gone")?.detail).not.toContain("reached");
    rmSync(join(path, "secrets/encryption-key"));
    expect(of(await look(path), "attic")).toMatchObject({
      state: "problem",
      detail: expect.stringMatching(/do not open/),
    });
  });

  test("another Node than that of the release is told", () => {
    expect(lookAtNode("22.3.0")).toMatchObject({ state: "problem" });
  });
});
