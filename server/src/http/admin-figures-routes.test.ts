import { readFileSync } from "node:fs";
import type { Statistics } from "@safelight/contract";
import type { LightMyRequestResponse } from "fastify";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { claimNext } from "../queue/claim.ts";
import { changeHeld } from "../queue/lease.ts";
import { pauseQueue } from "../queue/pause.ts";
import { changeTask } from "../tasks/change.ts";
import { failTask } from "../tasks/fail.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";

const clock = createTestClock();
const token = ["metrics", "token", "of", "this", "test"].join("-");
let edge: Edge;
let cookie = "";

beforeEach(async () => {
  edge = await openEdge({ clock, environment: { METRICS_TOKEN: token } });
  cookie = await logIn();
});
afterEach(() => edge.close());

async function logIn(): Promise<string> {
  const answer = await ask("POST", "/admin/session", { "x-admin-key": edge.adminKey });
  return String(answer.headers["set-cookie"]).split(";")[0] ?? "";
}

function ask(method: string, url: string, headers: Record<string, string> = {}, body?: unknown) {
  return edge.app.inject({
    method: method as "GET",
    url,
    headers: { host: "127.0.0.1", ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });
}
const admin = (method: string, url: string, body?: unknown) => ask(method, url, { cookie }, body);
const codeOf = (answer: LightMyRequestResponse) => [answer.statusCode, answer.json<{ code: string }>().code];

const lane = {
  executor: "attic-gpu",
  engine: "scripted",
  slots: { image: 99, video: 99, total: 99 },
  able: [{ type: "image" as const, model: "pony", mode: "txt2img" }],
  open: true,
  lastUsedAt: 0,
};

/** A task from submit to end: waits and runs for as long as told, in seconds. */
async function live(waits: number, runs: number, end: "done" | "failed" | "cancelled" = "done"): Promise<string> {
  const made = await edge.inject({ method: "POST", url: "/generate", payload: { model: "pony", prompt: "a boat" } });
  const { task_id: id } = made.json<{ task_id: string }>();
  clock.advance(waits * 1000);
  const claimed = await claimNext(edge.context, [lane]);
  if (claimed?.id !== id) throw new Error("another task was claimed");
  // Leases count in short steps at most, as their holder renews them.
  const leased = { leased_ms: runs * 1000, lease_renewed_at: clock.steady() + runs * 1000 };
  await edge.context.database.write((tx) =>
    tx.prepare("UPDATE tasks SET leased_ms = ?, lease_renewed_at = ? WHERE id = ?").run(...Object.values(leased), id),
  );
  clock.advance(runs * 1000);
  await changeHeld(edge.context, claimed, async (task, tx) =>
    end === "done"
      ? await changeTask(edge.context, tx, task, {
          transition: "finish",
          columns: { progress: 100, result_path: `results/${id}-1.png`, result_type: "image/png", result_bytes: 5 },
        })
      : await failTask(edge.context, tx, task, end === "cancelled" ? "cancelled" : "engine_failed"),
  );
  return id;
}

const sum = (page: Statistics, field: "submitted" | "done" | "failed" | "cancelled") =>
  page.buckets.reduce((total, bucket) => total + bucket[field], 0);

describe("GET /admin/statistics", () => {
  const get = async (query = "") => (await admin("GET", `/admin/statistics${query}`)).json<Statistics>();

  test("counts what was submitted and how it ended, in equal buckets up to now", async () => {
    for (const [waits, runs] of [
      [1, 10],
      [3, 20],
      [2, 40],
    ] as const)
      await live(waits, runs);
    await live(5, 1, "failed");
    await live(5, 1, "cancelled");
    const page = await get("?hours=1");
    expect([sum(page, "submitted"), sum(page, "done"), sum(page, "failed"), sum(page, "cancelled")]).toEqual([
      5, 3, 1, 1,
    ]);
    expect(page.step_seconds).toBe(60);
    expect(page.to).toBe(new Date(clock.now()).toISOString());
    const times = page.buckets.map(({ at }) => Date.parse(at));
    expect(times[0]).toBe(Date.parse(page.from));
    for (const [index, time] of times.slice(1).entries()) expect(time - (times[index] ?? 0)).toBe(60_000);
    expect(page.by_executor).toEqual([
      { executor: "attic-gpu", done: 3, failed: 1, run_seconds: { p50: 20, p95: 40 } },
    ]);
    const told = page.buckets.filter(({ wait_seconds }) => wait_seconds !== null);
    expect(told.map(({ wait_seconds }) => wait_seconds?.p95)).toContain(3);
    expect(page.storage).toMatchObject({ media_bytes: 0, media_files: 0, free_bytes: expect.any(Number) });
    expect(page.storage.database_bytes).toBeGreaterThan(50_000);
  });

  test.each([1, 2, 3, 12, 24, 48, 100, 168])(
    "of %i hours has at most 300 buckets, which reach back so far",
    async (hours) => {
      const page = await get(`?hours=${hours}`);
      expect(page.buckets.length).toBeLessThanOrEqual(300);
      expect(page.buckets.length).toBeGreaterThan(20);
      expect(Date.parse(page.from)).toBeLessThanOrEqual(clock.now() - hours * 3_600_000);
      expect(Date.parse(page.buckets.at(-1)?.at ?? "") + page.step_seconds * 1000).toBeGreaterThan(clock.now());
    },
  );

  test("leaves out what is older, and refuses other periods", async () => {
    await live(1, 1);
    clock.advance(2 * 3_600_000);
    expect(sum(await get("?hours=1"), "done")).toBe(0);
    expect(sum(await get(), "done")).toBe(1);
    for (const hours of ["0", "169", "1.5", "many"]) {
      expect(codeOf(await admin("GET", `/admin/statistics?hours=${hours}`)), hours).toEqual([422, "validation_failed"]);
    }
  });

  test("touches no row of a task for its counts", async () => {
    const plan = async (sql: string) =>
      (await edge.context.database.prepareRead(`EXPLAIN QUERY PLAN ${sql}`).all(1, 2))
        .map(({ detail }) => String(detail))
        .join("\n");
    const where = "INDEXED BY tasks_ended WHERE finished_at >= ? AND finished_at < ? AND started_at IS NOT NULL";
    expect(
      await plan(`SELECT status, error_code, executor, leased_ms, created_at, started_at FROM tasks ${where}`),
    ).toMatch(/SEARCH tasks USING COVERING INDEX tasks_ended/);
  });

  test("follows what is stored and removed without looking at every file", async () => {
    const { media } = edge.context;
    await media.put("results/one-1.png", Buffer.alloc(1000));
    await media.put("previews/one-1.webp", Buffer.alloc(50));
    await media.put("results/one-1.png", Buffer.alloc(700));
    expect((await get()).storage).toMatchObject({ media_bytes: 750, media_files: 2 });
    await media.remove("previews/one-1.webp");
    await media.remove("previews/never-1.webp");
    expect((await get()).storage).toMatchObject({ media_bytes: 700, media_files: 1 });
  });
});

/** Series by name and labels, read as the format says; anything else fails. */
function parse(text: string): { series: Map<string, number>; types: Map<string, string> } {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("# HELP ")) continue;
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type !== null) {
      types.set(type[1] ?? "", type[2] ?? "");
      continue;
    }
    const found =
      /^([a-zA-Z_:][\w:]*)(\{(?:[a-zA-Z_]\w*="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[\d.]+(?:e[+-]?\d+)?|NaN|[+-]Inf)$/.exec(
        line,
      );
    if (found === null) throw new Error(`not a line of the format: ${line}`);
    const key = `${found[1]}${found[2] ?? ""}`;
    if (series.has(key)) throw new Error(`twice: ${key}`);
    series.set(key, Number(found[3]));
  }
  return { series, types };
}

