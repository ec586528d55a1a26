// For tests of the check of installations: a real server, and for every part a damage that the check must find. An area tests its
// parts in check-<area>.test.ts with this.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningServer, startServer } from "@safelight/server";
import { drawSteps, type ScriptedWorker, startScriptedWorker } from "@safelight/server/testing/scripted-worker";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CheckResult, runChecks } from "../smoke/run-checks.ts";
import { type Damage, openDamagingProxy } from "./damaging-proxy.ts";

export type DamageCase = [part: string, what: string, damage: Damage, complaint: RegExp];

export interface Installation {
  /** There while tests run. */
  readonly server: RunningServer;
  /** Checks this address with the server's keys; all parts unless told. */
  check(url: string, only?: string[]): Promise<CheckResult[]>;
  /** Declares one test for each damage: the part must fail by it, with this complaint. */
  finds(cases: readonly DamageCase[]): void;
}

/** Dozens of checks follow each other at once, which nobody does to a real installation. */
const often = { client_session: 10_000, admin_session: 10_000, admin_by_address: 10_000 };

/** What draws: the embedded engine, or a worker with a script that takes milliseconds, for tests that judge the check alone. */
export type Drawing = "engine" | "script";

/** Starts a server before the tests of this file and ends it after them. */
export function openInstallation(drawing: Drawing = "engine"): Installation {
  let folder: string;
  let server: RunningServer;
  let worker: ScriptedWorker | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "safelight-smoke-"));
    // No deploy of a test leaves this machine: at this port nobody answers.
    const nowhere = { MODAL_SERVER_URL: "http://127.0.0.1:9" };
    const engine = drawing === "engine" ? {} : { EMBEDDED_ENGINE: "off" };
    const environment = { PORT: "0", DATA_DIR: folder, LOG_LEVEL: "silent", ...nowhere, ...engine };
    server = await startServer(environment, { limits: often });
    if (drawing === "engine") return;
    worker = await startScriptedWorker({ script: drawOrDwell, slots: 8 });
    await addWorker(server, worker);
  });
  afterAll(async () => {
    await server?.close();
    await worker?.close();
    await rm(folder, { recursive: true, force: true });
  });
  const check = (url: string, only?: string[]) => {
    const { apiKey, adminKey } = server.secrets;
    const options = { url, key: apiKey, adminKey, timeoutMs: 120_000 };
    return runChecks(only === undefined ? options : { ...options, only }, () => {});
  };
  const finds = (cases: readonly DamageCase[]) =>
    it.each([...cases])("%s: %s", async (part, _, damage, complaint) => {
      const proxy = await openDamagingProxy(server.url, damage);
      try {
        const results = (await check(proxy.url, [part])).filter((result) => result.part === part);
        expect(proxy.spoilt(), JSON.stringify(results)).toBeGreaterThan(0);
        expect(results).toEqual([{ part, outcome: "failed", text: expect.stringMatching(complaint) }]);
      } finally {
        await proxy.close();
      }
    });
  return {
    get server() {
      return server;
    },
    check,
    finds,
  };
}

/** A long clip is begun only to be cancelled: it takes half a minute, in one of many slots where a check that fails leaves it. */
const drawOrDwell: typeof drawSteps = (request) =>
  Number(request.parameters["num_frames"] ?? 0) > 49
    ? Array.from({ length: 300 }, () => ({ do: "wait", until: () => sleep(100) }))
    : drawSteps(request);

async function addWorker({ url, secrets }: RunningServer, worker: ScriptedWorker): Promise<void> {
  const issued = await fetch(`${url}/admin/session`, {
    method: "POST",
    headers: { "x-admin-key": secrets.adminKey },
  });
  const cookie = issued.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const ask = async (path: string, body: object) => {
    const headers = { cookie, "content-type": "application/json" };
    const answer = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
    expect(answer.ok, await answer.clone().text()).toBe(true);
    return answer.json();
  };
  const account = { label: "Scripted", workspace: "scripted-gpu", kind: "http", base_url: worker.url };
  await ask("/admin/accounts", { ...account, worker_key: worker.key, slots: { image: 8, video: 8 } });
  expect(await ask("/admin/accounts/scripted-gpu/health", {})).toMatchObject({ status: "ready" });
}
