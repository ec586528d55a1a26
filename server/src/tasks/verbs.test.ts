import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Core, openCore, requestFor, submit, taskOf, videoRequest } from "../testing/core.ts";
import { claimTask, finishTask, moveTask } from "../testing/stored-tasks.ts";
import { cancelTask } from "./cancel.ts";
import { describeTask } from "./describe.ts";
import { getTask } from "./get.ts";
import { listTasks } from "./list.ts";
import { waitForChange } from "./wait.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

const never = new AbortController().signal;
const describeById = async (id: string) => describeTask(core.context, await getTask(core.context, id));

describe("getting and describing", () => {
  test("an unknown id is task_not_found", async () => {
    await expect(getTask(core.context, "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11")).rejects.toMatchObject({
      code: "task_not_found",
    });
  });

  test("a waiting task knows its place from 1; a claimed one has none", async () => {
    const ids = [await submit(core), await submit(core), await submit(core)];
    for (const [index, id] of ids.entries()) expect((await describeById(id)).queue_position).toBe(index + 1);
    await claimTask(core.context, ids[0] ?? "");
    expect((await describeById(ids[0] ?? "")).queue_position).toBeNull();
    expect((await describeById(ids[2] ?? "")).queue_position).toBe(2);
  });

  test("without history there is no estimate; with it the wait ahead is in it", async () => {
    const first = await submit(core);
    expect((await describeById(first)).eta_seconds).toBeNull();
    await finishTask(core.context, first, new Uint8Array([1]));
    await core.context.database.write((tx) => tx.prepare("UPDATE tasks SET leased_ms = 10000").run());
    const next = await submit(core);
    const behind = await submit(core);
    expect((await describeById(next)).eta_seconds).toBe(10);
    expect((await describeById(behind)).eta_seconds).toBe(20);
    const another = await submit(core, videoRequest());
    expect((await describeById(another)).eta_seconds).toBeNull();
  });

  test("a run that is well under way tells its own pace", async () => {
    const id = await submit(core);
    await claimTask(core.context, id);
    await moveTask(core.context, id, {
      columns: {
        lease_owner: core.context.instance,
        lease_renewed_at: core.clock.steady(),
        leased_ms: 8000,
        progress: 20,
      },
    });
    core.clock.advance(2000);
    expect((await describeById(id)).eta_seconds).toBe(40);
  });

  test("a failed task says what happened and what can be done", async () => {
    const id = await submit(core);
    await cancelTask(core.context, id);
    const body = await describeById(id);
    expect(body).toMatchObject({
      status: "failed",
      stage: null,
      error: { code: "cancelled" },
      result_url: null,
      started_at: null,
    });
    expect(body.error?.user_action).not.toBe("");
    expect(body.error_msg).toBe(body.error?.detail);
    expect(body.finished_at).toBe(new Date(core.clock.now()).toISOString());
  });
});

describe("waiting for a change", () => {
  test("resolves at once when there was a change already", async () => {
    const id = await submit(core);
    expect((await waitForChange(core.context, id, 0, 60_000, never)).id).toBe(id);
  });

  test("resolves when something changes, with the newest record", async () => {
    const id = await submit(core);
    const { version } = await taskOf(core, id);
    const waiting = waitForChange(core.context, id, version, 60_000, never);
    await submit(core);
    await claimTask(core.context, id);
    expect(await waiting).toMatchObject({ id, status: "processing", version: version + 1 });
  });

  test("resolves with the unchanged record when the time is over or the caller leaves", async () => {
    const id = await submit(core);
    const { version } = await taskOf(core, id);
    expect(await waitForChange(core.context, id, version, 10, never)).toMatchObject({ version });
    const leaves = new AbortController();
    const waiting = waitForChange(core.context, id, version, 60_000, leaves.signal);
    setImmediate(() => leaves.abort());
    expect(await waiting).toMatchObject({ version });
    expect(core.context.hub.listeners).toBe(0);
  });

  test("an ended task is not waited for", async () => {
    const id = await submit(core);
    const { version } = await cancelTask(core.context, id);
    expect(await waitForChange(core.context, id, version, 60_000, never)).toMatchObject({ status: "failed" });
  });
});

