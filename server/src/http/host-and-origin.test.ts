import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";

const frontEnd = "https://studio.example";
let plain: Edge;
let open: Edge;
let proxied: Edge;

beforeAll(async () => {
  plain = await openEdge();
  open = await openEdge({
    environment: {
      HOST: "192.0.2.7",
      KEYS_ONLY: "1",
      FRONTEND_ORIGINS: frontEnd,
      ALLOWED_HOSTS: "gpu.example,other.example:9000",
      PUBLIC_BASE_URL: "https://public.example",
    },
  });
  proxied = await openEdge({ environment: { TRUSTED_PROXIES: "10.0.0.0/8", ALLOWED_HOSTS: "public.example" } });
});
afterAll(() => Promise.all([plain, open, proxied].map((edge) => edge.close())));

const statusFor = async (edge: Edge, headers: Record<string, string>) =>
  (await edge.inject({ url: "/health", headers })).statusCode;

describe("the Host header", () => {
  test.each(["localhost", "LOCALHOST:8600", "127.0.0.1", "127.0.0.1:1", "[::1]", "[::1]:8600"])(
    "%s is ours",
    async (host) => {
      expect(await statusFor(plain, { host })).toBe(200);
    },
  );

  test.each([
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example:8600",
    "localhost@evil.example",
    "evil.example@localhost",
    "localhost:8600:1",
    "localhost:",
    "[::1",
    "192.0.2.7",
    " ",
    "localhost, evil.example",
    "localhost/evil",
  ])("%j is not", async (host) => {
    expect(await statusFor(plain, { host })).toBe(403);
  });

  test("HOST, ALLOWED_HOSTS and PUBLIC_BASE_URL add names; one with a port is that port only", async () => {
    for (const host of [
      "192.0.2.7:8600",
      "gpu.example",
      "GPU.example:1234",
      "other.example:9000",
      "public.example",
      "localhost",
    ]) {
      expect(await statusFor(open, { host }), host).toBe(200);
    }
    for (const host of ["other.example", "other.example:9001", "sub.gpu.example", "0.0.0.0"]) {
      expect(await statusFor(open, { host }), host).toBe(403);
    }
  });

  test("a server that listens everywhere answers to this machine's own addresses, and to no other", async () => {
    const everywhere = await openEdge({ environment: { HOST: "0.0.0.0", KEYS_ONLY: "1" } });
    const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
    for (const { address, family } of own) {
      const host = family === "IPv6" ? `[${address}]:8600` : `${address}:8600`;
      expect(await statusFor(everywhere, { host }), host).toBe(200);
    }
    expect(await statusFor(everywhere, { host: "203.0.113.77:8600" })).toBe(403);
    expect(await statusFor(everywhere, { host: "rebound.example" })).toBe(403);
    await everywhere.close();
  });

  test("X-Forwarded headers count only from a trusted proxy", async () => {
    const forwarded = { host: "127.0.0.1", "x-forwarded-host": "evil.example", "x-forwarded-for": "203.0.113.9" };
    expect(await statusFor(plain, forwarded)).toBe(200);
    await plain.inject({ method: "POST", url: "/auth/session", headers: forwarded });
    const row = await plain.context.database.prepareRead("SELECT client_context FROM sessions").get();
    expect(JSON.parse(String(row?.client_context))).toMatchObject({ ip: "127.0.0.1" });

    const ask = (remoteAddress: string, headers: Record<string, string>) =>
      proxied.inject({ method: "POST", url: "/auth/session", remoteAddress, headers });
    const trusted = await ask("10.1.2.3", {
      host: "127.0.0.1",
      "x-forwarded-host": "public.example",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "203.0.113.9",
    });
    expect(trusted.statusCode).toBe(201);
    expect(trusted.headers["set-cookie"]).toContain("; Secure");
    expect((await ask("10.1.2.3", { "x-forwarded-host": "evil.example" })).statusCode).toBe(403);
    const untrusted = await ask("192.0.2.1", {
      host: "127.0.0.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "evil.example",
    });
    expect(untrusted.statusCode).toBe(201);
    expect(untrusted.headers["set-cookie"]).not.toContain("Secure");
    const sources = await proxied.context.database.prepareRead("SELECT client_context FROM sessions").all();
    expect(new Set(sources.map((source) => (JSON.parse(String(source.client_context)) as { ip: string }).ip))).toEqual(
      new Set(["203.0.113.9", "192.0.2.1"]),
    );
  });
});

