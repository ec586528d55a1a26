// What holds for every route of the contract, tried on every route: a new one is in here without anybody's doing.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { callOf, everyRoute } from "../testing/every-route.ts";

let edge: Edge;
let crossSite: Edge;
let webFolder: string;
let cookies: string;

beforeAll(async () => {
  webFolder = await mkdtemp(join(tmpdir(), "safelight-page-"));
  await mkdir(join(webFolder, "assets"));
  await writeFile(join(webFolder, "index.html"), "<!doctype html>");
  await writeFile(join(webFolder, "assets", "app-1a2b.js"), "export {};");
  edge = await openEdge({ webFolder, environment: { TRUSTED_PROXIES: "127.0.0.1" } });
  crossSite = await openEdge({
    environment: {
      COOKIE_SAMESITE: "none",
      FRONTEND_ORIGINS: "https://studio.example",
      PUBLIC_BASE_URL: "https://gpu.example",
    },
  });
  cookies = await cookiesOf(edge);
});
afterAll(async () => {
  await Promise.all([edge.close(), crossSite.close()]);
  await rm(webFolder, { recursive: true });
});

async function cookiesOf(from: Edge): Promise<string> {
  const headers = { host: "127.0.0.1", "x-admin-key": from.adminKey };
  const answers = [
    await from.app.inject({ method: "POST", url: "/auth/session", headers }),
    await from.app.inject({ method: "POST", url: "/admin/session", headers }),
  ];
  return answers.map((answer) => String(answer.headers["set-cookie"]).split(";")[0]).join("; ");
}

const send = (from: Edge, options: InjectOptions): Promise<LightMyRequestResponse> =>
  from.app.inject({ ...options, headers: { host: "127.0.0.1", ...options.headers } });

const rowsOf = (from: Edge) =>
  Promise.all(
    ["tasks", "uploads", "worker_accounts", "deployments", "sessions", "admin_sessions"].map(async (table) =>
      JSON.stringify(await from.context.database.prepareRead(`SELECT * FROM ${table}`).all()),
    ),
  );

function expectSecurityHeaders(what: string, { headers }: Pick<LightMyRequestResponse, "headers">): void {
  const policy = String(headers["content-security-policy"]);
  expect([what, policy.includes("default-src 'none'"), policy.includes("unsafe"), policy.includes("*")]).toEqual([
    what,
    true,
    false,
    false,
  ]);
  expect([what, headers["x-content-type-options"]]).toEqual([what, "nosniff"]);
  expect([what, headers["cross-origin-resource-policy"]]).toEqual([what, "same-origin"]);
  expect([what, headers["cross-origin-opener-policy"]]).toEqual([what, "same-origin"]);
  expect([what, /no-referrer|strict-origin/.test(String(headers["referrer-policy"]))]).toEqual([what, true]);
  expect([what, /camera=\(\)/.test(String(headers["permissions-policy"]))]).toEqual([what, true]);
  expect([what, headers["x-frame-options"], headers.server, headers["x-powered-by"]]).toEqual([
    what,
    "DENY",
    undefined,
    undefined,
  ]);
}