describe("GET /admin/metrics", () => {
  const read = async () => parse((await ask("GET", "/admin/metrics", { authorization: `Bearer ${token}` })).body);

  test("is text of Prometheus for the token as bearer and for an admin session, and for nobody else", async () => {
    const answer = await ask("GET", "/admin/metrics", { authorization: `Bearer ${token}` });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    expect((await admin("GET", "/admin/metrics")).statusCode).toBe(200);
    expect(codeOf(await ask("GET", "/admin/metrics"))).toEqual([401, "session_required"]);
    expect(codeOf(await edge.inject({ url: "/admin/metrics" }))).toEqual([401, "session_required"]);
    expect(codeOf(await ask("GET", `/admin/metrics?metrics_token=${token}`))).toEqual([401, "session_required"]);
    for (const wrong of ["wrong", `${token}x`, token.slice(1), edge.adminKey, edge.apiKey]) {
      const refused = await ask("GET", "/admin/metrics", { authorization: `Bearer ${wrong}`, cookie });
      expect(codeOf(refused), wrong).toEqual([401, "invalid_api_key"]);
    }
    // The token opens nothing else.
    for (const url of ["/admin/queue", "/admin/statistics", "/models"]) {
      const refused = await ask("GET", url, { authorization: `Bearer ${token}` });
      expect(codeOf(refused), url).toEqual([401, "session_required"]);
    }
    expect(edge.logged.join("")).not.toContain(token);
  });

  test("where no token is set, none is right", async () => {
    await edge.close();
    edge = await openEdge({ clock });
    for (const given of ["", "undefined", "null", token]) {
      const refused = await ask("GET", "/admin/metrics", { authorization: `Bearer ${given}` });
      expect(refused.statusCode, given).toBe(401);
    }
  });

  test("counts tasks right", async () => {
    await live(2, 10);
    await live(3, 20);
    await live(1, 1, "failed");
    await live(1, 1, "cancelled");
    await edge.inject({ method: "POST", url: "/generate", payload: { model: "pony", prompt: "a boat" } });
    clock.advance(30_000);
    await pauseQueue(edge.context);
    const { series, types } = await read();
    const one = (name: string) => series.get(`safelight_${name}`);
    const labels = 'model="pony",executor="attic-gpu"';
    expect(one(`tasks_total{${labels},outcome="done"}`)).toBe(2);
    expect(one(`tasks_total{${labels},outcome="engine_failed"}`)).toBe(1);
    expect(one(`tasks_total{${labels},outcome="cancelled"}`)).toBe(1);
    expect(one(`task_run_seconds_count{${labels}}`)).toBe(2);
    expect(one(`task_run_seconds_sum{${labels}}`)).toBe(30);
    expect(one(`task_run_seconds_bucket{le="10",${labels}}`)).toBe(1);
    expect(one(`task_wait_seconds_count{${labels}}`)).toBe(4);
    expect(one(`task_wait_seconds_sum{${labels}}`)).toBe(7);
    expect(one('queue_tasks{state="pending"}')).toBe(1);
    expect(one('queue_tasks{state="processing"}')).toBe(0);
    expect(one("queue_oldest_seconds")).toBe(30);
    expect(one("queue_paused")).toBe(1);
    expect(types.get("safelight_tasks_total")).toBe("counter");
    expect(types.get("safelight_task_run_seconds")).toBe("histogram");
  });

  test("measures how long an answer took, and the log tells the same", async () => {
    const made = await edge.inject({ method: "POST", url: "/generate", payload: { model: "pony", prompt: "a boat" } });
    const { task_id: id } = made.json<{ task_id: string }>();
    await edge.inject({ url: `/status/${id}?wait=1` });
    const name = "safelight_http_request_duration_seconds";
    const took = (await read()).series.get(`${name}_sum{route="/status/{id}",method="GET",status="2xx"}`);
    expect(took).toBeGreaterThan(0.9);
    expect(took).toBeLessThan(30);
  });

  test("shows worker accounts while they are there", async () => {
    const body = { label: "Attic", workspace: "attic-gpu", kind: "http", base_url: "http://127.0.0.1:9" };
    await admin("POST", "/admin/accounts", { ...body, worker_key: "k".repeat(20), slots: { image: 3 } });
    await admin("POST", "/admin/accounts/attic-gpu/health");
    const { series } = await read();
    expect(series.get('safelight_worker_up{workspace="attic-gpu"}')).toBe(0);
    expect(series.get('safelight_worker_slots{workspace="attic-gpu",type="image"}')).toBe(3);
    expect(series.get('safelight_worker_running{workspace="attic-gpu",type="image"}')).toBe(0);
    expect(series.get('safelight_worker_circuit{workspace="attic-gpu",state="closed"}')).toBe(1);
    expect(series.has('safelight_worker_check_seconds{workspace="attic-gpu"}')).toBe(true);
    await admin("DELETE", "/admin/accounts/attic-gpu");
    expect([...(await read()).series.keys()].filter((key) => key.includes("attic-gpu"))).toEqual([]);
  });

  test("what callers send makes no new series: labels are routes, methods and classes", async () => {
    const id = await live(1, 1);
    for (let nth = 0; nth < 50; nth += 1) {
      await edge.inject({ url: `/status/${id}?x=${nth}` });
      await edge.inject({ url: `/status/${nth}` });
      await edge.inject({ url: `/no-such-${nth}` });
      await edge.inject({ method: "POST", url: `/cancel/${nth}` });
      await edge.app.inject({ method: "PROPFIND" as "GET", url: `/x${nth}`, headers: { host: `h${nth}.example` } });
    }
    // Reading is an exchange too, and counted after the first time.
    await read();
    const before = (await read()).series.size;
    for (let nth = 50; nth < 100; nth += 1) await edge.inject({ url: `/status/${nth}` });
    const { series } = await read();
    expect(series.size).toBe(before);
    const text = [...series.keys()].join("\n");
    expect(text).not.toContain(id);
    const name = "safelight_http_request_duration_seconds_count";
    expect(series.get(`${name}{route="/status/{id}",method="GET",status="2xx"}`)).toBe(50);
    expect(series.get(`${name}{route="/status/{id}",method="GET",status="4xx"}`)).toBe(100);
    expect(series.get(`${name}{route="none",method="GET",status="4xx"}`)).toBeGreaterThanOrEqual(50);
    const templates = new Set([...text.matchAll(/route="([^"]*)"/g)].map(([, route]) => route));
    for (const route of templates) expect(route, route).toMatch(/^(?:none|\/[\w/{}.*-]*)$/);
  });
});

test("the page for operators names every metric, and none that there is not", async () => {
  const { types } = parse((await admin("GET", "/admin/metrics")).body);
  const text = readFileSync(new URL("../../../docs/operations/operating.md", import.meta.url), "utf8");
  const told = new Set([...text.matchAll(/`(safelight_\w+)`/g)].map(([, name]) => name ?? ""));
  expect([...told].sort()).toEqual([...types.keys()].filter((name) => name.startsWith("safelight_")).sort());
});

test("every query of the dashboard names metrics that there are", async () => {
  await live(1, 1);
  const account = { label: "Attic", workspace: "attic-gpu", kind: "http", base_url: "http://127.0.0.1:9" };
  await admin("POST", "/admin/accounts", { ...account, worker_key: "k".repeat(20) });
  const { types } = parse((await admin("GET", "/admin/metrics")).body);
  const file = new URL("../../../deploy/grafana/safelight.json", import.meta.url);
  const dashboard = JSON.parse(readFileSync(file, "utf8")) as Dashboard;
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  expect(queries.length).toBeGreaterThan(10);
  for (const query of queries) {
    const names = [...query.matchAll(/\b(?:safelight|process|nodejs)_\w+/g)].map(([name]) => name);
    expect(names.length, query).toBeGreaterThan(0);
    for (const name of names) {
      // What tells of the process is measured in a server of its own only.
      if (!name.startsWith("safelight_")) continue;
      expect(types.has(name.replace(/_(?:bucket|sum|count)$/, "")) || types.has(name), `${name} in ${query}`).toBe(
        true,
      );
    }
  }
  expect(dashboard).toMatchObject({ title: "Safelight", schemaVersion: expect.any(Number), uid: expect.any(String) });
  const ids = dashboard.panels.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const panel of dashboard.panels) {
    expect(panel).toMatchObject({
      type: expect.any(String),
      title: expect.any(String),
      gridPos: { x: expect.any(Number), y: expect.any(Number), w: expect.any(Number), h: expect.any(Number) },
    });
    expect(panel.gridPos.x + panel.gridPos.w).toBeLessThanOrEqual(24);
  }
});

interface Dashboard {
  readonly panels: {
    readonly id: number;
    readonly targets?: { readonly expr: string }[];
    readonly gridPos: { readonly x: number; readonly w: number };
  }[];
}
