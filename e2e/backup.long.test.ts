// Backups of a running server under load (FR-006, FR-007): clients submit and delete while `safelight backup` runs, and is killed. What is
// restored knows every task that was acknowledged before, every done one with its file, and goes on where it was.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type AuditVerification, createClient, type Status } from "@safelight/contract";
import { afterAll, expect, test } from "vitest";
import { type ServerProcess, serverEnvironment, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

const kills = 40;
const repository = resolve(import.meta.dirname, "..");
const directory = await temporaryDirectory();
afterAll(() => directory.remove());
const data = join(directory.path, "data");

interface Run {
  readonly code: number | null;
  readonly output: string;
}

/** Runs a command of the program; `kill` ends it with SIGKILL so many milliseconds after it has copied the database. */
async function command(parameters: readonly string[], kill?: number): Promise<Run> {
  const child = spawn(process.execPath, [join(repository, "cli/src/main.ts"), ...parameters], {
    cwd: repository,
    env: serverEnvironment(data),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let timer: NodeJS.Timeout | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (piece: Buffer) => {
      output += piece.toString();
      if (kill !== undefined && output.includes("database is copied"))
        timer ??= setTimeout(() => child.kill("SIGKILL"), kill);
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  return { code, output };
}

/** Sources of deploys, which no start has swept yet: something to copy for a while. */
async function addFiles(count: number): Promise<void> {
  const folder = join(data, "deployments", "sources");
  await mkdir(folder, { recursive: true });
  for (let index = 0; index < count; index += 1) {
    const bytes = Buffer.alloc(512 * 1024, `${index} `);
    await writeFile(join(folder, createHash("sha256").update(bytes).digest("hex")), bytes);
  }
}

/** Clients that submit, one that deletes what is done. Everything is noted when it is acknowledged. */
class Load {
  readonly acknowledged = new Set<string>();
  readonly deleted = new Set<string>();
  readonly #server: ServerProcess;
  readonly #clients: Promise<void>[];
  #running = true;

  constructor(server: ServerProcess, count: number) {
    this.#server = server;
    const clients = Array.from({ length: count }, (_, client) => this.#submit(client));
    this.#clients = [...clients, this.#delete()];
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }

  #ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { "x-api-key": this.#server.apiKey, "content-type": "application/json" };
    return fetch(this.#server.url + path, { ...init, headers });
  }

  async #submit(client: number): Promise<void> {
    const own: string[] = [];
    for (let turn = 0; this.#running; turn += 1) {
      const body = {
        model: "pony",
        prompt: `a red boat of client ${client}`,
        width: 512,
        height: 512,
        steps: 20,
        seed: turn,
      };
      const answer = await this.#ask("/generate", { method: "POST", body: JSON.stringify(body) });
      expect(answer.status).toBe(202);
      const id = ((await answer.json()) as { task_id: string }).task_id;
      this.acknowledged.add(id);
      own.push(id);
      // Two of its own wait or run at any time: enough to be copied in the middle, and not more than can be drawn afterwards.
      while (this.#running && own.length > 1) {
        const status = await this.#ask(`/status/${own[0]}?wait=1`);
        const { status: state } = (await status.json()) as { status?: string };
        if (state !== "pending" && state !== "processing") own.shift();
      }
    }
  }

  async #delete(): Promise<void> {
    while (this.#running) {
      const { items } = (await (await this.#ask("/gallery?per_page=100")).json()) as { items: { id: string }[] };
      // The oldest of each look; the rest is there for the backup to find.
      for (const { id } of items.slice(3).reverse().slice(0, 2)) {
        const answer = await this.#ask(`/gallery/${id}`, { method: "DELETE" });
        if (answer.status === 200) this.deleted.add(id);
      }
      await sleep(60);
    }
  }
}

test(
  `a backup under load, after ${kills} that were killed, is a whole installation (FR-006, FR-007, FR-022)`,
  async () => {
    const server = await startServerProcess(data);
    const cookie = await sessionOf(server);
    await addFiles(60);
    const load = new Load(server, 3);
    await sleep(1500);
    await killBackups();
    const before = new Set(load.acknowledged);
    const taken = await command(["backup", join(directory.path, "whole"), "--with-secrets"]);
    expect(taken).toMatchObject({ code: 0 });
    const asTar = await command(["backup", join(directory.path, "whole.tar")]);
    expect(asTar).toMatchObject({ code: 0 });
    await load.stop();
    await server.stop("SIGTERM");
    expect(before.size).toBeGreaterThan(5);
    expect(load.deleted.size).toBeGreaterThan(0);

    const restored = join(directory.path, "restored");
    expect(await command(["restore", join(directory.path, "whole.tar"), "--check"])).toMatchObject({ code: 0 });
    expect(await command(["restore", join(directory.path, "whole"), "--data-dir", restored])).toMatchObject({
      code: 0,
    });
    await expectEveryFile(restored);
    const again = await startServerProcess(restored);
    expect(again.apiKey, "keys came along").toBe(server.apiKey);
    const refused = await fetch(`${again.url}/tasks`, { headers: { cookie } });
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: "session_expired" }]);
    await expectAllThere(again, before, load.deleted);
    await expectLog(again, restored);
    await again.stop("SIGTERM");
  },
  30 * 60_000,
);

async function sessionOf(server: ServerProcess): Promise<string> {
  const answer = await fetch(`${server.url}/auth/session`, { method: "POST" });
  return String(answer.headers.getSetCookie()[0]).split(";")[0] ?? "";
}

/** Kills at moments spread over the time that copying the files takes. What is left has neither the name nor a manifest. */
async function killBackups(): Promise<void> {
  let cut = 0;
  for (let kill = 0; kill < kills; kill += 1) {
    const target = join(directory.path, kill % 2 === 0 ? `killed-${kill}` : `killed-${kill}.tar`);
    const { code } = await command(["backup", target], (300 * kill) / kills);
    const name = target.slice(directory.path.length + 1);
    const names = await readdir(directory.path);
    if (code === 0) {
      expect(names).toContain(name);
      continue;
    }
    cut += names.filter((one) => one.startsWith(`.${name}.`)).length;
    // The last moment is the renaming: what has its name is whole, even if the program never said so.
    if (names.includes(name)) expect(await command(["restore", target, "--check"])).toMatchObject({ code: 0 });
    else
      expect(await command(["restore", target, "--check"])).toMatchObject({
        code: 1,
        output: expect.stringContaining("is not there"),
      });
    for (const left of names.filter((one) => one.startsWith(`.${name}.`))) {
      const inside = await readdir(join(directory.path, left), { recursive: true });
      const check = await command(["restore", join(directory.path, left), "--check"]);
      expect(check, inside.join(" ")).toMatchObject({ code: 1, output: expect.stringContaining("no backup") });
    }
  }
  expect(cut, "some backup was cut in the middle").toBeGreaterThan(0);
}

/** A row says done only if its file is in, byte by byte. */
async function expectEveryFile(folder: string): Promise<void> {
  const database = new DatabaseSync(join(folder, "safelight.sqlite"), { readOnly: true });
  const rows = database
    .prepare("SELECT id, result_path, result_sha256, result_bytes FROM tasks WHERE status = 'done'")
    .all();
  expect(database.prepare("PRAGMA integrity_check").get()?.["integrity_check"]).toBe("ok");
  expect(database.prepare("PRAGMA foreign_key_check").all()).toEqual([]);
  database.close();
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) {
    const bytes = await readFile(join(folder, "media", String(row["result_path"])));
    expect(bytes.byteLength).toBe(row["result_bytes"]);
    expect(createHash("sha256").update(bytes).digest("hex")).toBe(row["result_sha256"]);
  }
}

/** Unfinished tasks are taken up again and end; nothing that was acknowledged is missing. */
async function expectAllThere(
  server: ServerProcess,
  before: ReadonlySet<string>,
  deleted: ReadonlySet<string>,
): Promise<void> {
  const client = createClient({ baseUrl: server.url, apiKey: server.apiKey });
  for (const id of before) {
    if (deleted.has(id)) continue;
    let status: Status = await client.getStatus({ path: { id } });
    while (status.status === "pending" || status.status === "processing") {
      status = await client.getStatus({ path: { id }, query: { wait: 20 } });
    }
    expect([id, status.status, status.error]).toEqual([id, "done", null]);
    const answer = await fetch(`${server.url}/results/${id}`, { headers: { "x-api-key": server.apiKey } });
    expect((await answer.arrayBuffer()).byteLength).toBe(status.result?.bytes);
  }
}

/** The chain goes on over the restore, and says that there was one. */
async function expectLog(server: ServerProcess, folder: string): Promise<void> {
  const key = (await readFile(join(folder, "secrets/admin-key"), "utf8")).trim();
  const answer = await fetch(`${server.url}/admin/session`, { method: "POST", headers: { "x-admin-key": key } });
  const cookie = String(answer.headers.getSetCookie()[0]).split(";")[0] ?? "";
  const found = (await (
    await fetch(`${server.url}/admin/logs/verify`, { headers: { cookie } })
  ).json()) as AuditVerification;
  expect(found).toMatchObject({ intact: true, first_broken: null });
  for (const action of ["make_backup", "restore_backup"]) {
    const page = await fetch(`${server.url}/admin/logs?action=${action}`, { headers: { cookie } });
    const { logs } = (await page.json()) as { logs: { outcome: string }[] };
    expect([action, logs[0]?.outcome]).toEqual([action, "success"]);
  }
}
