import { setTimeout as pause } from "node:timers/promises";
import { Status, TasksPage } from "@safelight/contract";
import { Ajv } from "ajv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { claimTask, failTask, finishTask, moveTask } from "../testing/stored-tasks.ts";

let edge: Edge;
let base = "";
beforeEach(async () => {
  edge = await openEdge();
  base = await edge.listen();
});
afterEach(() => edge.close());

const ajv = new Ajv({ strict: false, formats: { "date-time": true, uuid: true } });
const headers = () => ({ "x-api-key": edge.apiKey });
const listeners = () => edge.context.hub.listeners;

async function newTask(prompt = "a red boat at sea"): Promise<string> {
  const payload = { model: "pony", prompt, width: 512, height: 512 };
  return (await edge.inject({ method: "POST", url: "/generate", payload })).json<{ task_id: string }>().task_id;
}

const status = async (id: string, query = "") =>
  (await (await fetch(`${base}/status/${id}${query}`, { headers: headers() })).json()) as Status;

describe("GET /status/{id}", () => {
  test("FR-004: has the contract's shape in every state", async () => {
    const id = await newTask();
    const seen: Status[] = [await status(id)];
    await claimTask(edge.context, id);
    seen.push(await status(id));
    await moveTask(edge.context, id, { columns: { progress: 40, step: 2 } });
    seen.push(await status(id));
    const failed = await newTask();
    await failTask(edge.context, failed);
    seen.push(await status(failed));
    const done = await newTask();
    await finishTask(edge.context, done, Buffer.from("x"));
    seen.push(await status(done));
    for (const body of seen) expect(ajv.validate(Status, body), JSON.stringify(ajv.errors)).toBe(true);
    expect(seen.map((body) => [body.status, body.progress])).toEqual([
      ["pending", 0],
      ["processing", 0],
      ["processing", 40],
      ["failed", 0],
      ["done", 100],
    ]);
    expect(seen[0]).toMatchObject({
      queue_position: 1,
      error: null,
      error_msg: null,
      result_url: null,
      started_at: null,
    });
    expect(seen[3]).toMatchObject({
      error: { code: "engine_failed" },
      error_msg: "The engine could not finish the task.",
    });
    expect(seen[4]).toMatchObject({ result_url: `/results/${done}` });
  });

  test("wait holds the answer until something changes", async () => {
    const id = await newTask();
    const held = status(id, "?wait=30");
    await expect.poll(listeners).toBe(1);
    await claimTask(edge.context, id);
    expect(await held).toMatchObject({ status: "processing" });
    expect(listeners()).toBe(0);
  });

  test("wait=0, a task that ended, and the time itself end it", async () => {
    const id = await newTask();
    expect(await status(id, "?wait=0")).toMatchObject({ status: "pending" });
    const began = performance.now();
    expect(await status(id, "?wait=1")).toMatchObject({ status: "pending" });
    expect(performance.now() - began).toBeGreaterThan(900);
    await failTask(edge.context, id);
    expect(await status(id, "?wait=30")).toMatchObject({ status: "failed" });
  });

  test("a caller that leaves is not waited for", async () => {
    const id = await newTask();
    const leaving = new AbortController();
    const held = fetch(`${base}/status/${id}?wait=30`, { headers: headers(), signal: leaving.signal });
    await expect.poll(listeners).toBe(1);
    leaving.abort();
    await expect(held).rejects.toThrow();
    await expect.poll(listeners).toBe(0);
    expect(edge.installation.streams.size).toBe(0);
  });

  test("a stopping server and a revoked session end the wait at once", async () => {
    const id = await newTask();
    const made = await fetch(`${base}/auth/session`, { method: "POST" });
    const cookie = made.headers.get("set-cookie")?.split(";")[0] ?? "";
    const held = fetch(`${base}/status/${id}?wait=30`, { headers: { cookie } });
    await expect.poll(listeners).toBe(1);
    await fetch(`${base}/auth/session`, { method: "DELETE", headers: { cookie } });
    expect([(await held).status, ((await (await held).json()) as { code: string }).code]).toEqual([
      401,
      "session_expired",
    ]);
    const other = status(id, "?wait=30");
    await expect.poll(listeners).toBe(1);
    edge.stop();
    expect(await other).toMatchObject({ status: "pending" });
  });

  test("many wait on one connection each without one holding up another", async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, () => newTask()));
    const held = ids.map((id) => status(id, "?wait=30"));
    await expect.poll(listeners).toBe(20);
    await failTask(edge.context, ids[7] ?? "");
    expect(await held[7]).toMatchObject({ status: "failed" });
    await pause(20);
    expect(listeners()).toBe(19);
    edge.stop();
    await Promise.all(held);
  });
});

