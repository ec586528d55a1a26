import type { AdminHealth } from "@safelight/contract";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { afterEach, describe, expect, test } from "vitest";
import { createTestClock, type Edge, type EdgeOptions, openEdge } from "../testing/edge.ts";

const edges: Edge[] = [];
afterEach(async () => {
  for (const edge of edges.splice(0)) await edge.close();
});

/** With the limits of a real installation. */
async function open(options: EdgeOptions = {}) {
  const clock = createTestClock();
  const edge = await openEdge({ clock, limits: {}, ...options });
  edges.push(edge);
  const ask = (method: "GET" | "POST" | "DELETE", url: string, from = "203.0.113.1", headers = {}) =>
    edge.app.inject({ method, url, remoteAddress: from, headers: { host: "127.0.0.1", ...headers } } as InjectOptions);
  return { edge, clock, ask, rows: () => rowsOf(edge) };
}

const rowsOf = async (edge: Edge) =>
  (
    await edge.context.database
      .prepareRead("SELECT * FROM audit_events WHERE action = 'rate_limited' ORDER BY id")
      .all()
  ).map((row) => ({ ...row, details: JSON.parse(String(row.details)) as Record<string, unknown> }));

async function times(count: number, ask: () => Promise<LightMyRequestResponse>): Promise<number[]> {
  const statuses: number[] = [];
  for (let turn = 0; turn < count; turn += 1) statuses.push((await ask()).statusCode);
  return statuses;
}

const passed = (statuses: number[]) => statuses.filter((status) => status !== 429).length;
const codeOf = (answer: LightMyRequestResponse) => answer.json<{ code: string }>().code;

describe("FR-015, FR-018: the limits of the specification", () => {
  test("POST /auth/session: ten a minute and address, then 429 with the seconds to wait", async () => {
    const { clock, ask, edge } = await open();
    const session = () => ask("POST", "/auth/session");
    expect(await times(5, session)).toEqual(Array(5).fill(201));
    clock.advance(20_000);
    expect(await times(7, session)).toEqual([...Array(5).fill(201), 429, 429]);
    const refused = await session();
    expect(codeOf(refused)).toBe("rate_limited");
    expect(refused.headers["retry-after"]).toBe("40");
    expect((await ask("POST", "/auth/session", "203.0.113.2")).statusCode).toBe(201);
    clock.advance(39_999);
    expect((await session()).statusCode).toBe(429);
    clock.advance(1);
    expect(passed(await times(7, session))).toBe(5);
    // What has no rate is open all the while.
    expect(await times(30, () => edge.inject({ url: "/models", remoteAddress: "203.0.113.1" }))).not.toContain(429);
    expect((await ask("GET", "/auth/session")).statusCode).toBe(401);
  });

  test("POST /admin/session: thirty in 60 seconds, wrong keys and good ones together", async () => {
    const { ask, edge } = await open();
    expect(passed(await times(40, () => ask("POST", "/admin/session", undefined, { "x-admin-key": "wrong" })))).toBe(
      30,
    );
    const good = await ask("POST", "/admin/session", undefined, { "x-admin-key": edge.adminKey });
    expect(codeOf(good)).toBe("rate_limited");
  });

  test("other /admin routes: 120 a minute for each active session, wherever it asks from, and for each address without", async () => {
    const { ask, edge } = await open();
    const logIn = async () => {
      const answer = await ask("POST", "/admin/session", "198.51.100.1", { "x-admin-key": edge.adminKey });
      return { cookie: String(answer.headers["set-cookie"]).split(";")[0] ?? "" };
    };
    const [one, other] = [await logIn(), await logIn()];
    expect(passed(await times(70, () => ask("GET", "/admin/queue", "203.0.113.1", one)))).toBe(70);
    expect(passed(await times(70, () => ask("GET", "/admin/health", "203.0.113.2", one)))).toBe(50);
    // Another session at the same address, and the address itself, are on their own.
    expect((await ask("GET", "/admin/queue", "203.0.113.1", other)).statusCode).toBe(200);
    const madeUp = (turn: number) => ({ cookie: `gg_admin_session=made-up-${turn}` });
    let turn = 0;
    const stranger = () => ask("GET", "/admin/queue", "203.0.113.1", madeUp((turn += 1)));
    const statuses = await times(130, stranger);
    expect(statuses.slice(0, 120)).toEqual(Array(120).fill(401));
    expect(statuses.slice(120)).toEqual(Array(10).fill(429));
    expect((await ask("GET", "/admin/queue", "203.0.113.1", other)).statusCode).toBe(200);
    // A session that has ended counts by its address.
    await ask("DELETE", "/admin/session", "203.0.113.9", other);
    expect(codeOf(await ask("GET", "/admin/queue", "203.0.113.1", other))).toBe("rate_limited");
  });

  test("a wall clock that jumps locks nobody out and opens nothing", async () => {
    const { clock, ask } = await open();
    const session = () => ask("POST", "/auth/session");
    await times(10, session);
    clock.set(clock.now() - 86_400_000);
    expect((await session()).headers["retry-after"]).toBe("60");
    clock.set(clock.now() + 2 * 86_400_000);
    expect((await session()).statusCode).toBe(429);
    clock.advance(60_000);
    expect((await session()).statusCode).toBe(201);
  });
});

