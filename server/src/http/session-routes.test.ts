import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { renewalInterval, sessionLifetime } from "../sessions/sessions.ts";
import { createTestClock, type Edge, type EdgeOptions, openEdge } from "../testing/edge.ts";

const clock = createTestClock();
const edges: Edge[] = [];
let edge: Edge;

async function open(options: EdgeOptions = {}): Promise<Edge> {
  const opened = await openEdge({ clock, ...options });
  edges.push(opened);
  return opened;
}
beforeEach(async () => {
  edge = await open();
});
afterEach(() => Promise.all(edges.splice(0).map((each) => each.close())));

const start = (target: Edge, payload?: object, headers: Record<string, string> = {}) =>
  target.inject({
    method: "POST",
    url: "/auth/session",
    headers: { "x-api-key": "", ...headers },
    ...(payload ? { payload } : {}),
  });
const cookieOf = (answer: { headers: Record<string, unknown> }) =>
  String(answer.headers["set-cookie"]).split(";")[0] ?? "";
const as = (cookie: string, url = "/auth/session", method: "GET" | "DELETE" = "GET") =>
  edge.inject({ method, url, headers: { "x-api-key": "", cookie } });

describe("SC-003: a browser needs no key", () => {
  test("issue, check, use, revoke", async () => {
    const made = await start(edge);
    expect(made.statusCode).toBe(201);
    const expires_at = new Date(clock.now() + sessionLifetime).toISOString();
    expect(made.json()).toEqual({ session_status: "active", expires_at });
    expect(made.headers["set-cookie"]).toMatch(
      /^gg_session=[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax$/,
    );
    const cookie = cookieOf(made);
    expect((await as(cookie)).json()).toEqual({ active: true, expires_at });
    for (const url of ["/models", "/tasks"]) expect((await as(cookie, url)).statusCode).toBe(200);
    const ended = await as(cookie, "/auth/session", "DELETE");
    expect(ended.statusCode).toBe(204);
    expect(ended.body).toBe("");
    expect(ended.headers["set-cookie"]).toMatch(/^gg_session=; Path=\/; Max-Age=0;/);
    for (const url of ["/auth/session", "/models"])
      expect((await as(cookie, url)).json()).toMatchObject({ code: "session_expired" });
  });

  test("use renews session and cookie together, at most every five minutes", async () => {
    const cookie = cookieOf(await start(edge));
    clock.advance(renewalInterval - 1);
    expect((await as(cookie, "/models")).headers["set-cookie"]).toBeUndefined();
    clock.advance(1);
    expect((await as(cookie, "/models")).headers["set-cookie"]).toContain(`${cookie}; Path=/; Max-Age=86400`);
    expect((await as(cookie, "/models")).headers["set-cookie"]).toBeUndefined();
    clock.advance(sessionLifetime - 1);
    expect((await as(cookie)).statusCode).toBe(200);
  });

  test("the cookie is found among others, whatever stands around it", async () => {
    const cookie = cookieOf(await start(edge));
    for (const header of [`a=1; ${cookie}; b=2`, `a=1;${cookie}`, ` ${cookie} `, `xgg_session=1; ${cookie}`]) {
      expect((await as(header)).statusCode, header).toBe(200);
    }
    for (const header of [`x${cookie}`, `gg_session="";a`, "gg_session", "=;=;="]) {
      expect((await as(header)).json(), header).toMatchObject({ code: "session_required" });
    }
  });

  test("an empty JSON body, or none, asks for a session too", async () => {
    for (const headers of [{}, { "content-type": "application/json" }]) {
      expect((await edge.inject({ method: "POST", url: "/auth/session", headers, payload: "" })).statusCode).toBe(201);
    }
    expect((await start(edge, { surprise: 1 })).json()).toMatchObject({ code: "validation_failed" });
  });
});

describe("FR-001: the first credential present decides", () => {
  test("header, then query, then cookie; an empty one is absent", async () => {
    const cookie = cookieOf(await start(edge));
    const ask = async (key: string | null, query: string | null, session: string | null) => {
      const headers: Record<string, string> = { "x-api-key": key ?? "" };
      if (session !== null) headers.cookie = session;
      const answer = await edge.inject({ url: `/tasks${query === null ? "" : `?api_key=${query}`}`, headers });
      return answer.statusCode === 200 ? "in" : answer.json<{ code: string }>().code;
    };
    const good = edge.apiKey;
    expect(await ask(good, null, null)).toBe("in");
    expect(await ask(null, good, null)).toBe("in");
    expect(await ask(null, null, cookie)).toBe("in");
    expect(await ask(good, "wrong", "gg_session=wrong")).toBe("in");
    expect(await ask(null, good, "gg_session=wrong")).toBe("in");
    expect(await ask("wrong", good, cookie)).toBe("invalid_api_key");
    expect(await ask(null, "wrong", cookie)).toBe("invalid_api_key");
    expect(await ask("", "", cookie)).toBe("in");
    expect(await ask("", "", "gg_session=")).toBe("session_required");
    expect(await ask(` ${good}x`, null, cookie)).toBe("invalid_api_key");
  });

  test("the catalog and the lists take key and session cookie alike, and neither is not enough", async () => {
    const cookie = cookieOf(await start(edge));
    for (const url of ["/models", "/tasks", "/gallery"]) {
      for (const headers of [{ "x-api-key": edge.apiKey }, { "x-api-key": "", cookie }]) {
        expect((await edge.inject({ url, headers })).statusCode, url).toBe(200);
      }
      expect((await edge.inject({ url, headers: { "x-api-key": "" } })).statusCode, url).toBe(401);
    }
  });

  test("the key of the query reaches neither log nor answer", async () => {
    const answers = [
      await edge.inject({ url: `/tasks?api_key=${edge.apiKey}`, headers: { "x-api-key": "" } }),
      await edge.inject({ url: `/nowhere?api_key=${edge.apiKey}` }),
      await edge.inject({ url: `/status/x?api_key=${edge.apiKey}&wait=z` }),
      await edge.inject({ url: `/status/%zz?api_key=${edge.apiKey}` }),
    ];
    for (const answer of answers) {
      expect(answer.body + JSON.stringify(answer.headers)).not.toContain(edge.apiKey);
      expect(answer.headers["referrer-policy"]).toBe("no-referrer");
      expect(answer.headers.location).toBeUndefined();
    }
    expect(edge.logged.length).toBeGreaterThan(0);
    expect(edge.logged.join("")).not.toContain(edge.apiKey);
  });
});

describe("installations that ask for more", () => {
  test("ACCESS_PASSWORD opens sessions; the API key needs none", async () => {
    const locked = await open({ environment: { ACCESS_PASSWORD: "open sesame" } });
    for (const payload of [undefined, {}, { password: "" }, { password: "wrong" }]) {
      expect((await start(locked, payload)).json()).toMatchObject({ code: "invalid_password" });
    }
    expect((await start(locked, { password: "open sesame" })).statusCode).toBe(201);
    expect((await locked.inject({ url: "/tasks" })).statusCode).toBe(200);
    expect(locked.logged.join("")).not.toContain("open sesame");
  });

  test("KEYS_ONLY gives a session for a key, and for nothing else", async () => {
    const strict = await open({ environment: { KEYS_ONLY: "1" } });
    expect((await start(strict)).json()).toMatchObject({ code: "session_required" });
    expect((await start(strict, {}, { "x-api-key": "wrong" })).json()).toMatchObject({ code: "invalid_api_key" });
    const made = await start(strict, {}, { "x-api-key": strict.apiKey });
    expect(made.statusCode).toBe(201);
    expect((await start(strict, {}, { cookie: cookieOf(made) })).json()).toMatchObject({ code: "session_required" });
  });

  test("COOKIE_SAMESITE=none is always Secure; https by PUBLIC_BASE_URL is Secure under that name", async () => {
    const crossSite = await open({
      environment: { COOKIE_SAMESITE: "none", PUBLIC_BASE_URL: "https://public.example" },
    });
    expect((await start(crossSite)).headers["set-cookie"]).toMatch(/SameSite=None; Secure$/);
    const secure = await open({ environment: { PUBLIC_BASE_URL: "https://public.example" } });
    expect((await start(secure, undefined, { host: "public.example" })).headers["set-cookie"]).toMatch(
      /SameSite=Lax; Secure$/,
    );
    expect((await start(secure)).headers["set-cookie"]).toMatch(/SameSite=Lax$/);
  });
});
