// FR-016: kill -9 of a process that changes secrets, at moments that nobody chose; whatever was done, the next start serves.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AdminHealth } from "@safelight/contract";
import { createLog, startServer } from "@safelight/server";
import { expect, test } from "vitest";
import { startCommand } from "../testing/command.ts";

const rounds = 16;
const names = ["encryption-key", "api-key", "admin-key", "session-secret"] as const;
const silent = createLog({ level: "silent" });

type Ask = (path: string, body?: object) => Promise<Response>;

/** Kept from one server to the next until it has ended with a secret: log-ins are limited, over restarts too. */
let cookie = "";

/** A server on the directory; what lies in the files of its secrets has to count. */
async function withServer(data: string, work: (ask: Ask) => Promise<void>): Promise<void> {
  const server = await startServer({ PORT: "0", DATA_DIR: data }, { log: silent });
  const secret = async (name: string) => (await readFile(join(data, "secrets", name), "utf8")).trim();
  const send: Ask = (path, body) =>
    fetch(`${server.url}/admin/${path}`, {
      headers: { cookie, "content-type": "application/json" },
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
    });
  try {
    const models = await fetch(`${server.url}/models`, { headers: { "x-api-key": await secret("api-key") } });
    expect(models.status).toBe(200);
    expect(server.secrets.adminKey).toBe(await secret("admin-key"));
    if (!(await send("session")).ok) {
      const headers = { "x-admin-key": server.secrets.adminKey };
      const session = await fetch(`${server.url}/admin/session`, { method: "POST", headers });
      expect(session.status).toBe(204);
      cookie = (session.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
    }
    await work(send);
  } finally {
    await server.close();
  }
}

test(`FR-016: ${rounds} kills while secrets are changed leave a server that works, with every credential`, async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-secrets-crash-"));
  const data = join(folder, "data");
  try {
    await withServer(data, async (ask) => {
      for (let index = 0; index < 60; index += 1) {
        const worker = { base_url: "http://127.0.0.1:9", worker_key: `key-of-worker-${index}-0123456789` };
        const account = { label: "Attic", workspace: `attic-${index}`, kind: "http", ...worker };
        expect((await ask("accounts", account)).status).toBe(201);
      }
    });
    // How long the command takes here when nobody stops it: the kills are spread over that time, before, in and after its work.
    const began = performance.now();
    expect((await startCommand(["secrets", "rotate", "api-key"], { DATA_DIR: data }, folder).done).code).toBe(0);
    const whole = performance.now() - began;
    const codes: (number | null)[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const verb = round % 8 < 4 ? "rotate" : "revoke";
      const name = names[round % names.length] ?? "api-key";
      const command = startCommand(["secrets", verb, name], { DATA_DIR: data }, folder);
      await Promise.race([command.done, sleep((whole * (round + 1)) / rounds)]);
      command.signal("SIGKILL");
      codes.push((await command.done).code);
      await withServer(data, async (ask) => {
        const health = (await (await ask("health")).json()) as AdminHealth;
        const state = (part: string) => health.parts.find((one) => one.name === part)?.state;
        expect([round, state("encryption"), state("secrets")]).toEqual([round, "ok", "ok"]);
        expect(await (await ask("logs/verify")).json()).toMatchObject({ intact: true });
      });
    }
    expect(codes.filter((code) => code === null).length).toBeGreaterThan(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 400_000);
