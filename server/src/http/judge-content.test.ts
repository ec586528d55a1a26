// Issue lines of the content policy, by real requests: nothing comes of what is refused, and nobody reads the prompt afterwards.
import { readdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type AdminHealth, GenerateAnswer, type Route, routes } from "@safelight/contract";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";

let edge: Edge;
let service: Server;
let verdict = '{"allowed": true}';
beforeAll(async () => {
  service = createServer((_request, response) => response.end(verdict));
  await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
  edge = await openEdge({
    environment: { MODERATION_URL: `http://127.0.0.1:${(service.address() as AddressInfo).port}/judge` },
  });
});
afterAll(async () => {
  await edge.close();
  service.closeAllConnections();
  await new Promise((resolve) => service.close(resolve));
});

const generate = (prompt: string, more: object = {}, headers: Record<string, string> = {}) =>
  edge.inject({
    method: "POST",
    url: "/generate",
    headers,
    payload: { model: "pony", prompt, width: 512, height: 512, ...more },
  });
const count = async (table: string) =>
  Number((await edge.context.database.prepareRead(`SELECT count(*) AS count FROM ${table}`).get())?.count);
const auditRows = () =>
  edge.context.database.prepareRead("SELECT * FROM audit_events WHERE action = 'content_refused' ORDER BY id").all();

test("content_refused: no task, no upload, no event; audited by the name of the rule, the prompt is nowhere", async () => {
  const marked = "marker-7f3a nude child";
  const pixel =
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
  const answers = [
    await generate(marked),
    await generate(marked, { mode: "img2img", reference_image: pixel }),
    await generate(marked, { workspace: "no-such-place" }),
    await generate(marked, {}, { "idempotency-key": "once" }),
  ];
  for (const answer of answers) {
    expect(answer.json()).toMatchObject({
      status: 422,
      code: "content_refused",
      errors: [{ field: "prompt", code: "content_refused" }],
    });
    expect(answer.body).not.toContain("marker-7f3a");
  }
  for (const table of ["tasks", "uploads", "events", "idempotency"])
    expect([table, await count(table)]).toEqual([table, 0]);
  const rows = await auditRows();
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ outcome: "failure", actor_type: "client", actor_id: "api-key", source: "127.0.0.1" });
  expect(JSON.parse(String(rows[0]?.details))).toMatchObject({ code: "content_refused", reason: "sexual-minors" });
  const { readFile } = await import("node:fs/promises");
  for (const name of await readdir(edge.folder)) {
    if (!name.startsWith("safelight.sqlite")) continue;
    expect((await readFile(join(edge.folder, name))).includes("marker-7f3a")).toBe(false);
  }
  expect(edge.logged.join("\n")).toContain("sexual-minors");
  expect(edge.logged.join("\n")).not.toContain("marker-7f3a");
});

test("one route makes tasks; a further one has to ask the policy too, and to stand here", () => {
  const makers = Object.values<Route>(routes).filter(({ responses }) => responses[202]?.schema === GenerateAnswer);
  expect(makers.map(({ name }) => name)).toEqual(["generate"]);
});

test("a service's no refuses; a task that was accepted is answered again although the service changed its mind", async () => {
  const first = await generate("a lighthouse", {}, { "idempotency-key": "lamp" });
  expect(first.statusCode).toBe(202);
  verdict = '{"allowed": false, "rule": "no-lamps"}';
  const again = await generate("a lighthouse", {}, { "idempotency-key": "lamp" });
  expect([again.statusCode, again.body]).toEqual([202, first.body]);
  const other = await generate("another lighthouse");
  expect(other.json()).toMatchObject({
    code: "content_refused",
    detail: expect.stringContaining("moderation:no-lamps"),
  });
  verdict = "garbage";
  const unjudged = await generate("a third lighthouse");
  expect(unjudged.json()).toMatchObject({ code: "content_refused", errors: [{ code: "not_judged" }] });
  verdict = '{"allowed": true}';
  expect((await generate("a third lighthouse")).statusCode).toBe(202);
  expect(await count("tasks")).toBe(2);
});

test("a refusal that cannot be recorded is auth_unavailable, and no task either", async () => {
  let broken = false;
  const failing = await openEdge({
    interrupt: (operation) => {
      if (broken && operation === "commit")
        throw Object.assign(new Error("full"), { code: "ERR_SQLITE_ERROR", errcode: 13 });
    },
  });
  broken = true;
  const answer = await failing.inject({
    method: "POST",
    url: "/generate",
    payload: { model: "pony", prompt: "naked kids", width: 512, height: 512 },
  });
  expect(answer.json()).toMatchObject({ code: "auth_unavailable" });
  broken = false;
  await failing.close();
});

test("a file of rules that is wrong is named at the start", async () => {
  const file = join(edge.folder, "rules.json");
  await writeFile(file, "[]");
  await expect(openEdge({ environment: { CONTENT_POLICY_FILE: file } })).rejects.toThrow(/^CONTENT_POLICY_FILE: /);
});

test("operators see how the rules and the service are", async () => {
  const session = await edge.inject({
    method: "POST",
    url: "/admin/session",
    headers: { "x-admin-key": edge.adminKey },
  });
  const cookie = String(session.headers["set-cookie"]).split(";")[0] ?? "";
  const look = async () => {
    const health = (await edge.inject({ url: "/admin/health", headers: { cookie } })).json<AdminHealth>();
    return health.parts.find(({ name }) => name === "content_policy");
  };
  verdict = "garbage";
  await generate("a lighthouse at dusk");
  expect(await look()).toEqual({
    name: "content_policy",
    state: "degraded",
    detail: "The built-in rules are in force. The moderation service gives no verdict: everything is refused.",
  });
  verdict = '{"allowed": true}';
  await generate("a lighthouse at dawn");
  expect(await look()).toEqual({ name: "content_policy", state: "ok", detail: "The built-in rules are in force." });
});
