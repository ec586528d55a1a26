import { expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson } from "../testing/damaging-proxy.ts";
import { secretParts } from "./check-secrets.ts";

const installation = openInstallation();

const cases: DamageCase[] = [
  [
    "secrets",
    "a secret that is not listed",
    {
      at: "GET /admin/secrets",
      answer: (a) =>
        changeJson(
          a,
          (b) => (b.secrets = (b.secrets as { name: string }[]).filter(({ name }) => name !== "encryption-key")),
        ),
    },
    /does not name encryption-key/,
  ],
  [
    "secrets",
    "an age that nobody knows",
    {
      at: "GET /admin/secrets",
      answer: (a) =>
        changeJson(a, (b) => (b.secrets = (b.secrets as object[]).map((one) => ({ ...one, age_days: null })))),
    },
    /how old api-key is/,
  ],
  [
    "API keys",
    "a key that is not listed",
    { at: "GET /admin/api-keys", answer: (a) => changeJson(a, (b) => (b.api_keys = [])) },
    /does not list a key that was just made/,
  ],
  [
    "API keys",
    "a key that is not revoked",
    {
      at: "POST /admin/api-keys",
      ask: (q) => {
        if (q.url.endsWith("/revoke")) q.url = q.url.replace(/api-keys\/[^/]+\//, "api-keys/another/");
      },
    },
    /404 instead of 200/,
  ],
];

installation.finds(cases);

it("has a damage for every part", () => {
  expect(new Set(cases.map(([part]) => part))).toEqual(new Set(secretParts.map(({ name }) => name)));
});
