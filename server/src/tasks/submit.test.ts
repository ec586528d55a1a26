import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Core, openCore, requestFor, submit, taskOf, videoRequest } from "../testing/core.ts";
import { allTasks } from "../testing/invariants.ts";
import { moveTask } from "../testing/stored-tasks.ts";
import { cancelTask } from "./cancel.ts";
import { findReplay, pruneIdempotency } from "./idempotency.ts";
import { submitTask } from "./submit.ts";
import { IDEMPOTENCY_MS } from "./time-limits.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

const claim = (bodyHash = "body-1", key = "key-1") => ({ credential: "api-key", key, bodyHash });

function submitWith(idempotency: ReturnType<typeof claim> | null, queueLimit = 1000) {
  return submitTask(core.context, { request: requestFor(), idempotency, queueLimit });
}

async function addUpload(id: string, lastUsedAt = 0): Promise<void> {
  await core.context.database.write(async (tx) => {
    await tx.prepare("INSERT INTO uploads VALUES (?, 'image/png', 1, 64, 64, 0, ?, 0)").run(id, lastUsedAt);
  });
}

describe("submitting", () => {
  test("FR-002: the task is on disk when the answer is there, exactly as checked", async () => {
    const request = videoRequest({ negative_prompt: "rain", seed: 77, guidance_scale: 2 });
    const { answer, replayed } = await submitTask(core.context, { request, idempotency: null, queueLimit: 10 });
    expect(replayed).toBe(false);
    expect(answer).toMatchObject({
      status: "pending",
      status_url: `/status/${answer.task_id}`,
      events_url: `/events/${answer.task_id}`,
    });
    expect(answer.task_id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const again = await core.reopen();
    expect(await taskOf(again, answer.task_id)).toMatchObject({
      status: "pending",
      model: "anisora",
      type: "video",
      mode: "t2v",
      prompt: "a red lighthouse",
      negativePrompt: "rain",
      seed: 77,
      width: 512,
      frames: 49,
      fps: 16,
      attempt: 0,
      startedAt: null,
      parameters: { ...request.parameters, seed: 77 },
    });
    core = again;
  });

  test("a random seed is drawn once and stored as drawn", async () => {
    const id = await submit(core, requestFor({ seed: -1 }));
    const other = await submit(core, requestFor({ seed: -1 }));
    const task = await taskOf(core, id);
    expect(task.seed).toBeGreaterThanOrEqual(0);
    expect(task.parameters.seed).toBe(task.seed);
    expect((await taskOf(core, other)).seed).not.toBe(task.seed);
  });

  test("URLs are absolute where the installation knows its address", async () => {
    await core.close();
    core = await openCore({ environment: { PUBLIC_BASE_URL: "https://studio.example.org" } });
    const { answer } = await submitWith(null);
    expect(answer.result_url).toBe(`https://studio.example.org/results/${answer.task_id}`);
  });

  test("pictures are tied to the task and kept from the sweep from then on", async () => {
    const first = `sha256-${"1".repeat(64)}`;
    const second = `sha256-${"2".repeat(64)}`;
    await addUpload(first);
    await addUpload(second);
    const keyframes = [
      { frame_index: 0, image: first },
      { frame_index: 48, image: second },
    ];
    const id = await submit(core, videoRequest({ mode: "arbitrary_frame", arbitrary_frames: keyframes }));
    const references = await core.context.database.prepareRead("SELECT * FROM task_references ORDER BY position").all();
    expect(references).toMatchObject([
      { task_id: id, parameter: "arbitrary_frames", position: 0, upload_id: first },
      { task_id: id, parameter: "arbitrary_frames", position: 1, upload_id: second },
    ]);
    const used = await core.context.database.prepareRead("SELECT last_used_at FROM uploads").all();
    expect(used.map((row) => row.last_used_at)).toEqual([core.clock.now(), core.clock.now()]);
  });

  test("a picture that nobody uploaded is named by its field, and nothing is made", async () => {
    const known = `sha256-${"1".repeat(64)}`;
    await addUpload(known);
    const keyframes = [
      { frame_index: 0, image: known },
      { frame_index: 4, image: `sha256-${"9".repeat(64)}` },
    ];
    const refused = submit(core, videoRequest({ mode: "arbitrary_frame", arbitrary_frames: keyframes }));
    await expect(refused).rejects.toMatchObject({
      code: "validation_failed",
      fields: [{ field: "arbitrary_frames[1].image", code: "unknown_upload" }],
    });
    expect(await allTasks(core)).toEqual([]);
    expect(
      (await core.context.database.prepareRead("SELECT count(*) AS count FROM task_references").get())?.count,
    ).toBe(0);
  });
});

describe("the bounded queue", () => {
  test("the task over the limit is refused with a time to try again, the one at the limit is not", async () => {
    await submitWith(null, 3);
    await submitWith(null, 3);
    await submitWith(null, 3);
    const refused = await submitWith(null, 3).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "queue_full" });
    expect((refused as { retryAfter: number }).retryAfter).toBeGreaterThanOrEqual(1);
    expect(await allTasks(core)).toHaveLength(3);
  });

  test("only waiting tasks take a place", async () => {
    const id = await submit(core);
    await submit(core);
    await expect(submitWith(null, 2)).rejects.toMatchObject({ code: "queue_full" });
    await cancelTask(core.context, id);
    await submitWith(null, 2);
    const waiting = (await core.context.database.prepareRead("SELECT waiting FROM queue_size").get())?.waiting;
    expect(waiting).toBe((await allTasks(core)).filter(({ status }) => status === "pending").length);
  });

  test("many at once never pass the limit", async () => {
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => submitWith(null, 7)));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(7);
    expect(await allTasks(core)).toHaveLength(7);
  });

  test("a deleted waiting task frees its place", async () => {
    const id = await submit(core);
    await core.context.database.write((tx) => tx.prepare("DELETE FROM tasks WHERE id = ?").run(id));
    expect((await core.context.database.prepareRead("SELECT waiting FROM queue_size").get())?.waiting).toBe(0);
  });
});

