// The check of installations, checked: it passes on a real server, and for every part there is a damage that it finds.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endpoints, type RouteName } from "@safelight/contract";
import { startServer } from "@safelight/server";
import { describe, expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson, openDamagingProxy } from "../testing/damaging-proxy.ts";
import { parts } from "./parts.ts";
import { runChecks } from "./run-checks.ts";

const real = openInstallation();
const installation = openInstallation("script");
const check = (url: string, only?: string[]) => installation.check(url, only);

it("passes on a real server", async () => {
  const results = await real.check(real.server.url);
  expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
  expect(results.filter(({ outcome }) => outcome === "ok").map(({ part }) => part)).toEqual(
    parts.map(({ name }) => name),
  );
});

it("passes where a front end on another site has the cookie", async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-smoke-none-"));
  const given = { COOKIE_SAMESITE: "none", PUBLIC_BASE_URL: "https://studio.example" };
  const server = await startServer({ PORT: "0", DATA_DIR: folder, LOG_LEVEL: "silent", ...given });
  try {
    const { apiKey: key, adminKey } = server.secrets;
    const only = ["session", "admin session", "queue"];
    const results = await runChecks({ url: server.url, key, adminKey, timeoutMs: 120_000, only }, () => {});
    expect(results.filter(({ outcome }) => outcome === "failed")).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === "ok").map(({ part }) => part)).toEqual(
      expect.arrayContaining(only),
    );
  } finally {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  }
});

it("passes where another of several gateways has ended the task, and counts it", async () => {
  const proxy = await openDamagingProxy(installation.server.url, {
    at: "GET /admin/metrics",
    answer: (a) => {
      const text = a.body.toString("utf8").replace(/^safelight_task(?:s|_wait|_run)_.*\n/gm, "");
      a.body = Buffer.from(text.replace(/^(safelight_gateways\{.*\}) 1$/m, "$1 2"));
    },
  });
  try {
    const results = (await check(proxy.url, ["metrics"])).filter(({ part }) => part === "metrics");
    expect(results).toEqual([{ part: "metrics", outcome: "ok", text: expect.stringContaining("one of 2 gateways") }]);
  } finally {
    await proxy.close();
  }
});

it("has a check for every route of the contract", () => {
  const checked = new Set(parts.flatMap((part) => part.routes));
  expect(checked).toEqual(new Set(Object.keys(endpoints) as RouteName[]));
});

it("fails when nothing answers, and when the time is over", async () => {
  const silent = await runChecks({ url: "http://127.0.0.1:9", key: undefined, timeoutMs: 5000 }, () => {});
  expect(silent).toEqual([{ part: "documents", outcome: "failed", text: expect.any(String) }]);
  const hasty = await runChecks(
    { url: installation.server.url, key: installation.server.secrets.apiKey, timeoutMs: 1 },
    () => {},
  );
  expect(hasty.some(({ outcome, text }) => outcome === "failed" && text.includes("0.001 s"))).toBe(true);
  expect(hasty.every(({ outcome }) => outcome !== "ok")).toBe(true);
});

const html = (answer: { headers: Record<string, unknown>; body: Buffer }) => {
  answer.headers["content-type"] = "text/html";
  answer.body = Buffer.from("<html>Sorry</html>");
};