describe("cancelling", () => {
  test("writes who did it in the same transaction, once", async () => {
    const id = await submit(core);
    await cancelTask(core.context, id);
    await cancelTask(core.context, id);
    const rows = await core.context.database.prepareRead("SELECT action, target, outcome FROM audit_events").all();
    expect(rows).toEqual([{ __proto__: null, action: "cancel_task", target: id, outcome: "success" }]);
  });

  test("an unknown task is task_not_found and leaves no row", async () => {
    await expect(cancelTask(core.context, "nobody")).rejects.toMatchObject({ code: "task_not_found" });
    expect((await core.context.database.prepareRead("SELECT count(*) AS count FROM audit_events").get())?.count).toBe(
      0,
    );
  });

  test("when it cannot be written it has not happened", async () => {
    const id = await submit(core);
    core.faults.failNth(1, "commit");
    await expect(cancelTask(core.context, id)).rejects.toMatchObject({ code: "storage_unavailable" });
    expect((await taskOf(core, id)).status).toBe("pending");
  });

  test("a task that a stopping server handed back ends at once", async () => {
    const id = await submit(core);
    await claimTask(core.context, id);
    await moveTask(core.context, id, { columns: { lease_owner: null, lease_until: null, released: 1 } });
    expect(await cancelTask(core.context, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
  });
});

describe("the history", () => {
  async function fill(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      ids.push(
        await submit(core, requestFor({ prompt: index % 2 === 0 ? `Красный маяк ${index}` : `a blue boat ${index}` })),
      );
      core.clock.advance(1000);
    }
    return ids;
  }

  test("newest first, in pages, with an exact total", async () => {
    const ids = await fill(5);
    const page = await listTasks(core.context, { perPage: 2, page: 2 });
    expect(page).toMatchObject({ total: 5, total_is_exact: true, page: 2, per_page: 2, has_more: true });
    expect(page.items.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    const last = await listTasks(core.context, { perPage: 2, page: 3 });
    expect(last).toMatchObject({ has_more: false, next_cursor: null });
    expect((await listTasks(core.context, { order: "asc", perPage: 1 })).items[0]?.id).toBe(ids[0]);
  });

  test.each(["desc", "asc"] as const)(
    "cursors (%s) reach every task once, also when new ones arrive between the pages",
    async (order) => {
      const ids = await fill(7);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await listTasks(core.context, { perPage: 3, order, ...(cursor === undefined ? {} : { cursor }) });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.next_cursor ?? undefined;
        if (order === "desc") await fill(1);
      } while (cursor !== undefined);
      expect(seen).toEqual(order === "desc" ? ids.toReversed() : ids);
    },
  );

  test("tasks of the same moment are neither skipped nor repeated", async () => {
    for (let index = 0; index < 5; index += 1) await submit(core);
    const first = await listTasks(core.context, { perPage: 2 });
    const second = await listTasks(core.context, { perPage: 10, cursor: first.next_cursor ?? "" });
    expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(5);
  });

  test("filters by state, model and its alias, type, mode, time and words in any case and script", async () => {
    const ids = await fill(4);
    const clip = await submit(core, videoRequest({ model: "wan-remix" }));
    await cancelTask(core.context, ids[0] ?? "");
    const found = async (query: Parameters<typeof listTasks>[1]) =>
      (await listTasks(core.context, query)).items.map(({ id }) => id);
    expect(await found({ status: "failed" })).toEqual([ids[0]]);
    expect(await found({ model: "wan-remix" })).toEqual([clip]);
    expect(await found({ model: "phr00t" })).toEqual([clip]);
    expect(await found({ type: "video" })).toEqual([clip]);
    expect(await found({ mode: "txt2img" })).toEqual(ids.toReversed());
    expect(await found({ q: "МАЯК красный" })).toEqual([ids[2], ids[0]]);
    expect(await found({ q: "boat маяк" })).toEqual([]);
    expect(await found({ q: "100%_" })).toEqual([]);
    const { createdAt } = await taskOf(core, ids[1] ?? "");
    expect(await found({ from: createdAt, to: createdAt })).toEqual([ids[1]]);
  });

  test("a total beyond ten thousand is said to be more than that", async () => {
    const id = await submit(core);
    await core.context.database.write(async (tx) => {
      const columns =
        "model, type, mode, prompt, parameters, seed, catalog_version, status, stage, error_code, error_msg, finished_at, created_at, updated_at";
      await tx
        .prepare(
          `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10001)
         INSERT INTO tasks (id, ${columns}) SELECT 'copy-' || i, model, type, mode, prompt, parameters, seed, catalog_version,
           'failed', stage, 'cancelled', 'x', 1, created_at - i, updated_at FROM tasks, n WHERE id = ?`,
        )
        .run(id);
    });
    expect(await listTasks(core.context, {})).toMatchObject({ total: 10_000, total_is_exact: false, has_more: true });
    expect(await listTasks(core.context, { status: "pending" })).toMatchObject({ total: 1, total_is_exact: true });
  });

  test.each(["nonsense", "", "MS4y!", Buffer.from("1.99999999999999999999").toString("base64url")])(
    "the cursor %j is refused",
    async (cursor) => {
      await expect(listTasks(core.context, { cursor })).rejects.toMatchObject({
        code: "validation_failed",
        fields: [{ field: "cursor" }],
      });
    },
  );

  test("a result whose file has gone is shown as missing", async () => {
    const id = await submit(core);
    const { resultPath } = await finishTask(core.context, id, new Uint8Array([1]));
    expect((await listTasks(core.context, {})).items[0]).toMatchObject({ id, status: "done", result_missing: false });
    await core.context.media.remove(resultPath ?? "");
    expect((await listTasks(core.context, {})).items[0]).toMatchObject({ id, status: "done", result_missing: true });
  });
});
