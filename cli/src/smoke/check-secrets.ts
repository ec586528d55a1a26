// Secrets of an installation: told without values; an API key of little right that is made, used, refused and revoked. Nothing that is in
// force is changed.
import type { ApiKey, ApiKeyCreated, ApiKeys, Secrets } from "@safelight/contract";
import type { Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { must, mustRefuse, type Probe, shapeOf, textOf } from "./probe.ts";

export const secretParts: readonly Part[] = [
  {
    name: "secrets",
    routes: ["listSecrets", "rotateSecret", "revokeSecret", "retireSecret", "recoverSecret"],
    check: async ({ operator }) => checkSecrets(await operator()),
  },
  {
    name: "API keys",
    routes: ["listApiKeys", "createApiKey", "revokeApiKey", "generate", "listModels"],
    check: async ({ probe, operator }) => checkApiKeys(probe, await operator()),
  },
];

async function checkSecrets(operator: Operator): Promise<string> {
  const answer = await operator.ask("listSecrets");
  const { secrets } = shapeOf<Secrets>("listSecrets", answer, 200);
  must(!textOf(answer).includes(operator.adminKey), "GET /admin/secrets shows the admin key");
  for (const name of ["api-key", "admin-key", "session-secret", "encryption-key", "audit-key"]) {
    const found = secrets.find((secret) => secret.name === name);
    must(found !== undefined, `GET /admin/secrets does not name ${name}`);
    must(found.age_days !== null, `GET /admin/secrets does not say how old ${name} is`);
  }
  const path = { name: "no-secret-of-this-installation" };
  for (const name of ["rotateSecret", "revokeSecret", "retireSecret", "recoverSecret"] as const) {
    mustRefuse(await operator.ask(name, { path }), 404, "not_found");
  }
  const tooLong = { path: { name: "api-key" }, body: { overlap_hours: 100_000 } };
  mustRefuse(await operator.ask("rotateSecret", tooLong), 422, "validation_failed");
  const due = secrets.filter(({ next_step: step }) => step !== null).map(({ name }) => name);
  return `${secrets.length} listed${due.length === 0 ? "" : `; to be looked after: ${due.join(", ")}`}`;
}

async function checkApiKeys(probe: Probe, operator: Operator): Promise<string> {
  const name = `smoke-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}`;
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const body = { name, scope: "read_only", expires_at: expires };
  const made = shapeOf<ApiKeyCreated>("createApiKey", await operator.ask("createApiKey", { body }), 201);
  const { id, key: apiKey } = made;
  try {
    const page = await operator.ask("listApiKeys");
    const { api_keys: keys } = shapeOf<ApiKeys>("listApiKeys", page, 200);
    must(!textOf(page).includes(apiKey), "GET /admin/api-keys shows a key");
    must(
      keys.some((one) => one.id === id && one.state === "active"),
      "GET /admin/api-keys does not list a key that was just made",
    );
    shapeOf("listModels", await probe.ask("listModels", { as: { apiKey } }), 200);
    const request = { model: "pony", prompt: "a lighthouse", width: 512, height: 512 };
    mustRefuse(await probe.ask("generate", { as: { apiKey }, body: request }), 401, "invalid_api_key");
    mustRefuse(await operator.ask("createApiKey", { body }), 422, "validation_failed");
  } finally {
    shapeOf<ApiKey>("revokeApiKey", await operator.ask("revokeApiKey", { path: { id } }), 200);
  }
  mustRefuse(await probe.ask("listModels", { as: { apiKey } }), 401, "invalid_api_key");
  mustRefuse(await operator.ask("revokeApiKey", { path: { id: "none" } }), 404, "not_found");
  return "made, read with, refused to generate, revoked";
}