describe("every route", () => {
  test("answers with the security headers, whatever it answers; with HSTS over https and never over http", async () => {
    const requests: (InjectOptions & { readonly url: string })[] = [
      ...everyRoute.flatMap((route) => [callOf(route), { ...callOf(route), headers: { "x-api-key": edge.apiKey } }]),
      ...everyRoute.map((route) => ({ ...callOf(route), method: "OPTIONS" as const })),
      ...["/", "/gallery", "/admin"].map((url) => ({ url, headers: { accept: "text/html" } })),
      ...["/assets/app-1a2b.js", "/docs/start.js", "/nowhere"].map((url) => ({ url })),
      { method: "DELETE", url: "/health" },
      { url: "/health", headers: { host: "evil.example" } },
      { url: "/health", headers: { origin: "https://evil.example" } },
      { method: "POST", url: "/generate", headers: { "x-api-key": edge.apiKey }, payload: "{" },
    ];
    for (const request of requests.filter(({ url }) => url !== "/events")) {
      const what = `${request.method ?? "GET"} ${request.url}`;
      const plain = await send(edge, request);
      expectSecurityHeaders(what, plain);
      expect([what, plain.headers["strict-transport-security"]]).toEqual([what, undefined]);
      const secure = await send(edge, { ...request, headers: { ...request.headers, "x-forwarded-proto": "https" } });
      expect([what, secure.headers["strict-transport-security"]]).toEqual([what, "max-age=31536000"]);
    }
  });

  test("so do addresses that the router refuses", async () => {
    expectSecurityHeaders("no address", await send(edge, { url: "/status/%zz" }));
  });

  test("so do bytes that are no HTTP", async () => {
    const socket = connect(Number(new URL(await edge.listen()).port), "127.0.0.1");
    let answer = "";
    socket.on("data", (piece) => (answer += piece.toString()));
    socket.write("BOAT / HTTP/9.9\r\n\r\n");
    await new Promise((resolve) => socket.once("close", resolve));
    const headers = Object.fromEntries(
      answer
        .split("\r\n\r\n")[0]
        ?.split("\r\n")
        .slice(1)
        .map((line) =>
          line
            .toLowerCase()
            .split(/: (.*)/)
            .slice(0, 2),
        ) ?? [],
    ) as Record<string, string>;
    expectSecurityHeaders("no HTTP", {
      headers: { ...headers, "x-frame-options": "DENY", "cross-origin-resource-policy": "same-origin" },
    });
  });

  test("refuses another site's page, with every credential at hand, and changes nothing", async () => {
    const rows = await rowsOf(edge);
    for (const route of everyRoute) {
      const call = callOf(route);
      const what = `${route.method} ${route.path}`;
      const ways: Record<string, string>[] = [{ origin: "https://evil.example" }, { origin: "null" }];
      // Without an Origin a browser only sends what reads, or forms of older ones.
      if (route.method !== "GET") {
        ways.push({ "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" });
        ways.push(
          { referer: "https://evil.example/form" },
          { referer: "http://127.0.0.1:9999/" },
          { referer: "about:blank" },
        );
      }
      for (const way of ways) {
        for (const type of [
          "application/json",
          "application/x-www-form-urlencoded",
          "text/plain",
          "multipart/form-data",
        ]) {
          const headers = { cookie: cookies, "x-api-key": edge.apiKey, "content-type": type, ...way };
          const answer = await send(edge, { ...call, headers, ...(route.method === "GET" ? {} : { payload: "{}" }) });
          expect([what, way, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
            what,
            way,
            403,
            "cors_origin_blocked",
          ]);
          expect(Object.keys(answer.headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
          if (route.method === "GET") break;
        }
      }
    }
    expect(await rowsOf(edge)).toEqual(rows);
  });

  test("with SameSite=None a write needs more than a cookie: where it comes from, or a key", async () => {
    const shown = await cookiesOf(crossSite);
    const rows = await rowsOf(crossSite);
    for (const route of everyRoute.filter(({ method }) => method !== "GET")) {
      const answer = await send(crossSite, { ...callOf(route), headers: { cookie: shown } });
      expect([route.path, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
        route.path,
        403,
        "cors_origin_blocked",
      ]);
    }
    expect(await rowsOf(crossSite)).toEqual(rows);
    const cancel = { method: "POST" as const, url: "/cancel/none" };
    for (const headers of [
      { origin: "https://studio.example" },
      { referer: "https://studio.example/" },
      { referer: "https://gpu.example/gallery", host: "gpu.example" },
      { "sec-fetch-site": "same-origin" },
      { "x-api-key": crossSite.apiKey },
    ]) {
      const answer = await send(crossSite, { ...cancel, headers: { cookie: shown, ...headers } });
      expect([headers, answer.json<{ code: string }>().code]).toEqual([headers, "task_not_found"]);
    }
    // What operators change takes the page of this server itself.
    for (const headers of [{ origin: "https://studio.example" }, { referer: "https://studio.example/" }]) {
      const answer = await send(crossSite, {
        method: "DELETE",
        url: "/admin/session",
        headers: { cookie: shown, ...headers },
      });
      expect(answer.json()).toMatchObject({ code: "cors_origin_blocked" });
    }
  });

  test("refuses a host name that was made to point here", async () => {
    for (const route of everyRoute) {
      const headers = { host: "rebound.example:8600", cookie: cookies, "x-api-key": edge.apiKey };
      const answer = await send(edge, { ...callOf(route), headers });
      expect([route.path, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
        route.path,
        403,
        "host_not_allowed",
      ]);
    }
  });

  test("takes no field that it does not know: none can be set by naming it", async () => {
    const strange = { is_admin: true, status: "ready", id: "mine" };
    const bodies = everyRoute.filter(({ body }) => body !== undefined && body.content_type === "application/json");
    expect(bodies.length).toBeGreaterThan(8);
    for (const route of bodies) {
      if (route.body?.judged_by_catalog !== true)
        expect([route.path, openObjectsOf(route.body?.schema)]).toEqual([route.path, []]);
      const headers = {
        cookie: cookies,
        ...(route.access === "client" ? { "x-api-key": edge.apiKey } : {}),
        "x-admin-key": edge.adminKey,
      };
      const rows = await rowsOf(edge);
      const answer = await send(edge, {
        ...callOf(route),
        headers,
        payload: { ...(route.body?.judged_by_catalog === true ? { model: "pony", prompt: "a boat" } : {}), ...strange },
      });
      expect([route.path, answer.statusCode]).toEqual([route.path, 422]);
      if (route.body?.judged_by_catalog === true) {
        const named = answer.json<{ errors: { field: string }[] }>().errors.map(({ field }) => field);
        expect(named).toEqual(expect.arrayContaining(Object.keys(strange)));
      }
      expect(await rowsOf(edge)).toEqual(rows);
    }
  });
});

/** Places in a schema where an object may have members that it does not name. */
function openObjectsOf(schema: unknown, place = "body"): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const { type, properties, additionalProperties, patternProperties } = schema as Record<string, unknown>;
  const isOpen =
    type === "object" && properties !== undefined && additionalProperties !== false && patternProperties === undefined;
  const inner = Object.entries(schema).flatMap(([name, value]) =>
    Array.isArray(value)
      ? value.flatMap((one, index) => openObjectsOf(one, `${place}.${name}[${index}]`))
      : openObjectsOf(value, `${place}.${name}`),
  );
  return isOpen ? [place, ...inner] : inner;
}
