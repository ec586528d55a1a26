import { createParser } from "eventsource-parser";
import type { LightMyRequestResponse } from "fastify";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { type HealthWorker, startHealthWorker } from "../testing/health-worker.ts";
import { type ModalServer, startModalServer } from "../testing/modal-server.ts";

/** How long a busy machine may take. */
const patient = { timeout: 40_000 };

let modal: ModalServer;
let worker: HealthWorker;
let edge: Edge;
let url: string;
let cookie: string;
const open = new Set<AbortController>();

beforeAll(async () => {
  worker = await startHealthWorker();
  modal = await startModalServer(worker.url);
});
afterAll(async () => {
  await modal.close();
  await worker.close();
});
beforeEach(async () => {
  edge = await openEdge({ environment: { MODAL_SERVER_URL: modal.url } });
  url = await edge.listen();
  cookie = await logIn();
});
afterEach(async () => {
  for (const controller of open) controller.abort();
  open.clear();
  await edge.close();
});

async function logIn(): Promise<string> {
  const headers = { host: "127.0.0.1", "x-admin-key": edge.adminKey };
  const answer = await edge.app.inject({ method: "POST", url: "/admin/session", headers });
  return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
}
const admin = (method: string, path: string, body?: unknown): Promise<LightMyRequestResponse> =>
  edge.app.inject({
    method: method as "GET",
    url: path,
    headers: { host: "127.0.0.1", cookie, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
const codeOf = (answer: LightMyRequestResponse) => [answer.statusCode, answer.json<{ code: string }>().code];
const add = (workspace: string, tokenId: string) =>
  admin("POST", "/admin/accounts", {
    label: workspace,
    workspace,
    kind: "modal",
    token_id: `${tokenId}-${workspace}`,
    token_secret: "as-a-secret-0123456789",
  });
const rows = (action: string) =>
  edge.context.database.prepareRead("SELECT * FROM audit_events WHERE action = ? ORDER BY id").all(action);

async function deploy(workspace: string): Promise<string> {
  const answer = await admin("POST", `/admin/accounts/${workspace}/deploy`);
  expect(answer.statusCode).toBe(202);
  return answer.json<{ deployment_id: string }>().deployment_id;
}
const read = async (id: string) =>
  (await admin("GET", `/admin/deployments/${id}`)).json<{ status: string; log: string[] }>();
async function ended(id: string) {
  await expect.poll(async () => (await read(id)).status, patient).toMatch(/done|failed/);
  return read(id);
}

interface Heard {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: { status?: string; from?: number; lines?: string[] };
}

/** Follows until the stream ends. */
function follow(id: string, lastEventId?: number): { heard: Heard[]; over: Promise<void>; stop(): void } {
  const controller = new AbortController();
  open.add(controller);
  const heard: Heard[] = [];
  const parser = createParser({
    onEvent: (event) => heard.push({ id: event.id, event: event.event, data: JSON.parse(event.data) as Heard["data"] }),
  });
  const over = (async () => {
    const headers = { cookie, ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }) };
    const response = await fetch(`${url}/admin/deployments/${id}/events`, { headers, signal: controller.signal });
    expect(response.headers.get("content-type")).toMatch(/^text\/event-stream/);
    const text = response.body?.pipeThrough(new TextDecoderStream());
    for await (const chunk of text ?? []) parser.feed(chunk);
  })();
  return { heard, over, stop: () => controller.abort() };
}

const linesOf = (heard: readonly Heard[]) => heard.flatMap(({ data }) => data.lines ?? []);

describe("deploying over HTTP", () => {
  test("deploy, read, list, cancel and roll back, in the agreed form", async () => {
    const { id: accountId } = (await add("cloud-gpu", "ak-known")).json<{ id: string }>();
    const answer = await admin("POST", "/admin/accounts/cloud-gpu/deploy");
    const { deployment_id: id } = answer.json<{ deployment_id: string }>();
    expect([answer.statusCode, answer.json(), answer.headers["location"]]).toEqual([
      202,
      { id: accountId, deployment_id: id, status: "queued", message: "The deploy is queued." },
      `/admin/deployments/${id}`,
    ]);
    expect(await ended(id)).toMatchObject({ status: "done", version: 1, base_url: worker.url, error: null });
    expect((await admin("GET", "/admin/accounts/cloud-gpu")).json()).toMatchObject({ base_url: worker.url });
    expect(codeOf(await admin("POST", "/admin/accounts/cloud-gpu/rollback"))).toEqual([422, "validation_failed"]);
    await ended(await deploy("cloud-gpu"));
    const back = await admin("POST", "/admin/accounts/cloud-gpu/rollback");
    expect([back.statusCode, back.json()]).toMatchObject([202, { id: accountId, status: "queued" }]);
    const rolled = await ended(back.json<{ deployment_id: string }>().deployment_id);
    expect(rolled).toMatchObject({ status: "done", kind: "rollback", rollback_of: id, version: 3 });
    expect((await admin("POST", `/admin/deployments/${id}/cancel`)).json()).toMatchObject({ id, status: "done" });
    const pages = [];
    for (let cursor: string | null = ""; cursor !== null; ) {
      const query: string = cursor === "" ? "limit=2" : `limit=2&cursor=${cursor}`;
      const page = (await admin("GET", `/admin/deployments?workspace=cloud-gpu&${query}`)).json<{
        deployments: { version: number; log?: unknown }[];
        next_cursor: string | null;
      }>();
      pages.push(page.deployments.map(({ version }) => version));
      cursor = page.next_cursor;
      expect(page.deployments.every(({ log }) => log === undefined)).toBe(true);
    }
    expect(pages).toEqual([[3, 2], [1]]);
    expect((await admin("GET", "/admin/deployments?workspace=nobody")).json()).toMatchObject({ deployments: [] });
    expect((await rows("deploy_account")).map((row) => [row.actor_type, row.outcome])).toEqual([
      ["admin", "success"],
      ["system", "success"],
      ["admin", "success"],
      ["system", "success"],
    ]);
    // The end carries the correlation id of the request that asked for it.
    const [asked, done] = await rows("deploy_account");
    expect(done?.correlation_id).toBe(asked?.correlation_id);
  });

  test("deploy to all says how many; nothing to deploy to is no error", async () => {
    const none = await admin("POST", "/admin/deploy-all");
    expect([none.statusCode, none.json()]).toEqual([
      202,
      { deploying: 0, message: "There is no Modal workspace to deploy to." },
    ]);
    await add("gpu-one", "ak-unknown");
    await add("gpu-two", "ak-unknown");
    await admin("POST", "/admin/accounts/gpu-two/disable");
    expect((await admin("POST", "/admin/deploy-all")).json()).toEqual({ deploying: 1, message: "1 deploy is queued." });
  });

  test("refusals: unknown names, other kinds, bad queries, no session", async () => {
    const attic = { label: "A", workspace: "attic-gpu", kind: "http", base_url: worker.url, worker_key: worker.key };
    await admin("POST", "/admin/accounts", attic);
    expect(codeOf(await admin("POST", "/admin/accounts/nobody/deploy"))).toEqual([404, "not_found"]);
    expect(codeOf(await admin("POST", "/admin/accounts/nobody/rollback"))).toEqual([404, "not_found"]);
    const other = await admin("POST", "/admin/accounts/attic-gpu/deploy");
    expect(codeOf(other)).toEqual([422, "validation_failed"]);
    expect(other.json()).toMatchObject({ errors: [{ field: "workspace", code: "not_for_kind" }] });
    for (const path of ["", "/events"]) {
      expect(codeOf(await admin("GET", `/admin/deployments/unknown${path}`))).toEqual([404, "not_found"]);
    }
    expect(codeOf(await admin("POST", "/admin/deployments/unknown/cancel"))).toEqual([404, "not_found"]);
    for (const query of ["limit=0", "limit=101", "cursor=x", "workspace="]) {
      expect(codeOf(await admin("GET", `/admin/deployments?${query}`)), query).toEqual([422, "validation_failed"]);
    }
    cookie = "";
    for (const [method, path] of [
      ["POST", "/admin/accounts/attic-gpu/deploy"],
      ["POST", "/admin/accounts/attic-gpu/rollback"],
      ["POST", "/admin/deploy-all"],
      ["GET", "/admin/deployments"],
      ["GET", "/admin/deployments/any"],
      ["GET", "/admin/deployments/any/events"],
      ["POST", "/admin/deployments/any/cancel"],
    ] as const) {
      expect(codeOf(await admin(method, path)), path).toEqual([401, "session_required"]);
    }
  });
});

describe("the stream of a deployment", () => {
  test("tells state and log live, and ends with the deployment", async () => {
    await add("cloud-gpu", "ak-known");
    const id = await deploy("cloud-gpu");
    const { heard, over } = follow(id);
    await over;
    const { log } = await read(id);
    expect(linesOf(heard)).toEqual(log);
    const states = heard.filter(({ event }) => event === "deployment.updated").map(({ data }) => data.status);
    expect(states.at(-1)).toBe("done");
    expect(states.filter((status) => status === "done")).toHaveLength(1);
    expect(heard.at(-1)).toMatchObject({ id: String(log.length), event: "deployment.updated" });
    // What has ended is told whole: its log first, then its end.
    const later = follow(id);
    await later.over;
    expect(later.heard.map(({ event }) => event)).toEqual(["deployment.log", "deployment.updated"]);
  });

  test.each([
    ["after the lines that were seen", 1, 1],
    ["from the start for a place that does not exist", 99, 0],
  ])("resumes %s", async (_what, seen, from) => {
    await add("cloud-gpu", "ak-known");
    const id = await deploy("cloud-gpu");
    const { log } = await ended(id);
    expect(log.length).toBeGreaterThan(2);
    const { heard, over } = follow(id, seen);
    await over;
    expect(linesOf(heard)).toEqual(log.slice(from));
    expect(heard[0]).toMatchObject({ id: String(log.length), data: { from } });
  });

  test("ends with the session, and a cancel is heard", async () => {
    await add("cloud-gpu", "ak-slow");
    const id = await deploy("cloud-gpu");
    const { heard, over } = follow(id);
    await expect.poll(() => heard.map(({ data }) => data.status), patient).toContain("running");
    const other = follow(id);
    await expect.poll(() => other.heard.length, patient).toBeGreaterThan(0);
    await admin("POST", `/admin/deployments/${id}/cancel`);
    await over;
    expect(heard.at(-1)?.data).toMatchObject({ status: "failed", error: { code: "cancelled" } });
    await other.over;
    await add("cloud-two", "ak-slow");
    const third = follow(await deploy("cloud-two"));
    await expect.poll(() => third.heard.length, patient).toBeGreaterThan(0);
    await admin("DELETE", "/admin/session");
    await third.over;
    expect(third.heard.at(-1)?.data.status).not.toMatch(/done|failed/);
  });
});
