import { expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson } from "../testing/damaging-proxy.ts";
import { deploymentParts } from "./check-deployments.ts";

const installation = openInstallation();

const cases: DamageCase[] = [
  [
    "deployments",
    "deploying to all is open to everybody",
    { at: "POST /admin/deploy-all", answer: (a) => (a.status = 202) },
    /202 instead of 401/,
  ],
  [
    "deployments",
    "a cancelled deploy is told as done",
    { at: "GET /admin/deployments/0", event: (text) => text.replace('"status":"failed"', '"status":"done"') },
    /ended done/,
  ],
  [
    "deployments",
    "a line too many",
    {
      at: "GET /admin/deployments/0",
      answer: (a) => changeJson(a, (b) => (b.log as string[] | undefined)?.push("one more")),
    },
    /more or fewer lines/,
  ],
  [
    "deployments",
    "an empty list",
    { at: "GET /admin/deployments?", answer: (a) => changeJson(a, (b) => (b.deployments = [])) },
    /does not list/,
  ],
];
installation.finds(cases);

it("has a damage for every part, and leaves nothing registered", async () => {
  const names = deploymentParts.map(({ name }) => name);
  expect(new Set(cases.map(([part]) => part))).toEqual(new Set(names));
  const results = (await installation.check(installation.server.url, names)).filter(({ part }) => names.includes(part));
  expect(results).toEqual([
    { part: "deployments", outcome: "ok", text: expect.stringMatching(/^queued, cancelled \(cancelled\)/) },
  ]);
  const { database } = installation.server.context;
  expect(await database.prepareRead("SELECT workspace FROM worker_accounts").all()).toEqual([]);
});
