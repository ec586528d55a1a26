import { afterEach, beforeEach, expect, test } from "vitest";
import { actAs } from "../context/context.ts";
import { type Core, openCore } from "../testing/core.ts";
import { appendAudit, recordAudit } from "./append.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

const rows = () => core.context.database.prepareRead("SELECT * FROM audit_events ORDER BY id").all();

test("SC-007, FR-021: a row holds who, from where, what, on what, how it went, when and in which request", async () => {
  const caller = {
    actor: { type: "client", id: "session:0a1b2c3d" },
    source: "127.0.0.1",
    correlationId: "request-1",
  } as const;
  const context = actAs(core.context, caller);
  await recordAudit(context, {
    action: "cancel_task",
    target: "task-1",
    outcome: "failure",
    details: { why: "unknown" },
  });
  expect(await rows()).toMatchObject([
    {
      timestamp: core.clock.now(),
      actor_type: "client",
      actor_id: "session:0a1b2c3d",
      source: "127.0.0.1",
      action: "cancel_task",
      target: "task-1",
      outcome: "failure",
      details: '{"why":"unknown"}',
      correlation_id: "request-1",
    },
  ]);
});

test("FR-012: success stands or falls with the change it belongs to", async () => {
  const change = core.context.database.write(async (tx) => {
    await appendAudit(core.context, tx, { action: "cancel_task", target: null, outcome: "success" });
    throw new Error("the change failed");
  });
  await expect(change).rejects.toThrow("the change failed");
  expect(await rows()).toEqual([]);
});

test.each([
  "UPDATE audit_events SET action = 'x'",
  "DELETE FROM audit_events",
  "DELETE FROM audit_events WHERE id = 1",
])("FR-022: the database itself refuses %s", async (sql) => {
  await recordAudit(core.context, { action: "cancel_task", target: null, outcome: "success" });
  await expect(core.context.database.write((tx) => tx.prepare(sql).run())).rejects.toThrow(/never/);
  expect(await rows()).toHaveLength(1);
});

test("where no row can be written the caller hears it", async () => {
  core.faults.broken = true;
  const refused = recordAudit(core.context, { action: "cancel_task", target: null, outcome: "success" });
  await expect(refused).rejects.toMatchObject({ code: "storage_unavailable" });
  core.faults.broken = false;
});
