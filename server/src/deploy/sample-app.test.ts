import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { WorkerHealth } from "@safelight/contract/worker";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { repositoryRoot } from "../config.ts";
import { pythonOfTests } from "../testing/modal-server.ts";

/** Loads the app as a container does and sends it one request. */
const script = `
import asyncio, json, runpy, sys
web = runpy.run_path(sys.argv[1])["web"].local()
path, authorization = sys.argv[2:4]
sent = []
async def send(message): sent.append(message)
scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"authorization", authorization.encode())]}
asyncio.run(web(scope, None, send))
print(json.dumps([sent[0]["status"], dict((k.decode(), v.decode()) for k, v in sent[0]["headers"]), json.loads(sent[1]["body"])]))
`;

function ask(path: string, authorization: string): [number, Record<string, string>, unknown] {
  const app = join(repositoryRoot, "deploy", "modal", "sample_app.py");
  const env = { PATH: process.env["PATH"] ?? "", HOME: repositoryRoot, SAFELIGHT_WORKER_KEY: "the-worker-key" };
  const args = ["-I", "-B", "-c", script, app, path, authorization];
  return JSON.parse(execFileSync(pythonOfTests(), args, { env, encoding: "utf8" })) as ReturnType<typeof ask>;
}

test("the sample app answers the health of the worker protocol to its key alone, and takes no tasks", () => {
  const [status, headers, health] = ask("/health", "Bearer the-worker-key");
  expect([status, headers["safelight-protocol"]]).toEqual([200, "1"]);
  const fits = new Ajv({ strict: false }).compile(WorkerHealth);
  expect(fits(health), JSON.stringify(fits.errors)).toBe(true);
  expect(health).toMatchObject({ ready: false, models: [] });
  expect(ask("/health", "Bearer another-key")[0]).toBe(401);
  expect(ask("/health", "")).toEqual([401, expect.anything(), {}]);
  expect(ask("/tasks", "Bearer the-worker-key")[0]).toBe(404);
});
