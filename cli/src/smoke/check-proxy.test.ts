// The check of tasks inside workspaces, with damages that it finds.
import { expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson } from "../testing/damaging-proxy.ts";

const installation = openInstallation();

const cases: DamageCase[] = [
  [
    "proxy",
    "an unknown workspace is taken for a missing task",
    {
      at: "GET /preview/",
      answer: (a) =>
        changeJson(a, (b) => {
          if (b.code === "proxy_target_invalid") b.code = "task_not_found";
        }),
    },
    /task_not_found instead of proxy_target_invalid/,
  ],
  [
    "proxy",
    "anybody is told which workspaces there are",
    {
      at: "GET /status/",
      ask: ({ headers }) => (headers["x-api-key"] ??= installation.server.secrets.apiKey),
    },
    /404 instead of 401/,
  ],
  [
    "proxy",
    "something answers where nobody is",
    { at: "POST /cancel/", answer: (a) => (a.status = 200) },
    /200 instead of 404/,
  ],
  [
    "proxy",
    "a bad id is passed on",
    {
      at: "GET /results/",
      ask: (question) => (question.url = question.url.replace("no-id", "0195a3c2-7f10-7c3e-8a52-000000000000")),
    },
    /502 instead of 404/,
  ],
  [
    "proxy",
    "a disabled workspace is asked",
    { at: "POST /admin/accounts/", ask: (question) => (question.url = question.url.replace("/disable", "/enable")) },
    /502 instead of 404/,
  ],
  [
    "proxy",
    "refusals are not written down",
    { at: "GET /admin/logs", answer: (a) => changeJson(a, (b) => (b.logs = [])) },
    /does not show proxy_target_invalid/,
  ],
];

it("leaves no account behind", async () => {
  const results = await installation.check(installation.server.url, ["proxy"]);
  expect(results.filter(({ part }) => part === "proxy")).toMatchObject([{ outcome: "ok" }]);
  const left = await installation.server.context.database
    .prepareRead("SELECT count(*) AS n FROM worker_accounts")
    .get();
  expect(left).toEqual({ n: 0 });
});

installation.finds(cases);