describe("the Origin header", () => {
  const corsHeaders = (headers: Record<string, unknown>) =>
    Object.keys(headers).filter((name) => name.startsWith("access-control"));

  test("the page's own origin may do everything and needs no CORS headers", async () => {
    const answer = await plain.inject({
      url: "/models",
      headers: { host: "localhost:8600", origin: "http://localhost:8600" },
    });
    expect(answer.statusCode).toBe(200);
    expect(corsHeaders(answer.headers)).toEqual([]);
    expect(await statusFor(open, { host: "public.example", origin: "https://public.example" })).toBe(200);
  });

  test.each([
    "null",
    "https://evil.example",
    "http://localhost:8601",
    "https://localhost:8600",
    "http://127.0.0.1:8600",
    "file://",
  ])("%s is foreign: refused without CORS headers, on request and preflight", async (origin) => {
    const headers = { host: "localhost:8600", origin };
    const request = await plain.inject({ url: "/models", headers });
    const preflight = await plain.inject({
      method: "OPTIONS",
      url: "/generate",
      headers: { ...headers, "access-control-request-method": "POST" },
    });
    for (const answer of [request, preflight]) {
      expect(answer.statusCode).toBe(403);
      expect(answer.json()).toMatchObject({ code: "cors_origin_blocked" });
      expect(corsHeaders(answer.headers)).toEqual([]);
      expect(answer.headers.vary).toContain("Origin");
    }
  });

  test("a listed origin gets credentialed, explicit answers, on refusals too", async () => {
    const headers = { host: "gpu.example", origin: frontEnd };
    for (const [url, status] of [
      ["/health", 200],
      ["/status/none", 404],
      ["/tasks?page=0", 422],
    ] as const) {
      const answer = await open.inject({ url, headers });
      expect(answer.statusCode).toBe(status);
      expect(answer.headers["access-control-allow-origin"]).toBe(frontEnd);
      expect(answer.headers["access-control-allow-credentials"]).toBe("true");
      expect(answer.headers["access-control-expose-headers"]).toMatch(/ETag.*Retry-After/);
      expect(answer.headers["cross-origin-resource-policy"]).toBe("cross-origin");
    }
    expect(await statusFor(open, { host: "gpu.example", origin: `${frontEnd}.evil.example` })).toBe(403);
  });

  test("a preflight tells methods and headers by name", async () => {
    const answer = await open.inject({
      method: "OPTIONS",
      url: "/auth/session",
      headers: { host: "gpu.example", origin: frontEnd, "access-control-request-method": "DELETE", "x-api-key": "" },
    });
    expect(answer.statusCode).toBe(204);
    expect(answer.body).toBe("");
    expect(answer.headers["access-control-allow-methods"]).toBe("POST, GET, HEAD, DELETE");
    expect(answer.headers["access-control-allow-headers"]).toMatch(/X-API-Key, Idempotency-Key, Last-Event-ID/);
    expect(JSON.stringify(answer.headers)).not.toContain('"*"');
  });

  test("OPTIONS without a question tells the methods", async () => {
    const answer = await plain.inject({ method: "OPTIONS", url: "/status/anything" });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers.allow).toBe("GET, HEAD, OPTIONS");
    expect((await plain.inject({ method: "OPTIONS", url: "/nowhere" })).statusCode).toBe(404);
  });

  test("a refused origin leaves one audit row a minute for its source and route", async () => {
    const edge = await openEdge();
    try {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await edge.inject({ url: "/models", headers: { origin: "https://evil.example" } });
        await edge.inject({ url: "/tasks", headers: { origin: "https://evil.example" } });
      }
      const rows = await edge.context.database.prepareRead("SELECT * FROM audit_events").all();
      expect(rows.map(({ action, outcome, source, actor_type }) => ({ action, outcome, source, actor_type }))).toEqual(
        Array.from({ length: 2 }, () => ({
          action: "cors_origin_blocked",
          outcome: "failure",
          source: "127.0.0.1",
          actor_type: "client",
        })),
      );
      expect(rows.every(({ correlation_id }) => String(correlation_id ?? "") !== "")).toBe(true);
    } finally {
      await edge.close();
    }
  });

  test("FR-012: the addresses of one /64 are one source: a machine that has them all leaves one row", async () => {
    const edge = await openEdge();
    try {
      for (let host = 1; host <= 20; host += 1) {
        const remoteAddress = `2001:db8:0:7::${host}`;
        await edge.inject({ url: "/models", remoteAddress, headers: { origin: "https://evil.example" } });
      }
      await edge.inject({
        url: "/models",
        remoteAddress: "2001:db8:0:8::1",
        headers: { origin: "https://evil.example" },
      });
      const rows = await edge.context.database.prepareRead("SELECT source FROM audit_events ORDER BY id").all();
      expect(rows.map(({ source }) => source)).toEqual(["2001:db8:0:7::1", "2001:db8:0:8::1"]);
    } finally {
      await edge.close();
    }
  });

  test("a form from another site cannot write with a visitor's cookie", async () => {
    const made = await plain.inject({ method: "POST", url: "/auth/session" });
    const cookie = String(made.headers["set-cookie"]).split(";")[0] ?? "";
    const write = (headers: Record<string, string>) =>
      plain.inject({ method: "POST", url: "/cancel/x", headers: { "x-api-key": "", cookie, ...headers } });
    for (const site of ["cross-site", "same-site"]) {
      expect((await write({ "sec-fetch-site": site })).json()).toMatchObject({ code: "cors_origin_blocked" });
    }
    for (const site of ["same-origin", "none"]) {
      expect((await write({ "sec-fetch-site": site })).json()).toMatchObject({ code: "task_not_found" });
    }
    expect((await write({ origin: "null", "sec-fetch-site": "cross-site" })).json()).toMatchObject({
      code: "cors_origin_blocked",
    });
  });
});