describe("idempotency", () => {
  test("the same key and body give the first answer again and make nothing", async () => {
    const first = await submitWith(claim());
    const second = await submitWith(claim());
    expect(second).toEqual({ answer: first.answer, replayed: true });
    expect(await findReplay(core.context, claim())).toEqual(first.answer);
    expect(await allTasks(core)).toHaveLength(1);
  });

  test("the same key with another body is a conflict", async () => {
    await submitWith(claim());
    await expect(submitWith(claim("body-2"))).rejects.toMatchObject({ code: "idempotency_conflict" });
    await expect(findReplay(core.context, claim("body-2"))).rejects.toMatchObject({ code: "idempotency_conflict" });
    expect(await allTasks(core)).toHaveLength(1);
  });

  test("keys of different callers are different keys", async () => {
    await submitWith(claim());
    await submitWith({ ...claim("body-2"), credential: "session:0a1b2c3d" });
    expect(await allTasks(core)).toHaveLength(2);
  });

  test("racing twins get one task between them", async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => submitWith(claim())));
    expect(new Set(answers.map(({ answer }) => answer.task_id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await allTasks(core)).toHaveLength(1);
  });

  test("a repeated request is answered even when the queue is full; a refused one is not kept", async () => {
    const first = await submitWith(claim(), 1);
    await expect(submitWith(claim("body-2", "key-2"), 1)).rejects.toMatchObject({ code: "queue_full" });
    expect(await submitWith(claim(), 1)).toMatchObject({ replayed: true, answer: first.answer });
    expect(await findReplay(core.context, claim("body-2", "key-2"))).toBeNull();
  });

  test("when the commit fails neither the task nor the key is there", async () => {
    core.faults.failNth(1, "commit");
    await expect(submitWith(claim())).rejects.toMatchObject({ code: "storage_unavailable" });
    expect(await findReplay(core.context, claim())).toBeNull();
    expect(await allTasks(core)).toEqual([]);
    expect((await submitWith(claim())).replayed).toBe(false);
  });

  test("a key outlives its task's ends and is forgotten no earlier than after a day", async () => {
    const { answer } = await submitWith(claim());
    await moveTask(core.context, answer.task_id, {
      transition: "fail",
      columns: { error_code: "cancelled", error_msg: "x" },
    });
    const prune = () => core.context.database.write((tx) => pruneIdempotency(tx, core.clock.now()));
    core.clock.advance(24 * 60 * 60 * 1000);
    expect(await prune()).toBe(0);
    expect((await submitWith(claim())).replayed).toBe(true);
    core.clock.advance(IDEMPOTENCY_MS);
    expect(await prune()).toBe(1);
    expect((await submitWith(claim())).replayed).toBe(false);
  });
});
