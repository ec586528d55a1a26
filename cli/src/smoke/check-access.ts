// Health, documents, sessions, keys and the one error form.
import type { Health, Models, SessionCreated, SessionState } from "@safelight/contract";
import {
  BrokenPart,
  jsonOf,
  must,
  mustAnswer,
  mustHaveType,
  mustRefuse,
  type Probe,
  shapeOf,
  textOf,
} from "./probe.ts";

export async function checkHealth(probe: Probe): Promise<string> {
  const health = shapeOf<Health>("getHealth", await probe.ask("getHealth", { as: "none" }), 200);
  must(health.ready, "GET /health says that the server is not ready");
  return `version ${health.version}`;
}

export async function checkDocuments(probe: Probe): Promise<string> {
  const answer = await probe.ask("getOpenApi", { as: "none" });
  const document = shapeOf<{ openapi?: unknown; paths?: object }>("getOpenApi", answer, 200);
  must(String(document.openapi).startsWith("3.1"), `GET /openapi.json has the version ${String(document.openapi)}`);
  const docs = await probe.ask("getDocs", { as: "none" });
  mustAnswer(docs, 200);
  mustHaveType(docs, "text/html");
  must(/<html/i.test(textOf(docs)), "GET /docs answered no page");
  return `${Object.keys(document.paths ?? {}).length} paths`;
}

export async function checkModels(probe: Probe): Promise<string> {
  const { models } = shapeOf<Models>("listModels", await probe.ask("listModels"), 200);
  for (const id of ["anisora", "phr00t", "pony", "flux"]) {
    must(
      models.some((model) => model.id === id),
      `GET /models does not list ${id}`,
    );
  }
  for (const model of models) {
    must(model.modes.includes(model.default_mode), `${model.id} does not have its default mode ${model.default_mode}`);
    must(model.available || model.unavailable_reason !== null, `${model.id} is not available and does not say why`);
  }
  return `${models.filter((model) => model.available).length} of ${models.length} available`;
}

/** Issue, use, read, revoke, and that a revoked session is refused as such. */
export async function checkSession(probe: Probe, password: string | undefined): Promise<string> {
  const body = password === undefined ? {} : { password };
  const issued = await probe.ask("createSession", { body });
  const created = shapeOf<SessionCreated>("createSession", issued, 201);
  must(created.session_status === "active", `the new session is ${created.session_status}`);
  const written = issued.headers.getSetCookie().find((line) => line.startsWith("gg_session=")) ?? "";
  must(/^gg_session=[^;]{32,}/.test(written), "POST /auth/session sets no gg_session cookie");
  for (const flag of ["HttpOnly", "Path=/", "SameSite=", ...(probe.url.startsWith("https:") ? ["Secure"] : [])]) {
    must(written.toLowerCase().includes(flag.toLowerCase()), `the session cookie lacks ${flag}`);
  }
  const as = { cookie: written.split(";")[0] ?? "" };
  const state = shapeOf<SessionState>("getSession", await probe.ask("getSession", { as }), 200);
  must(state.active === true, "GET /auth/session says that the new session is not active");
  must(Date.parse(state.expires_at) > Date.now(), `the new session expired at ${state.expires_at}`);
  mustAnswer(await probe.ask("listModels", { as }), 200);
  mustAnswer(await probe.ask("deleteSession", { as }), 204);
  mustRefuse(await probe.ask("getSession", { as }), 401, "session_expired");
  mustRefuse(await probe.ask("listModels", { as }), 401, "session_expired");
  return "issued, used, revoked";
}

/** Every kind of refusal that needs no preparation, each with its one code. */
export async function checkErrors(probe: Probe): Promise<string> {
  const wrong = { apiKey: "no-key-of-this-installation" };
  const json = { "content-type": "application/json" };
  const text = { "content-type": "text/plain" };
  const prompt = "a red boat";
  const nobody = "00000000-0000-7000-8000-000000000000";
  mustRefuse(await probe.ask("listModels", { as: wrong }), 401, "invalid_api_key");
  mustRefuse(await probe.ask("listModels", { as: "none" }), 401, "session_required");
  mustRefuse(await probe.send("GET", "/no-such-route"), 404, "not_found");
  mustRefuse(await probe.ask("getStatus", { path: { id: nobody } }), 404, "task_not_found");
  const method = await probe.send("PUT", "/generate", { body: {} });
  mustRefuse(method, 405, "method_not_allowed");
  must(
    (method.headers.get("allow") ?? "").includes("POST"),
    "the refusal of a wrong method names no method that works",
  );
  mustRefuse(await probe.ask("generate", { headers: json, body: '{"model":' }), 400, "malformed_json");
  mustRefuse(await probe.ask("generate", { headers: text, body: "a red boat" }), 415, "unsupported_media_type");
  mustRefuse(await probe.ask("generate", { body: { model: "nothing", prompt } }), 422, "unknown_model");
  mustRefuse(await probe.ask("generate", { body: { model: "pony", mode: "t2v", prompt } }), 422, "unsupported_mode");
  mustRefuse(await probe.ask("generate", { body: { model: "anisora", prompt, steps: 9 } }), 422, "parameter_locked");
  const surplus = await probe.ask("generate", { body: { model: "pony", prompt, nonsense: 1 } });
  const problem = mustRefuse(surplus, 422, "validation_failed");
  must(
    problem.errors?.some(({ field }) => field === "nonsense") === true,
    "a surplus field is refused without its name",
  );
  const foreign = await probe.ask("getHealth", { headers: { origin: "https://elsewhere.invalid" } });
  mustRefuse(foreign, 403, "cors_origin_blocked");
  must(!foreign.headers.has("access-control-allow-origin"), "a foreign page gets CORS headers");
  return "13 refusals, one form";
}

/** Methods and paths that the installation's own document declares, as "GET /health". */
export async function declaredRoutes(probe: Probe): Promise<string[]> {
  const answer = await probe.ask("getOpenApi", { as: "none" });
  mustAnswer(answer, 200);
  const { paths } = jsonOf(answer) as { paths?: Record<string, object> };
  if (typeof paths !== "object" || paths === null) throw new BrokenPart("GET /openapi.json lists no paths");
  const methods = ["get", "put", "post", "delete", "patch"];
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item ?? {})
      .filter((key) => methods.includes(key))
      .map((key) => `${key.toUpperCase()} ${path}`),
  );
}
