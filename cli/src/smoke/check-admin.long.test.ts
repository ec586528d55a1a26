// Every part that needs an operator, with damages that it finds.
import type { AuditEvent } from "@safelight/contract";
import { expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson } from "../testing/damaging-proxy.ts";
import { accountParts } from "./check-accounts.ts";
import { adminParts } from "./check-admin.ts";
import { runChecks } from "./run-checks.ts";

const installation = openInstallation();
const names = [...adminParts, ...accountParts].map(({ name }) => name);

let heard = "";
const cases: DamageCase[] = [
  [
    "admin session",
    "any key opens",
    { at: "POST /admin/session", answer: (a) => (a.status = 204) },
    /204 instead of 401/,
  ],
  [
    "admin session",
    "the cookie goes everywhere",
    {
      at: "POST /admin/session",
      answer: (a) => {
        if (a.headers["set-cookie"] === undefined) return;
        a.headers["set-cookie"] = String(a.headers["set-cookie"]).replace("Path=/admin", "Path=/");
      },
    },
    /lacks Path=\/admin/,
  ],
  [
    "admin session",
    "accounts without a session",
    { at: "GET /admin/accounts", answer: (a) => (a.status = 200) },
    /200 instead of 401/,
  ],
  [
    "admin session",
    "the admin key works as another key",
    { at: "GET /models", answer: (a) => (a.status = 200) },
    /GET \/models answered 200 instead of 401/,
  ],
  [
    "admin session",
    "a session is not revoked",
    {
      at: "DELETE /admin/session",
      ask: ({ headers }) => (headers.cookie = "gg_admin_session=other"),
      answer: (a) => (a.status = 204),
    },
    /200 instead of 401/,
  ],
  [
    "admin health",
    "a part has failed",
    {
      at: "GET /admin/health",
      answer: (a) =>
        changeJson(a, (b) => {
          const [first] = b.parts as { state: string; detail: string }[];
          if (first !== undefined) Object.assign(first, { state: "failed", detail: "It cannot be read." });
        }),
    },
    /database has failed: It cannot be read/,
  ],
  [
    "admin health",
    "a part is not looked at",
    { at: "GET /admin/health", answer: (a) => changeJson(a, (b) => (b.parts as unknown[]).pop() && (b.parts = [])) },
    /says nothing of database/,
  ],
  [
    "all tasks",
    "a task is not seen",
    { at: "GET /admin/tasks", answer: (a) => changeJson(a, (b) => b.items && (b.items = [])) },
    /does not list/,
  ],
  [
    "all tasks",
    "a filter without effect",
    { at: "GET /admin/tasks", ask: (q) => (q.url = q.url.replace("&status=done", "")) },
    /status=done lists/,
  ],
  [
    "all tasks",
    "the cancelled task was not cancelled",
    {
      at: "GET /status",
      answer: (a) => changeJson(a, (b) => b.error && ((b.error as { code: string }).code = "timed_out")),
    },
    /ended with timed_out/,
  ],
  ["accounts", "not registered", { at: "POST /admin/accounts", answer: (a) => (a.status = 200) }, /200 instead of 201/],
  [
    "accounts",
    "not listed",
    {
      at: "GET /admin/accounts",
      answer: (a) => changeJson(a, (b) => b.accounts && (b.accounts = [])),
    },
    /does not list/,
  ],
  [
    "accounts",
    "a change without effect",
    {
      at: "PATCH /admin/accounts",
      answer: (a) => changeJson(a, (b) => (b.label = "Smoke check")),
    },
    /changes nothing/,
  ],
  [
    "accounts",
    "a key is told",
    {
      at: "POST /admin/accounts",
      hear: (sent) => (heard += sent),
      answer: (a) => changeJson(a, (b) => (b.detail = /"worker_key":"(\w+)"/.exec(heard)?.[1])),
    },
    /tells a worker key/,
  ],
  [
    "accounts",
    "ready without a worker",
    {
      at: "POST /admin/accounts/",
      answer: (a) => changeJson(a, (b) => b.status === "pending" && (b.status = "ready")),
    },
    /an account without a worker is ready/,
  ],
  [
    "accounts",
    "a deleted account is still there",
    {
      at: "DELETE /admin/accounts/",
      ask: (q) => (q.url = "/admin/accounts/nobody-here"),
      answer: (a) => (a.status = 200),
    },
    /application\/json/,
  ],
  [
    "audit",
    "an action leaves no row",
    {
      at: "GET /admin/logs",
      answer: (a) =>
        changeJson(
          a,
          (b) => (b.logs = (b.logs as { action: string }[]).filter((row) => row.action !== "rotate_secret")),
        ),
    },
    /does not show rotate_secret success after 5 s/,
  ],
  [
    "audit",
    "a refused action leaves no row",
    {
      at: "GET /admin/logs",
      answer: (a) =>
        changeJson(
          a,
          (b) =>
            (b.logs = (b.logs as AuditEvent[]).filter(
              ({ action, outcome }) => action !== "enable_account" || outcome === "success",
            )),
        ),
    },
    /does not show enable_account failure/,
  ],
  [
    "audit",
    "filters do nothing",
    { at: "GET /admin/logs", ask: (q) => (q.url = q.url.replace("action=delete_account&outcome=success", "")) },
    /filters do nothing/,
  ],
];
installation.finds(cases);

it("has a damage for every part", () => {
  expect(new Set(cases.map(([part]) => part))).toEqual(new Set(names));
});

it("never passes by skipping: without the admin key, or with a wrong one, every part fails", async () => {
  const { url, secrets } = installation.server;
  for (const [adminKey, complaint] of [
    [undefined, /without the admin key/],
    ["wrong", /invalid_api_key/],
  ] as const) {
    const options = { url, key: secrets.apiKey, adminKey, timeoutMs: 10_000, only: names };
    const results = (await runChecks(options, () => {})).filter(({ part }) => names.includes(part));
    expect(results).toEqual(names.map((part) => ({ part, outcome: "failed", text: expect.stringMatching(complaint) })));
  }
});

it("leaves no account and no session behind", async () => {
  const before = await countLeft();
  const results = (await installation.check(installation.server.url, names)).filter(({ part }) => names.includes(part));
  expect(results.map(({ outcome }) => outcome)).toEqual(names.map(() => "ok"));
  expect(await countLeft()).toEqual(before);
});

/** Accounts, and sessions that were begun and not ended, as rows of the audit log tell. */
async function countLeft(): Promise<readonly number[]> {
  const { app, secrets } = installation.server;
  const issued = await app.inject({
    method: "POST",
    url: "/admin/session",
    headers: { "x-admin-key": secrets.adminKey },
  });
  const cookie = String(issued.headers["set-cookie"]).split(";")[0] ?? "";
  const { accounts } = (await app.inject({ url: "/admin/accounts", headers: { cookie } })).json<{ accounts: [] }>();
  const { logs } = (await app.inject({ url: "/admin/logs?limit=500", headers: { cookie } })).json<{
    logs: AuditEvent[];
  }>();
  await app.inject({ method: "DELETE", url: "/admin/session", headers: { cookie } });
  const count = (action: string) => logs.filter((row) => row.action === action && row.outcome === "success").length;
  return [accounts.length, count("admin_session_create") - count("admin_session_delete")];
}
