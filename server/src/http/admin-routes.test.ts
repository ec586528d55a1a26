import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import type { Account, AuditEvent } from "@safelight/contract";
import type { LightMyRequestResponse } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { adminIdleTime } from "../sessions/admin-sessions.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";
import { type HealthWorker, startHealthWorker } from "../testing/health-worker.ts";

const clock = createTestClock();
let edge: Edge;
let worker: HealthWorker;
let cookie = "";

beforeEach(async () => {
  edge = await openEdge({ clock });
  worker = await startHealthWorker();
  cookie = await logIn();
});
afterEach(async () => {
  await worker.close();
  await edge.close();
});

type Asked = { method: string; url: string; headers?: Record<string, string>; body?: unknown };

/** A request with nobody's credentials but those that are given. */
const bare = ({ method, url, headers = {}, body }: Asked): Promise<LightMyRequestResponse> =>
  edge.app.inject({
    method: method as "GET",
    url,
    headers: { host: "127.0.0.1", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
const admin = (method: string, url: string, body?: unknown) => bare({ method, url, headers: { cookie }, body });
const logInAs = (key: string | undefined, url = "/admin/session") =>
  bare({ method: "POST", url, headers: key === undefined ? {} : { "x-admin-key": key } });

async function logIn(): Promise<string> {
  const answer = await logInAs(edge.adminKey);
  expect(answer.statusCode).toBe(204);
  return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
}

const http = () => ({
  label: "Attic",
  workspace: "attic-gpu",
  kind: "http",
  base_url: worker.url,
  worker_key: worker.key,
});
const modal = {
  label: "Cloud",
  workspace: "cloud-gpu",
  kind: "modal",
  token_id: "ak-plain-token-id",
  token_secret: "as-plain-secret",
};
const codeOf = (answer: LightMyRequestResponse) => [answer.statusCode, answer.json<{ code: string }>().code];
const rows = async (action?: string) =>
  (await edge.context.database.prepareRead("SELECT * FROM audit_events ORDER BY id").all()).filter(
    (row) => action === undefined || row.action === action,
  );

/** Every route that needs an admin session. */
const guarded: [string, string, unknown?][] = [
  ["GET", "/admin/session"],
  ["DELETE", "/admin/session"],
  ["GET", "/admin/health"],
  ["GET", "/admin/logs"],
  ["GET", "/admin/logs/verify"],
  ["GET", "/admin/logs/export"],
  ["POST", "/admin/logs/checkpoint"],
  ["POST", "/admin/backup", { with_secrets: false }],
  ["GET", "/admin/tasks"],
  ["POST", "/admin/tasks/0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11/cancel"],
  ["POST", "/admin/tasks/0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11/front", { front: true }],
  ["GET", "/admin/queue"],
  ["POST", "/admin/queue/pause"],
  ["POST", "/admin/queue/resume"],
  ["GET", "/admin/statistics"],
  ["GET", "/admin/metrics"],
  ["GET", "/admin/accounts"],
  ["POST", "/admin/accounts", modal],
  ["GET", "/admin/accounts/attic-gpu"],
  ["PATCH", "/admin/accounts/attic-gpu", { label: "New" }],
  ["DELETE", "/admin/accounts/attic-gpu"],
  ["GET", "/admin/accounts/attic-gpu/health"],
  ["POST", "/admin/accounts/attic-gpu/health"],
  ["POST", "/admin/accounts/attic-gpu/enable"],
  ["POST", "/admin/accounts/attic-gpu/disable"],
  ["POST", "/admin/accounts/attic-gpu/drain", { draining: true }],
  ["POST", "/admin/accounts/attic-gpu/rotate", { worker_key: "k".repeat(20) }],
];

describe("admin sessions", () => {
  test("are issued for the key in its header, as a strict cookie of twelve hours", async () => {
    const answer = await logInAs(edge.adminKey);
    expect(answer.statusCode).toBe(204);
    expect(answer.headers["set-cookie"]).toMatch(
      /^gg_admin_session=[\w-]{43}; Path=\/admin; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    );
    const state = await admin("GET", "/admin/session");
    expect(state.json()).toEqual({
      active: true,
      idle_timeout_seconds: 43_200,
      last_activity_at: new Date(clock.now()).toISOString(),
    });
  });

  test.each([
    ["no key", undefined, ""],
    ["an empty key", "", ""],
    ["another key", "wrong", ""],
    ["the key in the query", undefined, "?admin_key=KEY&x-admin-key=KEY&api_key=KEY"],
  ])("%s is invalid_api_key", async (_what, key, query) => {
    const answer = await logInAs(key, `/admin/session${query.replaceAll("KEY", edge.adminKey)}`);
    expect(codeOf(answer)).toEqual([401, "invalid_api_key"]);
    expect(answer.headers["set-cookie"]).toBeUndefined();
  });

  test("the API key opens none, and the admin key is no API key", async () => {
    expect(codeOf(await logInAs(edge.apiKey))).toEqual([401, "invalid_api_key"]);
    const asApiKey = await bare({ method: "GET", url: "/models", headers: { "x-api-key": edge.adminKey } });
    expect(codeOf(asApiKey)).toEqual([401, "invalid_api_key"]);
  });

  test("a browser of old with a good key of another page's making is stopped by its origin", async () => {
    const headers = { "x-admin-key": edge.adminKey, origin: "https://elsewhere.example" };
    expect(codeOf(await bare({ method: "POST", url: "/admin/session", headers }))).toEqual([
      403,
      "cors_origin_blocked",
    ]);
  });

  test("are stored as a hash only", async () => {
    const token = cookie.split("=")[1] ?? "";
    expect(token).toHaveLength(43);
    for (const name of readdirSync(edge.folder).filter((file) => file.includes("sqlite"))) {
      expect(readFileSync(join(edge.folder, name)).includes(token), name).toBe(false);
    }
    expect(edge.logged.join("")).not.toContain(token);
    expect(JSON.stringify(await rows())).not.toContain(token);
  });

  test("end twelve hours after their last use; looking at them is none", async () => {
    clock.advance(adminIdleTime / 2);
    expect((await admin("GET", "/admin/accounts")).statusCode).toBe(200);
    clock.advance(adminIdleTime - 1);
    expect((await admin("GET", "/admin/session")).statusCode).toBe(200);
    clock.advance(1);
    expect(codeOf(await admin("GET", "/admin/session"))).toEqual([401, "session_expired"]);
    expect(codeOf(await admin("GET", "/admin/accounts"))).toEqual([401, "session_expired"]);
  });

  test("a use makes the browser keep the cookie longer, at most once a minute", async () => {
    clock.advance(60_000);
    expect((await admin("GET", "/admin/accounts")).headers["set-cookie"]).toMatch(/Max-Age=43200/);
    expect((await admin("GET", "/admin/accounts")).headers["set-cookie"]).toBeUndefined();
  });

  test("are revoked for good", async () => {
    const gone = await admin("DELETE", "/admin/session");
    expect([gone.statusCode, gone.headers["set-cookie"]]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect(codeOf(await admin("GET", "/admin/session"))).toEqual([401, "session_expired"]);
    expect(codeOf(await admin("GET", "/admin/accounts"))).toEqual([401, "session_expired"]);
  });
});

describe("routes for operators", () => {
  test.each(guarded)("%s %s asks for an admin session and takes nothing in its place", async (method, url, body) => {
    const session = await bare({ method: "POST", url: "/auth/session" });
    const client = String(session.headers["set-cookie"]).split(";")[0] ?? "";
    const ask = (headers: Record<string, string>) => bare({ method, url, headers, body });
    const required = [401, "session_required"];
    expect(codeOf(await ask({}))).toEqual(required);
    expect(codeOf(await ask({ "x-admin-key": edge.adminKey }))).toEqual(required);
    expect(codeOf(await ask({ "x-api-key": edge.apiKey }))).toEqual(required);
    expect(codeOf(await ask({ cookie: client }))).toEqual(required);
    expect(codeOf(await ask({ cookie: client.replace("gg_session", "gg_admin_session") }))).toEqual(required);
    expect(codeOf(await ask({ cookie: "gg_admin_session=x" }))).toEqual(required);
    const byQuery = await bare({ method, url: `${url}?admin_key=${edge.adminKey}&api_key=${edge.apiKey}`, body });
    expect(codeOf(byQuery)).toEqual(required);
    expect(await edge.context.database.prepareRead("SELECT * FROM worker_accounts").all()).toEqual([]);
  });

  test("an admin session is no credential for creators' routes", async () => {
    expect(codeOf(await admin("GET", "/tasks"))).toEqual([401, "session_required"]);
  });

  test.each(guarded.filter(([method]) => method !== "GET"))(
    "%s %s is for this server's own page: other sites and listed front ends are stopped",
    async (method, url, body) => {
      await edge.close();
      edge = await openEdge({ clock, environment: { FRONTEND_ORIGINS: "https://studio.example" } });
      cookie = await logIn();
      const ask = (headers: Record<string, string>) => bare({ method, url, headers: { cookie, ...headers }, body });
      const blocked = [403, "cors_origin_blocked"];
      expect(codeOf(await ask({ origin: "https://elsewhere.example" }))).toEqual(blocked);
      expect(codeOf(await ask({ origin: "https://studio.example" }))).toEqual(blocked);
      expect(codeOf(await ask({ origin: "null" }))).toEqual(blocked);
      expect(codeOf(await ask({ "sec-fetch-site": "cross-site" }))).toEqual(blocked);
      expect((await ask({ origin: "http://127.0.0.1" })).statusCode).not.toBe(403);
    },
  );

  test("what operators read is for this server's own page too: a listed front end of the same site has the cookie", async () => {
    await edge.close();
    edge = await openEdge({ clock, environment: { FRONTEND_ORIGINS: "https://studio.example" } });
    cookie = await logIn();
    for (const url of ["/admin/logs", "/admin/logs/export", "/admin/accounts", "/admin/secrets", "/admin/metrics"]) {
      const ask = (headers: Record<string, string>) => bare({ method: "GET", url, headers: { cookie, ...headers } });
      expect(codeOf(await ask({ origin: "https://studio.example" })), url).toEqual([403, "cors_origin_blocked"]);
      expect((await ask({ referer: "https://studio.example/" })).statusCode, url).toBe(200);
      expect((await ask({ origin: "http://127.0.0.1" })).statusCode, url).toBe(200);
    }
  });

  test("a command has the operator's cookie and no Origin, and may do everything whatever COOKIE_SAMESITE says", async () => {
    await edge.close();
    const environment = { COOKIE_SAMESITE: "none", PUBLIC_BASE_URL: "https://studio.example" };
    edge = await openEdge({ clock, environment });
    cookie = await logIn();
    expect((await bare({ method: "POST", url: "/admin/queue/pause", headers: { cookie } })).statusCode).toBe(200);
    const both = { cookie: `${cookie}; gg_session=x` };
    expect(codeOf(await bare({ method: "POST", url: "/admin/queue/pause", headers: both }))[0]).toBe(403);
  });

  test("FR-023: without their storage nobody comes in", async () => {
    await edge.context.database.close();
    expect(codeOf(await logInAs(edge.adminKey))).toEqual([503, "auth_unavailable"]);
    for (const [method, url, body] of guarded) {
      expect(codeOf(await admin(method, url, body)), url).toEqual([503, "auth_unavailable"]);
    }
  });
});

describe("worker accounts", () => {
  test("answer in the agreed form, newest first, and never with a credential", async () => {
    const added = await admin("POST", "/admin/accounts", { ...http(), slots: { image: 2 } });
    expect(added.statusCode).toBe(201);
    expect(added.headers.location).toBe("/admin/accounts/attic-gpu");
    expect(added.json()).toMatchObject({ id: expect.any(String), workspace: "attic-gpu", status: "pending" });
    clock.advance(1000);
    expect((await admin("POST", "/admin/accounts", modal)).statusCode).toBe(201);
    const list = await admin("GET", "/admin/accounts");
    const { accounts } = list.json<{ accounts: Account[] }>();
    expect(accounts.map(({ workspace }) => workspace)).toEqual(["cloud-gpu", "attic-gpu"]);
    expect(accounts[1]).toMatchObject({
      id: added.json<{ id: string }>().id,
      label: "Attic",
      workspace: "attic-gpu",
      kind: "http",
      base_url: worker.url,
      status: "pending",
      draining: false,
      last_used: null,
      last_health_at: null,
      last_health_status: null,
      last_error: null,
      use_count: 0,
      slots: { image: 2, video: 1 },
    });
    expect((await admin("GET", "/admin/accounts/attic-gpu")).json()).toEqual(accounts[1]);
    for (const secret of [worker.key, modal.token_id, modal.token_secret]) expect(list.body).not.toContain(secret);
  });

  test("SC-004: a good check shows at once in accounts, health and audit log", async () => {
    await admin("POST", "/admin/accounts", http());
    const checked = await admin("POST", "/admin/accounts/attic-gpu/health");
    expect(checked.statusCode).toBe(200);
    expect(checked.json()).toMatchObject({
      status: "ready",
      last_health_status: "ok",
      models: [{ id: "pony", modes: ["txt2img"], offered: true }],
      worker: { name: "attic", version: "1.2.3" },
      history: [{ outcome: "ok", error_code: null }],
    });
    expect((await admin("GET", "/admin/accounts/attic-gpu/health")).json()).toEqual(checked.json());
    expect((await admin("GET", "/admin/accounts")).json()).toMatchObject({ accounts: [{ status: "ready" }] });
    expect((await admin("GET", "/admin/health")).json()).toMatchObject({ ok: true, ready_accounts: 1 });
    const { logs } = (await admin("GET", "/admin/logs?action=check_account")).json<{ logs: AuditEvent[] }>();
    expect(logs).toMatchObject([{ target: "attic-gpu", outcome: "success", actor: { type: "admin" } }]);
  });

  test("a bad check is an answer, and its row is a failure", async () => {
    await admin("POST", "/admin/accounts", http());
    worker.accepts = "another";
    const checked = await admin("POST", "/admin/accounts/attic-gpu/health");
    expect([checked.statusCode, checked.json()]).toMatchObject([
      200,
      { status: "pending", last_health_status: "failed", last_error_code: "invalid_worker_key", worker: null },
    ]);
    expect(await rows("check_account")).toMatchObject([{ outcome: "failure", target: "attic-gpu" }]);
  });

  test("FR-008: nothing that is read, and no page that is opened, changes a status", async () => {
    await admin("POST", "/admin/accounts", http());
    await admin("POST", "/admin/accounts/attic-gpu/health");
    const before = await edge.context.database.prepareRead("SELECT * FROM worker_accounts").all();
    await worker.close();
    for (const url of [
      "/admin/accounts",
      "/admin/accounts/attic-gpu",
      "/admin/accounts/attic-gpu/health",
      "/admin/health",
    ]) {
      for (let reads = 0; reads < 3; reads += 1) expect((await admin("GET", url)).statusCode).toBe(200);
    }
    await bare({ method: "GET", url: "/admin/dashboard", headers: { accept: "text/html", cookie } });
    expect(await edge.context.database.prepareRead("SELECT * FROM worker_accounts").all()).toEqual(before);
    worker = await startHealthWorker();
  });

  test("enabling, disabling and draining answer how it stands; a failed account can be enabled", async () => {
    await admin("POST", "/admin/accounts", http());
    const post = async (verb: string, body?: unknown) =>
      (await admin("POST", `/admin/accounts/attic-gpu/${verb}`, body)).json<Record<string, unknown>>();
    await post("health");
    worker.accepts = "another";
    expect(await post("health")).toMatchObject({ status: "failed" });
    expect(await post("enable")).toMatchObject({ id: expect.any(String), status: "failed" });
    expect(await post("disable")).toMatchObject({ status: "disabled" });
    expect(await post("enable")).toMatchObject({ status: "pending" });
    expect(await post("drain")).toMatchObject({ status: "pending", draining: true });
    expect(await post("drain", { draining: false })).toMatchObject({ draining: false });
    const actions = (await rows()).map(({ action }) => action);
    for (const action of ["enable_account", "disable_account", "drain_account"]) expect(actions).toContain(action);
  });

  test("are deleted by name, once", async () => {
    const { id } = (await admin("POST", "/admin/accounts", http())).json<{ id: string }>();
    const gone = await admin("DELETE", "/admin/accounts/attic-gpu");
    expect([gone.statusCode, gone.json()]).toEqual([200, { deleted: true, id }]);
    expect(codeOf(await admin("DELETE", "/admin/accounts/attic-gpu"))).toEqual([404, "not_found"]);
    expect((await admin("GET", "/admin/accounts")).json()).toEqual({ accounts: [] });
  });

  test.each(guarded.filter(([, url]) => url.includes("attic-gpu")))(
    "%s %s of an unknown workspace is 404",
    async (method, url, body) => {
      for (const name of ["attic-gpu", "UPPER", "a".repeat(100), "a%20b", "__proto__", "%00"]) {
        expect(codeOf(await admin(method, url.replace("attic-gpu", name), body)), name).toEqual([404, "not_found"]);
      }
    },
  );

  test.each([
    ["a field that is none of its own", { status: "ready" }, "status unknown_parameter"],
    ["an id", { id: "x" }, "id unknown_parameter"],
    ["a use count", { use_count: 5 }, "use_count unknown_parameter"],
    ["a bad workspace", { workspace: "Attic GPU" }, "workspace pattern"],
    ["a workspace with a line end", { workspace: "attic-gpu\n" }, "workspace pattern"],
    ["a short workspace", { workspace: "ab" }, "workspace pattern"],
    ["a blank label", { label: "   " }, "label pattern"],
    ["a long label", { label: "x".repeat(101) }, "label too_long"],
    ["a kind nobody knows", { kind: "ssh" }, "kind not_an_option"],
    ["too many slots", { slots: { image: 65 } }, "slots.image above_maximum"],
    ["slots of another type", { slots: { audio: 1 } }, "slots.audio unknown_parameter"],
    ["a key with a line end", { worker_key: "0123456789abcdef\r\nx" }, "worker_key pattern"],
    ["a short key", { worker_key: "short" }, "worker_key too_short"],
    ["a number for a text", { label: 5 }, "label wrong_type"],
    [
      "the metadata service",
      { base_url: "http://169.254.169.254/", allow_plain_http: true },
      "base_url address_refused",
    ],
  ])("%s is refused by name", async (_what, change, fault) => {
    const answer = await admin("POST", "/admin/accounts", { ...http(), ...change });
    expect(codeOf(answer)).toEqual([422, "validation_failed"]);
    const { errors } = answer.json<{ errors: { field: string; code: string }[] }>();
    expect(errors.map(({ field, code }) => `${field} ${code}`)).toContain(fault);
    expect(await edge.context.database.prepareRead("SELECT * FROM worker_accounts").all()).toEqual([]);
    expect(await rows("add_account")).toMatchObject([{ outcome: "failure" }]);
    expect(edge.logged.join("") + JSON.stringify(await rows())).not.toContain(worker.key);
  });

  test.each([
    ["nothing", {}],
    ["its status", { status: "ready" }],
    ["its workspace", { workspace: "other-gpu" }],
    ["its kind", { kind: "modal" }],
    ["its key", { worker_key: "k".repeat(20) }],
    ["draining", { draining: false }],
  ])("a change of %s is refused", async (_what, body) => {
    await admin("POST", "/admin/accounts", http());
    const before = (await admin("GET", "/admin/accounts")).json();
    expect(codeOf(await admin("PATCH", "/admin/accounts/attic-gpu", body))).toEqual([422, "validation_failed"]);
    expect((await admin("GET", "/admin/accounts")).json()).toEqual(before);
  });

  test("FR-020: adding and checking an account calls nothing that may not be called", async () => {
    let connections = 0;
    const sink = createServer(() => (connections += 1));
    await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
    const { port } = sink.address() as { port: number };
    worker.answer = (response) => void response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end();
    await admin("POST", "/admin/accounts", http());
    expect((await admin("POST", "/admin/accounts/attic-gpu/health")).json()).toMatchObject({
      last_error_code: "redirect",
    });
    await admin("POST", "/admin/accounts/nobody-here/health");
    const query = `?base_url=http://127.0.0.1:${port}`;
    await admin("POST", `/admin/accounts/attic-gpu/health${query}`);
    expect(connections).toBe(0);
    await new Promise((resolve) => sink.close(resolve));
  });
});

describe("the audit log", () => {
  test("SC-007: every row has all mandatory fields in the agreed form", async () => {
    await admin("POST", "/admin/accounts", http());
    await logInAs("wrong");
    const { logs } = (await admin("GET", "/admin/logs")).json<{ logs: AuditEvent[] }>();
    expect(logs.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "admin_session_create failure",
      "add_account success",
      "admin_session_create success",
    ]);
    for (const row of logs) {
      expect(row).toEqual({
        id: expect.any(Number),
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        actor: { type: expect.stringMatching(/^(admin|client|system)$/), id: expect.stringMatching(/./) },
        source: "127.0.0.1",
        action: expect.any(String),
        target: row.target === null ? null : expect.stringMatching(/./),
        outcome: expect.stringMatching(/^(success|failure)$/),
        details: expect.any(Object),
        correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        previous_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
        hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
    }
  });

  test("pages by cursor, filters by action, actor, outcome and time", async () => {
    for (let nth = 0; nth < 5; nth += 1) await admin("PATCH", "/admin/accounts/nobody-here", { label: "x" });
    const get = async (query: string) =>
      (await admin("GET", `/admin/logs?${query}`)).json<{ logs: AuditEvent[]; next_cursor: string | null }>();
    const first = await get("limit=2&action=update_account");
    const second = await get(`limit=2&action=update_account&cursor=${first.next_cursor}`);
    const third = await get(`limit=2&action=update_account&cursor=${second.next_cursor}`);
    expect([first, second, third].map(({ logs }) => logs.length)).toEqual([2, 2, 1]);
    expect(third.next_cursor).toBeNull();
    const ids = [first, second, third].flatMap(({ logs }) => logs.map(({ id }) => id));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect((await get("outcome=failure&action=update_account")).logs).toHaveLength(5);
    expect((await get("actor=system")).logs).toEqual([]);
    const me = first.logs[0]?.actor.id ?? "";
    expect(me).toMatch(/^admin-session:[0-9a-f]{8}$/);
    expect((await get(`actor=${encodeURIComponent(me)}&action=update_account`)).logs).toHaveLength(5);
    expect((await get(`to=${new Date(clock.now() - 1).toISOString()}`)).logs).toEqual([]);
    expect((await get(`from=${new Date(clock.now()).toISOString()}&action=update_account`)).logs).toHaveLength(5);
    for (const bad of ["limit=0", "limit=501", "cursor=x", "cursor=MTA=", "from=yesterday", "outcome=maybe"]) {
      expect(codeOf(await admin("GET", `/admin/logs?${bad}`)), bad).toEqual([422, "validation_failed"]);
    }
  });

  test("a session that reads itself every few seconds is one row a minute, with a count", async () => {
    for (let seconds = 0; seconds < 61; seconds += 3) {
      await admin("GET", "/admin/session");
      clock.advance(3000);
    }
    const details = (await rows("admin_session_get")).map(
      (row) => JSON.parse(String(row.details)) as { earlier: number },
    );
    expect(details.map(({ earlier }) => earlier)).toEqual([0, 19]);
  });

  test("a flood of wrong keys and missing sessions fills nothing", async () => {
    for (let nth = 0; nth < 50; nth += 1) {
      await logInAs(`wrong-${nth}`);
      await bare({ method: "POST", url: `/admin/accounts/any-${nth}/enable` });
    }
    expect((await rows("admin_session_create")).filter(({ outcome }) => outcome === "failure")).toHaveLength(1);
    expect(await rows("enable_account")).toMatchObject([{ outcome: "failure", actor_type: "client", target: null }]);
  });

  test("FR-012: where no row can be written the action is refused", async () => {
    let failing = false;
    await edge.close();
    edge = await openEdge({
      clock,
      interrupt: () => {
        if (failing) throw Object.assign(new Error("disk full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
      },
    });
    cookie = await logIn();
    await admin("POST", "/admin/accounts", http());
    failing = true;
    for (const [method, url, body] of guarded) {
      if (["/admin/health", "/admin/tasks", "/admin/queue", "/admin/statistics", "/admin/metrics"].includes(url))
        continue;
      expect(codeOf(await admin(method, url, body)), `${method} ${url}`).toEqual([503, "auth_unavailable"]);
    }
    expect(codeOf(await logInAs("wrong"))).toEqual([503, "auth_unavailable"]);
    failing = false;
    expect((await admin("GET", "/admin/accounts")).json()).toMatchObject({
      accounts: [{ label: "Attic", status: "pending" }],
    });
  });

  test("X-Forwarded-For is not believed of anybody", async () => {
    await bare({ method: "POST", url: "/admin/session", headers: { "x-forwarded-for": "203.0.113.9" } });
    expect((await rows("admin_session_create")).map(({ source }) => source)).toEqual(["127.0.0.1", "127.0.0.1"]);
  });
});

describe("all tasks", () => {
  test("are listed with what runs them, and cancelled with a row that names the operator", async () => {
    const made = await edge.inject({
      method: "POST",
      url: "/generate",
      payload: { model: "pony", prompt: "a red boat" },
    });
    const { task_id: id } = made.json<{ task_id: string }>();
    const list = await admin("GET", "/admin/tasks?per_page=5&status=pending");
    expect(list.json()).toMatchObject({ items: [{ id, status: "pending", executor: null }], total: 1 });
    expect(codeOf(await admin("GET", "/admin/tasks?status=lost"))).toEqual([422, "validation_failed"]);
    const cancelled = await admin("POST", `/admin/tasks/${id}/cancel`);
    expect([cancelled.statusCode, cancelled.json()]).toMatchObject([
      200,
      { task_id: id, status: "failed", error: { code: "cancelled" } },
    ]);
    expect((await admin("POST", `/admin/tasks/${id}/cancel`)).json()).toEqual(cancelled.json());
    expect(await rows("cancel_task")).toMatchObject([{ target: id, outcome: "success", actor_type: "admin" }]);
    const unknown = await admin("POST", "/admin/tasks/00000000-0000-7000-8000-000000000000/cancel");
    expect(codeOf(unknown)).toEqual([404, "task_not_found"]);
  });
});

test("SC-008: no credential and no key reaches log, audit log or database", async () => {
  await admin("POST", "/admin/accounts", http());
  await admin("POST", "/admin/accounts", modal);
  await admin("POST", "/admin/accounts", { ...modal, label: "" });
  await admin("POST", "/admin/accounts/cloud-gpu/rotate", { token_id: "ak-next-id-1", token_secret: "as-next-secret" });
  await admin("POST", "/admin/accounts/attic-gpu/health");
  await logInAs("a-wrong-admin-key-000");
  await bare({ method: "GET", url: `/admin/accounts?admin_key=${edge.adminKey}` });
  const secrets = [
    worker.key,
    edge.adminKey,
    modal.token_id,
    modal.token_secret,
    "ak-next-id-1",
    "as-next-secret",
    "a-wrong-admin-key-000",
  ];
  const files = readdirSync(edge.folder).filter((name) => name.includes("sqlite"));
  for (const secret of secrets) {
    for (const name of files) expect(readFileSync(join(edge.folder, name)).includes(secret), name).toBe(false);
    expect(edge.logged.join(""), secret).not.toContain(secret);
  }
});
