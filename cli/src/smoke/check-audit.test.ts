import { expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson } from "../testing/damaging-proxy.ts";
import { auditParts } from "./check-audit.ts";

const installation = openInstallation();

const cases: DamageCase[] = [
  [
    "audit chain",
    "a broken log",
    {
      at: "GET /admin/logs/verify",
      answer: (a) =>
        changeJson(a, (b) => {
          b.intact = false;
          b.first_broken = { id: 7, code: "changed", detail: "Row 7 is another." };
        }),
    },
    /Row 7 is another/,
  ],
  [
    "audit chain",
    "limits that nobody names",
    { at: "GET /admin/logs/verify", answer: (a) => changeJson(a, (b) => (b.cannot_show = [])) },
    /what it cannot show/,
  ],
  [
    "audit chain",
    "a checkpoint that is made up",
    {
      at: "POST /admin/logs/checkpoint",
      answer: (a) => changeJson(a, (b) => (b.hash = "0".repeat(64))),
    },
    /not signed by a key/,
  ],
  [
    "audit chain",
    "an export with a changed row",
    {
      at: "GET /admin/logs/export",
      answer: (a) => {
        a.body = Buffer.from(
          String(a.body).replace('"action":"admin_session_create"', '"action":"admin_session_delete"'),
        );
      },
    },
    /is not what its hash was made of/,
  ],
];

cases.push([
  "backup note",
  "a backup that nobody writes down",
  { at: "GET /admin/logs", answer: (a) => changeJson(a, (b) => (b.logs = [])) },
  /leaves no row in the audit log/,
]);

installation.finds(cases);

it("FR-022: has a damage for every part, and passes on an installation that is well", async () => {
  const names = auditParts.map(({ name }) => name);
  expect(new Set(cases.map(([part]) => part))).toEqual(new Set(names));
  const results = (await installation.check(installation.server.url, names)).filter(({ part }) => names.includes(part));
  expect(results.map(({ part, outcome }) => `${part} ${outcome}`)).toEqual(names.map((name) => `${name} ok`));
});
