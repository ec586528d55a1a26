import type { AuditEvent, QueueState, Status } from "@safelight/contract";
import type { LightMyRequestResponse } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";

const clock = createTestClock();
let edge: Edge;
let cookie = "";

beforeEach(async () => {
  edge = await openEdge({ clock });
  cookie = cookieOf(await ask("POST", "/admin/session", { "x-admin-key": edge.adminKey }));
});
afterEach(() => edge.close());

function ask(method: string, url: string, headers: Record<string, string> = {}, body?: unknown) {
  return edge.app.inject({
    method: method as "GET",
    url,
    headers: { host: "127.0.0.1", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}
const admin = (method: string, url: string, body?: unknown) => ask(method, url, { cookie }, body);
const cookieOf = (answer: LightMyRequestResponse) => String(answer.headers["set-cookie"]).split(";")[0] ?? "";
const codeOf = (answer: LightMyRequestResponse) => [answer.statusCode, answer.json<{ code: string }>().code];

async function submitAs(headers: Record<string, string>): Promise<string> {
  const made = await ask("POST", "/generate", headers, { model: "pony", prompt: "a red boat" });
  expect(made.statusCode).toBe(202);
  return made.json<{ task_id: string }>().task_id;
}
const withKey = () => submitAs({ "x-api-key": edge.apiKey });
const newVisitor = async () => ({ cookie: cookieOf(await ask("POST", "/auth/session", {}, {})) });
const statusOf = async (id: string) => (await ask("GET", `/status/${id}`, { "x-api-key": edge.apiKey })).json<Status>();
const placesOf = async (ids: readonly string[]) =>
  Promise.all(ids.map(async (id) => (await statusOf(id)).queue_position));

test("the API key and every session are one credential each; places in answers follow their turns", async () => {
  const keyed = [await withKey(), await withKey(), await withKey()];
  const [one, other] = [await newVisitor(), await newVisitor()];
  const visits = [await submitAs(one), await submitAs(other), await submitAs(other)];
  expect(await placesOf([...keyed, ...visits])).toEqual([1, 4, 6, 2, 3, 5]);
  // What tells credentials apart is no secret, and not the token.
  const rows = await edge.context.database.prepareRead("SELECT DISTINCT submitted_by FROM tasks").all();
  for (const { submitted_by: by } of rows) expect(by).toMatch(/^(?:api-key|session:[0-9a-f]{8})$/);
  expect(rows).toHaveLength(3);
});

test("a task is put to the front and taken back; what has ended is left as it is", async () => {
  const [first, second] = [await withKey(), await withKey()];
  const put = (id: string, front: unknown) => admin("POST", `/admin/tasks/${id}/front`, { front });
  expect((await put(second, true)).json()).toEqual({ id: second, front: true });
  expect(await placesOf([first, second])).toEqual([2, 1]);
  const { items } = (await admin("GET", "/admin/tasks")).json<{ items: { id: string; front: boolean }[] }>();
  expect(items.map(({ id, front }) => [id, front])).toEqual([
    [second, true],
    [first, false],
  ]);
  expect((await put(second, false)).json()).toEqual({ id: second, front: false });
  expect(await placesOf([first, second])).toEqual([1, 2]);
  await admin("POST", `/admin/tasks/${first}/cancel`);
  expect((await put(first, true)).json()).toEqual({ id: first, front: false });
  for (const body of [{}, { front: "yes" }, { front: true, more: 1 }, []]) {
    const refused = await admin("POST", `/admin/tasks/${second}/front`, body);
    expect(codeOf(refused), JSON.stringify(body)).toEqual([422, "validation_failed"]);
  }
  expect(codeOf(await put("00000000-0000-7000-8000-000000000000", true))).toEqual([404, "task_not_found"]);
  expect(codeOf(await put("no-id", true))).toEqual([404, "task_not_found"]);
  const { logs } = (await admin("GET", "/admin/logs?action=front_task")).json<{ logs: AuditEvent[] }>();
  expect(logs.filter(({ outcome }) => outcome === "success").map(({ target }) => target)).toEqual([
    first,
    second,
    second,
  ]);
});

test("pausing and resuming tell how the queue stands, and who did it", async () => {
  const before = (await admin("GET", "/admin/queue")).json<QueueState>();
  expect(before).toEqual({
    paused: false,
    paused_at: null,
    paused_by: null,
    pending: 0,
    processing: 0,
    oldest_pending_at: null,
    limit: 1000,
  });
  const waiting = await withKey();
  const since = new Date(clock.now()).toISOString();
  clock.advance(60_000);
  const paused = (await admin("POST", "/admin/queue/pause")).json<QueueState>();
  const at = new Date(clock.now()).toISOString();
  const by = expect.stringMatching(/^admin-session:[0-9a-f]{8}$/);
  expect(paused).toMatchObject({ paused: true, paused_at: at, paused_by: by, pending: 1, oldest_pending_at: since });
  clock.advance(1000);
  expect((await admin("POST", "/admin/queue/pause")).json()).toEqual(paused);
  expect((await admin("GET", "/admin/queue")).json()).toEqual(paused);
  const { parts } = (await admin("GET", "/admin/health")).json<{ parts: { name: string; state: string }[] }>();
  expect(parts.find(({ name }) => name === "queue")).toMatchObject({ state: "degraded" });
  expect(await statusOf(waiting)).toMatchObject({ status: "pending", queue_position: 1, eta_seconds: null });
  expect((await admin("POST", "/admin/queue/resume")).json()).toMatchObject({ paused: false, pending: 1 });
  expect((await admin("POST", "/admin/queue/resume")).json()).toMatchObject({ paused: false });
  const { logs } = (await admin("GET", "/admin/logs?limit=4")).json<{ logs: AuditEvent[] }>();
  expect(logs.map(({ action, details }) => [action, details])).toEqual([
    ["resume_queue", {}],
    ["resume_queue", { paused_ms: 1000 }],
    ["pause_queue", {}],
    ["pause_queue", {}],
  ]);
});