describe("FR-019: the order of checks", () => {
  test("route, throttle, Host and Origin, credentials: one error of one class each time", async () => {
    const { ask } = await open();
    const foreign = { origin: "https://elsewhere.example" };
    expect(codeOf(await ask("POST", "/admin/session", undefined, { host: "evil.example" }))).toBe("host_not_allowed");
    await times(29, () => ask("POST", "/admin/session"));
    for (const headers of [{ host: "evil.example" }, foreign, { "x-admin-key": "wrong" }, {}]) {
      const answer = await ask("POST", "/admin/session", undefined, headers);
      expect([answer.statusCode, codeOf(answer)]).toEqual([429, "rate_limited"]);
      expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect(codeOf(await ask("GET", "/admin/nothing"))).toBe("not_found");
    const method = await ask("POST", "/admin/health");
    expect(codeOf(method)).toBe("method_not_allowed");
  });
});

describe("FR-018: who is counted", () => {
  test("without a declared proxy the connection counts, whatever the headers say", async () => {
    const { ask } = await open();
    let turn = 0;
    const spoofing = () => {
      turn += 1;
      const hop = `192.0.2.${turn}`;
      return ask("POST", "/auth/session", "203.0.113.1", {
        "x-forwarded-for": hop,
        "x-real-ip": hop,
        forwarded: `for=${hop}`,
      });
    };
    expect(passed(await times(20, spoofing))).toBe(10);
  });

  test("behind a declared proxy the rightmost hop that is not declared counts; what stands left of it is not believed", async () => {
    const { ask } = await open({ environment: { TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8" } });
    let turn = 0;
    const through = (peer: string, hops: string) => {
      turn += 1;
      return ask("POST", "/auth/session", peer, { "x-forwarded-for": hops.replace("N", String(turn)) });
    };
    expect(passed(await times(12, () => through("10.0.0.1", "192.0.2.N, 203.0.113.1")))).toBe(10);
    // Through a second proxy, through one that is connected by IPv6, and from a port: the same caller.
    expect((await through("10.0.0.2", "203.0.113.1, 10.3.3.3")).statusCode).toBe(429);
    expect((await through("fd00::7", "203.0.113.1")).statusCode).toBe(429);
    expect((await through("::ffff:10.0.0.1", "203.0.113.1")).statusCode).toBe(429);
    expect((await through("10.0.0.1", "::ffff:203.0.113.1")).statusCode).toBe(429);
    expect((await through("10.0.0.1", "203.0.113.1:4711")).statusCode).toBe(429);
    expect((await through("10.0.0.1", "203.0.113.2")).statusCode).toBe(201);
    // Text that is no address makes no caller of its own: the proxy that let it through is counted.
    expect(passed(await times(12, () => through("10.0.0.9", "caller-N")))).toBe(10);
    expect(passed(await times(12, () => through("198.51.100.7", "192.0.2.N")))).toBe(10);
  });

  test("all addresses of a /64, and both notations of an IPv4 address, are one caller", async () => {
    const { ask } = await open();
    let turn = 0;
    const next = () => (turn += 1).toString(16);
    expect(passed(await times(12, () => ask("POST", "/auth/session", `2001:db8:0:7:${next()}::1`)))).toBe(10);
    expect((await ask("POST", "/auth/session", "2001:db8:0:8::1")).statusCode).toBe(201);
    await times(10, () => ask("POST", "/auth/session", "203.0.113.1"));
    expect((await ask("POST", "/auth/session", "::ffff:203.0.113.1")).statusCode).toBe(429);
  });

  test("a proxy that is not declared is told of once in the log, and in the health of the installation for an hour", async () => {
    const { edge, clock, ask } = await open({ environment: { TRUSTED_PROXIES: "10.0.0.1" } });
    const made = await ask("POST", "/admin/session", undefined, { "x-admin-key": edge.adminKey });
    const cookie = String(made.headers["set-cookie"]).split(";")[0] ?? "";
    const part = async () => {
      const health = (await ask("GET", "/admin/health", undefined, { cookie })).json<AdminHealth>();
      return health.parts.find(({ name }) => name === "reverse_proxy");
    };
    await ask("GET", "/health", "10.0.0.1", { "x-forwarded-for": "203.0.113.1" });
    await ask("GET", "/health", "::ffff:10.0.0.1", { "x-forwarded-for": "203.0.113.1" });
    expect(await part()).toMatchObject({ state: "ok" });
    for (const peer of ["10.0.0.2", "10.0.0.3"])
      await ask("GET", "/health", peer, { "x-forwarded-for": "203.0.113.1" });
    expect(await part()).toMatchObject({ state: "degraded", detail: expect.stringContaining("10.0.0.3") });
    expect(edge.logged.filter((line) => line.includes("TRUSTED_PROXIES"))).toHaveLength(1);
    clock.advance(3_600_001);
    expect(await part()).toMatchObject({ state: "ok" });
  });
});

describe("FR-012: throttling in the audit log", () => {
  test("one row a minute for each caller and route, which names the session and no secret", async () => {
    const { edge, clock, ask, rows } = await open();
    await times(30, () => ask("POST", "/auth/session", "2001:db8::1"));
    expect(await rows()).toHaveLength(1);
    expect((await rows())[0]).toMatchObject({
      outcome: "failure",
      source: "2001:db8:0:0::/64",
      details: { route: "/auth/session", code: "rate_limited", limit: "client_session", earlier: 0 },
    });
    expect(edge.logged.filter((line) => line.includes("slowed down"))).toHaveLength(1);
    clock.advance(60_000);
    await times(11, () => ask("POST", "/auth/session", "2001:db8::2"));
    expect((await rows())[1]).toMatchObject({ details: { earlier: 19 } });

    const made = await ask("POST", "/admin/session", undefined, { "x-admin-key": edge.adminKey });
    const cookie = String(made.headers["set-cookie"]).split(";")[0] ?? "";
    await times(125, () => ask("GET", "/admin/queue", undefined, { cookie }));
    expect(await rows()).toHaveLength(3);
    expect((await rows())[2]).toMatchObject({ target: expect.stringMatching(/^admin-session:[0-9a-f]{8}$/) });
    expect(JSON.stringify(await rows())).not.toContain(cookie.split("=")[1]);
    // No second row of the same refusal, under the name of the action that did not happen.
    const failures = await edge.context.database
      .prepareRead("SELECT 1 FROM audit_events WHERE outcome = 'failure'")
      .all();
    expect(failures).toHaveLength(3);
  });

  test("many addresses together write sixty rows a minute at most; the next one tells how many were left out", async () => {
    const { clock, ask, rows } = await open({ limits: { client_session: 1 } });
    for (let caller = 0; caller < 100; caller += 1)
      await times(2, () => ask("POST", "/auth/session", `198.51.100.${caller}`));
    expect(await rows()).toHaveLength(60);
    clock.advance(60_000);
    await times(2, () => ask("POST", "/auth/session", "198.51.100.200"));
    expect(await rows()).toHaveLength(61);
    expect((await rows())[60]).toMatchObject({ details: { unrecorded: 40 } });
  });
});