describe("POST /cancel/{id}", () => {
  const cancel = (id: string, init: RequestInit = {}) =>
    fetch(`${base}/cancel/${id}`, {
      method: "POST",
      ...init,
      headers: { ...headers(), ...(init.headers as Record<string, string>) },
    });

  test("pending ends at once, processing is told, an ended task is answered unchanged", async () => {
    const pending = await newTask();
    const answer = await cancel(pending);
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { status: "failed", error: { code: "cancelled" }, started_at: null },
    ]);
    const running = await newTask();
    await claimTask(edge.context, running);
    expect(await (await cancel(running)).json()).toMatchObject({ status: "processing", stage: "cancelling" });
    const done = await newTask();
    await finishTask(edge.context, done, Buffer.from("x"));
    const before = await status(done);
    const again = await cancel(done);
    expect([again.status, await again.json()]).toEqual([200, before]);
  });

  test.each([
    ["an empty JSON body", { headers: { "content-type": "application/json" } }],
    ["a JSON body", { headers: { "content-type": "application/json" }, body: "{}" }],
    ["an empty form", { headers: { "content-type": "application/x-www-form-urlencoded" }, body: "" }],
    ["text", { headers: { "content-type": "text/plain" }, body: "please" }],
  ])("takes no body and minds none: %s", async (_what, init) => {
    expect((await cancel(await newTask(), init)).status).toBe(200);
  });
});

describe("GET /tasks", () => {
  test("pages through every state in the contract's shape, with filters", async () => {
    const ids = [await newTask("a red boat"), await newTask("a GREEN hill"), await newTask("a blue boat")];
    await failTask(edge.context, ids[0] ?? "");
    const list = async (query: string) => {
      const page = (await edge.inject({ url: `/tasks${query}` })).json<TasksPage>();
      expect(ajv.validate(TasksPage, page), JSON.stringify(ajv.errors)).toBe(true);
      return page;
    };
    const idsOf = async (query: string) => (await list(query)).items.map(({ id }) => id);
    expect(await idsOf("")).toEqual([...ids].reverse());
    expect(await idsOf("?order=asc")).toEqual(ids);
    expect(await idsOf("?status=failed")).toEqual([ids[0]]);
    expect(await idsOf("?q=green")).toEqual([ids[1]]);
    expect(await idsOf("?model=flux")).toEqual([]);
    expect(
      await idsOf("?type=image&mode=txt2img&sort=created_at&from=2020-01-01&to=2999-01-01T00:00:00Z"),
    ).toHaveLength(3);
    const first = await list("?per_page=2");
    expect(first).toMatchObject({ total: 3, total_is_exact: true, page: 1, per_page: 2, has_more: true });
    const second = await list(`?per_page=2&cursor=${first.next_cursor}`);
    expect(second.items.map(({ id }) => id)).toEqual([ids[0]]);
    expect(second).toMatchObject({ has_more: false, next_cursor: null });
  });

  test.each([
    "page=0",
    "page=101",
    "per_page=0",
    "per_page=101",
    "per_page=x",
    "order=up",
    "status=gone",
    "type=sound",
    "sort=id",
    "from=31.12.2020",
    "cursor=",
  ])("refuses %s", async (query) => {
    const answer = await edge.inject({ url: `/tasks?${query}` });
    expect(answer.json()).toMatchObject({ code: "validation_failed", errors: [{ field: query.split("=")[0] }] });
  });
});
