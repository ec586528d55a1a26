import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { AuditCheckpoint, AuditVerification } from "@safelight/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { recordAudit } from "../audit/append.ts";
import { verifyExport } from "../audit/verify-export.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";

let edge: Edge;
let cookie = "";

beforeEach(async () => {
  edge = await openEdge({ clock: createTestClock() });
  await edge.installation.audit.start();
  const headers = { host: "127.0.0.1", "x-admin-key": edge.adminKey };
  const answer = await edge.app.inject({ method: "POST", url: "/admin/session", headers });
  cookie = String(answer.headers["set-cookie"]).split(";")[0] ?? "";
});
afterEach(() => edge.close());

const admin = (method: "GET" | "POST" | "HEAD", path: string) =>
  edge.app.inject({ method, url: `/admin/logs/${path}`, headers: { host: "127.0.0.1", cookie } });
const actions = async () =>
  (
    await edge.context.database.prepareRead("SELECT action, outcome, actor_type FROM audit_events ORDER BY id").all()
  ).map(({ action, outcome, actor_type: actor }) => `${String(actor)} ${String(action)} ${String(outcome)}`);

test("FR-012, FR-022: checking, signing and exporting the log are on record and hold together", async () => {
  const checkpoint = (await admin("POST", "checkpoint")).json<AuditCheckpoint>();
  expect(checkpoint).toMatchObject({ sequence: 2, kind: "demand", last_id: 3, rows: 3 });
  const verdict = (await admin("GET", "verify")).json<AuditVerification>();
  expect(verdict).toMatchObject({ intact: true, checked: 3, checkpoints: { checked: 2, rows_after_last: 0 } });
  const answer = await admin("GET", "export");
  expect(answer.headers["content-type"]).toBe("application/x-ndjson");
  expect(answer.headers["content-disposition"]).toMatch(/^attachment; filename="safelight-audit-[\d-]+\.ndjson"$/);
  const file = join(edge.folder, "export.ndjson");
  await writeFile(file, answer.rawPayload);
  expect(await verifyExport(file, { checkpoints: [checkpoint] })).toMatchObject({ intact: true, checked: 5 });
  expect((await admin("HEAD", "export")).statusCode).toBe(405);
  expect(await actions()).toEqual([
    "system start_audit_chain success",
    "admin admin_session_create success",
    "admin sign_logs success",
    "admin read_logs success",
    "admin export_logs success",
  ]);
  const logged = edge.logged.map((line) => JSON.parse(line) as { msg?: string; checkpoint?: AuditCheckpoint });
  expect(logged.filter(({ msg }) => msg === "audit checkpoint").map(({ checkpoint: one }) => one?.sequence)).toEqual([
    1, 2, 3,
  ]);
  expect(logged.find(({ checkpoint: one }) => one?.sequence === 2)?.checkpoint).toEqual(checkpoint);
});

test("FR-012: a flood of refusals is one row a minute and counts on in the next; the chain holds", async () => {
  const { context } = edge;
  for (let index = 0; index < 50; index += 1) {
    await edge.app.inject({ method: "GET", url: "/admin/logs/verify", headers: { host: "127.0.0.1" } });
  }
  expect((await actions()).filter((action) => action.endsWith("read_logs failure"))).toHaveLength(1);
  expect(await edge.installation.audit.verify()).toMatchObject({ intact: true });
  expect((await context.database.prepareRead("SELECT count(*) AS n FROM audit_events").get())?.n).toBe(3);
});

test("FR-022: checking a long log leaves others their turn", async () => {
  const one = { action: "cancel_task", target: "x", outcome: "success", details: { text: "y".repeat(500) } } as const;
  await Promise.all(Array.from({ length: 5000 }, () => recordAudit(edge.context, one)));
  let turns = 0;
  let counting = true;
  const turn = (): void => {
    turns += 1;
    if (counting) setImmediate(turn);
  };
  setImmediate(turn);
  const verdict = await edge.installation.audit.verify();
  counting = false;
  expect(verdict).toMatchObject({ intact: true, checked: 5002 });
  // As many turns as there are slices, whatever else the machine does; the time of each is a figure of the benchmark.
  expect(turns).toBeGreaterThan(3);
});
