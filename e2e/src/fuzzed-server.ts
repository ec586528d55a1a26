// A server in a process of its own that may be asked as often as a fuzzer asks, with a worker whose pictures are drawn by a script and with
// things to ask about. Only its limits by rate are wider than anybody's. Prints one line of JSON when it is ready.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "@safelight/server";
import { startScriptedWorker } from "@safelight/server/testing/scripted-worker";

const most = 1e9;
const limits = { client_session: most, admin_session: most, admin_by_session: most, admin_by_address: most };
const worker = await startScriptedWorker({ slots: 4 });
const server = await startServer(process.env, { limits });
const readKey = async (name: string) =>
  (await readFile(join(process.env.DATA_DIR ?? "", "secrets", name), "utf8")).trim();
const [apiKey, adminKey] = [await readKey("api-key"), await readKey("admin-key")];

const ask = async (method: string, path: string, headers: Record<string, string>, body?: unknown) => {
  const answer = await fetch(server.url + path, {
    method,
    headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer;
};

const login = await ask("POST", "/admin/session", { "x-admin-key": adminKey });
const cookie = login.headers.getSetCookie()[0]?.split(";")[0] ?? "";
for (const workspace of ["kept-worker", "spare-worker"]) {
  const account = { workspace, label: workspace, kind: "http", base_url: worker.url, worker_key: worker.key };
  await ask("POST", "/admin/accounts", { cookie }, account);
  const isReady = async () => {
    const found = await ask("GET", `/admin/accounts/${workspace}`, { cookie });
    return ((await found.json()) as { status: string }).status === "ready";
  };
  while (!(await isReady())) await sleep(50);
}

const key = { "x-api-key": apiKey };
const ids: string[] = [];
for (const model of ["pony", "flux", "pony", "flux", "pony", "flux", "anisora", "phr00t"]) {
  const request = { model, prompt: "a red boat at sea", width: 512, height: 512 };
  const made = await ask("POST", "/generate", key, request);
  ids.push(((await made.json()) as { task_id: string }).task_id);
}
await ask("POST", `/cancel/${ids.at(-1)}`, key);
for (const id of ids) await ask("GET", `/status/${id}?wait=20`, key);

// `id` names tasks, uploads, deployments: the wrong kind of an id is worth asking for too.
const known = { id: ids, workspace: ["kept-worker", "spare-worker"] };
process.stdout.write(`${JSON.stringify({ url: server.url, apiKey, adminKey, known })}\n`);
process.once("SIGTERM", () => {
  void server
    .close()
    .then(() => worker.close())
    .then(() => process.exit(0));
});