const cases: DamageCase[] = [
  ["health", "not ready", { at: "GET /health", answer: (a) => changeJson(a, (b) => (b.ready = false)) }, /not ready/],
  [
    "health",
    "a field is missing",
    { at: "GET /health", answer: (a) => changeJson(a, (b) => delete b.version) },
    /version/,
  ],
  ["health", "another status", { at: "GET /health", answer: (a) => (a.status = 500) }, /500 instead of 200/],
  [
    "documents",
    "no page",
    { at: "GET /docs", answer: (a) => (a.headers["content-type"] = "text/plain") },
    /text\/html/,
  ],
  [
    "cancel",
    "a route of every release is not declared",
    {
      at: "GET /openapi.json",
      answer: (a) => changeJson(a, ({ paths }) => delete (paths as Record<string, unknown>)["/cancel/{id}"]),
    },
    /does not declare POST \/cancel\/\{id\}/,
  ],
  [
    "models",
    "a model is missing",
    { at: "GET /models", answer: (a) => changeJson(a, (b) => (b.models as unknown[]).pop()) },
    /does not list flux/,
  ],
  [
    "session",
    "the cookie is open to scripts",
    {
      at: "POST /auth/session",
      answer: (a) => (a.headers["set-cookie"] = String(a.headers["set-cookie"]).replace("HttpOnly; ", "")),
    },
    /HttpOnly/,
  ],
  [
    "session",
    "a session is not revoked",
    {
      at: "DELETE /auth/session",
      ask: ({ headers }) => (headers.cookie = "gg_session=other"),
      answer: (a) => (a.status = 204),
    },
    /200 instead of 401/,
  ],
  ["errors", "a page instead of a problem", { at: "GET /no-such-route", answer: html }, /application\/problem\+json/],
  [
    "errors",
    "another code",
    { at: "POST /generate", answer: (a) => changeJson(a, (b) => (b.code = "validation_failed")) },
    /instead of malformed_json/,
  ],
  [
    "errors",
    "no advice",
    { at: "GET /status", answer: (a) => changeJson(a, (b) => delete b.user_action) },
    /user_action/,
  ],
  [
    "uploads",
    "other bytes",
    { at: "GET /uploads", answer: (a) => (a.body = Buffer.from("x".repeat(a.body.length))) },
    /other bytes/,
  ],
  ["image", "not taken", { at: "POST /generate", answer: (a) => (a.status = 200) }, /200 instead of 202/],
  [
    "image",
    "no replay",
    { at: "POST /generate", ask: ({ headers }) => delete headers["idempotency-key"] },
    /second task/,
  ],
  [
    "image",
    "progress falls",
    { at: "GET /status", answer: (a) => changeJson(a, (b) => (b.progress = b.status === "done" ? 0 : 50)) },
    /progress fell|done at 0 %/,
  ],
  ["image", "no ranges", { at: "GET /results", ask: ({ headers }) => delete headers.range }, /200 instead of 206/],
  [
    "image",
    "a result cut short",
    { at: "GET /results", answer: (a) => (a.body = a.body.subarray(0, 100)) },
    /has 100 bytes, the status says/,
  ],
  ["image", "no preview", { at: "GET /preview", answer: (a) => (a.status = 404) }, /404 instead of 200/],
  ["video", "a page instead of a clip", { at: "GET /results", answer: html }, /text\/html instead of video\/mp4/],
  ["events", "no ids", { at: "GET /events", event: (text) => text.replace(/^id:.*\n/m, "") }, /with an id/],
  [
    "events",
    "resume starts over",
    { at: "GET /events", ask: ({ headers }) => delete headers["last-event-id"] },
    /Last-Event-ID \d+ replayed/,
  ],
  [
    "events",
    "progress only at its ends",
    { at: "GET /events/", event: (text) => (/"progress":(?:[1-9]|[1-9]\d),/.test(text) ? "" : text) },
    /only at its ends|with an id/,
  ],
  [
    "cancel",
    "another reason",
    {
      at: "GET /status",
      answer: (a) => changeJson(a, (b) => b.error && ((b.error as { code: string }).code = "timed_out")),
    },
    /ended with timed_out/,
  ],
  [
    "cancel",
    "no result yet is not said",
    { at: "GET /results", answer: (a) => (a.status = 404) },
    /404 instead of 425/,
  ],
  [
    "tasks",
    "oldest first",
    { at: "GET /tasks", answer: (a) => changeJson(a, (b) => b.items && (b.items as unknown[]).reverse()) },
    /newest first/,
  ],
  [
    "tasks",
    "a filter without effect",
    { at: "GET /tasks", ask: (q) => (q.url = q.url.replace("&type=video", "")) },
    /among the videos/,
  ],
  [
    "gallery",
    "a search without effect",
    { at: "GET /gallery", ask: (q) => (q.url = q.url.replace("&q=zeppelin", "")) },
    /not in the prompt/,
  ],
  [
    "gallery",
    "no thumbnail",
    { at: "GET /preview", answer: (a) => (a.headers["content-type"] = "image/png") },
    /image\/webp/,
  ],
  [
    "gallery",
    "not listed",
    { at: "GET /gallery", answer: (a) => changeJson(a, (b) => b.items && (b.items = [])) },
    /just made/,
  ],
  [
    "favourites",
    "not kept",
    { at: "PUT /gallery", answer: (a) => changeJson(a, (b) => (b.favourite = !b.favourite)) },
    /opposite/,
  ],
  ["export", "a page instead of a zip", { at: "POST /gallery/export", answer: html }, /application\/zip/],
  [
    "delete",
    "a running task is not refused",
    { at: "DELETE /gallery", answer: (a) => (a.status = 200) },
    /200 instead of 409/,
  ],
  [
    "delete",
    "failures are not told",
    { at: "POST /gallery/delete", answer: (a) => changeJson(a, (b) => (b.failed = [])) },
    /cannot delete/,
  ],
];

describe("finds what is broken", () => {
  installation.finds(cases);
  // Only what the engine draws has its recipe inside.
  real.finds([
    [
      "image",
      "the recipe stays",
      { at: "GET /results", ask: (q) => (q.url = q.url.replace("metadata=0", "metadata=1")) },
      /leaves the prompt/,
    ],
  ]);

  it("a part that is declared and that it does not know", async () => {
    const declare = (body: Record<string, unknown>) => {
      (body.paths as Record<string, unknown>)["/admin/no-such-part"] = { get: { responses: {} } };
    };
    const proxy = await openDamagingProxy(installation.server.url, {
      at: "GET /openapi.json",
      answer: (a) => changeJson(a, declare),
    });
    try {
      expect(await check(proxy.url, ["health"])).toContainEqual({
        part: "GET /admin/no-such-part",
        outcome: "failed",
        text: expect.stringContaining("no check for it"),
      });
    } finally {
      await proxy.close();
    }
  });
});

it("needs a key that is good", async () => {
  const results = await runChecks(
    { url: installation.server.url, key: "wrong", timeoutMs: 120_000, only: ["models"] },
    () => {},
  );
  expect(results[0]).toMatchObject({
    part: "models",
    outcome: "failed",
    text: expect.stringContaining("invalid_api_key"),
  });
});
