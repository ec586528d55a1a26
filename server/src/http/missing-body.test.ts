import { routes } from "@safelight/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";

let edge: Edge;
let cookie = "";
let listening: Promise<string> | undefined;
beforeAll(async () => {
  edge = await openEdge();
  const login = await edge.app.inject({
    method: "POST",
    url: "/admin/session",
    headers: { host: "127.0.0.1", "x-admin-key": edge.adminKey },
  });
  cookie = String(login.headers["set-cookie"]).split(";")[0] ?? "";
});
afterAll(() => edge.close());

const withBody = Object.values(routes).filter(
  (route) => "body" in route && route.body.content_type === "application/json",
);

test.each(withBody.map((route) => [`${route.method} ${route.path}`, route] as const))(
  "SC-006: %s without a body, or with null, never fails on our side",
  async (_name, { method, path }) => {
    const url = path.replace("{workspace}", "nobody").replace(/\{\w+\}/, "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11");
    for (const payload of [undefined, "null"]) {
      const headers = { cookie, ...(payload === undefined ? {} : { "content-type": "application/json" }) };
      const answer = await edge.inject({ method, url, headers, ...(payload === undefined ? {} : { payload }) });
      expect({ payload, code: answer.statusCode < 400 ? "" : answer.json<{ code: string }>().code }).not.toEqual({
        payload,
        code: "internal",
      });
    }
  },
);

test.each([
  ["QUERY", "/gallery", 405, "method_not_allowed"],
  ["QUERY", "/nothing", 404, "not_found"],
])("%s %s is %i, with or without a type", async (method, url, status, code) => {
  listening ??= edge.listen();
  const base = await listening;
  for (const headers of [{}, { "content-type": "application/json" }]) {
    const answer = await fetch(`${base}${url}`, { method, headers: { ...headers, "x-api-key": edge.apiKey } });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([status, code]);
    if (status === 405) expect(answer.headers.get("allow")).toBe("GET, HEAD, OPTIONS");
  }
});
