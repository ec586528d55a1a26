import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sweep } from "../dispatch/sweep.ts";
import { storeUpload, uploadName } from "../media/uploads.ts";
import { countTasks } from "../tasks/find.ts";
import { findReplay } from "../tasks/idempotency.ts";
import { submitTask } from "../tasks/submit.ts";
import { type Core, namesIn, openCore, requestFor, submit, taskOf } from "../testing/core.ts";
import { failingFileSystem } from "../testing/failing-file-system.ts";
import { picture } from "../testing/pictures.ts";
import { claimTask, failTask, finishTask, showPreview } from "../testing/stored-tasks.ts";
import { deleteTask } from "./delete-task.ts";
import { deleteTasks } from "./delete-tasks.ts";
import { setFavourite } from "./set-favourite.ts";
import { findThumbnail } from "./thumbnail.ts";

const cores: Core[] = [];
let core: Core;

beforeEach(async () => {
  core = await openCore();
  cores.push(core);
});

afterEach(async () => {
  for (const one of cores.splice(0)) await one.close();
});

const claim = { credential: "api-key", key: "once", bodyHash: "hash" };

/** A done task with all that one can have: result, preview, thumbnail, a reference of its own, events, a key, a mark. */
async function wholeTask(on: Core): Promise<{ id: string; upload: string }> {
  const bytes = await picture("png");
  const { upload } = await storeUpload(on.context, bytes, "image/png");
  on.clock.advance(1000);
  const request = requestFor({ mode: "img2img", reference_image: upload.id, prompt: "красная лодка" });
  const { answer } = await submitTask(on.context, { request, idempotency: claim, queueLimit: 1000 });
  const id = answer.task_id;
  await showPreview(on.context, id, 1, bytes);
  await finishTask(on.context, id, bytes);
  await findThumbnail(on.context, await taskOf(on, id));
  await setFavourite(on.context, id, true);
  return { id, upload: upload.id };
}

const filesOf = (on: Core): Promise<string[]> =>
  Promise.all(
    ["results/", "previews/", "thumbnails/", "uploads/"].map((one) => namesIn(on.context.media.list(one))),
  ).then((names) => names.flat());
const countOf = async (on: Core, sql: string, ...values: string[]): Promise<number> =>
  Number((await on.context.database.prepareRead(`SELECT count(*) AS count FROM ${sql}`).get(...values))?.count);

/** The one of two truths that is told: everything is there, or nothing is but what has to stay. */
async function expectWholeOrGone(on: Core, { id, upload }: { id: string; upload: string }): Promise<"whole" | "gone"> {
  const isThere = (await countOf(on, "tasks WHERE id = ?", id)) === 1;
  if (isThere) {
    const files = await filesOf(on);
    const { resultPath, previewPath } = await taskOf(on, id);
    for (const name of [resultPath, previewPath]) expect(files).toContain(name);
    expect(files).toContain(uploadName({ id: upload, type: "image/png" }));
    expect((await countTasks(on.context, { q: "лодка" })).total).toBe(1);
    expect(await countOf(on, "events WHERE task_id = ? AND type = 'task.updated'", id)).toBeGreaterThan(0);
    expect(await countOf(on, "removals")).toBe(0);
    return "whole";
  }
  expect((await countTasks(on.context, { q: "лодка" })).total).toBe(0);
  expect(await countOf(on, "uploads")).toBe(0);
  expect(await countOf(on, "task_references")).toBe(0);
  const events = await on.context.database.prepareRead("SELECT type, data FROM events WHERE task_id = ?").all(id);
  expect(events).toEqual([{ type: "task.deleted", data: JSON.stringify({ task_id: id }) }]);
  const kept = await on.context.database.prepareRead("SELECT body_hash, task_id, response FROM idempotency").all();
  expect(kept).toEqual([{ body_hash: "hash", task_id: id, response: null }]);
  await sweep(on.context);
  expect(await filesOf(on)).toEqual([]);
  expect(await countOf(on, "removals")).toBe(0);
  return "gone";
}

describe("FR-007: delete", () => {
  test("takes the record with its files, search and event rows; of the key only what a replay needs stays", async () => {
    const whole = await wholeTask(core);
    expect(await filesOf(core)).toHaveLength(4);
    expect(await expectWholeOrGone(core, whole)).toBe("whole");
    await deleteTask(core.context, whole.id);
    expect(await filesOf(core)).toEqual([]);
    expect(await expectWholeOrGone(core, whole)).toBe("gone");
    expect(await findReplay(core.context, claim)).toMatchObject({ task_id: whole.id, status: "pending" });
    await expect(deleteTask(core.context, whole.id)).rejects.toMatchObject({ code: "task_not_found" });
  });

  test("refuses a task that has not ended, and takes a failed one", async () => {
    const id = await submit(core);
    await expect(deleteTask(core.context, id)).rejects.toMatchObject({ code: "task_not_ended" });
    await claimTask(core.context, id);
    await expect(deleteTask(core.context, id)).rejects.toMatchObject({ code: "task_not_ended" });
    await failTask(core.context, id);
    await deleteTask(core.context, id);
    expect(await countOf(core, "tasks")).toBe(0);
  });

  test("a picture that another task names stays, and goes with the last of them", async () => {
    const { upload } = await storeUpload(core.context, await picture("png"), "image/png");
    const request = requestFor({ mode: "img2img", reference_image: upload.id });
    core.clock.advance(10);
    const [one, other] = [await submit(core, request), await submit(core, request)];
    for (const id of [one, other]) await finishTask(core.context, id, new Uint8Array([1]));
    await deleteTask(core.context, one);
    expect(await filesOf(core)).toContain(uploadName(upload));
    await deleteTask(core.context, other);
    expect(await filesOf(core)).toEqual([]);
  });

  test("a picture that was sent again since keeps its 24 hours: somebody is about to use it", async () => {
    const bytes = await picture("png");
    const { upload } = await storeUpload(core.context, bytes, "image/png");
    core.clock.advance(10);
    const id = await submit(core, requestFor({ mode: "img2img", reference_image: upload.id }));
    await finishTask(core.context, id, new Uint8Array([1]));
    core.clock.advance(10);
    await storeUpload(core.context, bytes, "image/png");
    await deleteTask(core.context, id);
    expect(await filesOf(core)).toEqual([uploadName(upload)]);
  });

  test("a record without its file can be deleted like any other", async () => {
    const id = await submit(core);
    await finishTask(core.context, id, new Uint8Array([1]));
    await core.context.media.remove((await taskOf(core, id)).resultPath ?? "");
    await deleteTask(core.context, id);
    expect(await countOf(core, "tasks")).toBe(0);
  });

  test("of many says which are gone and which are not; all spares what has not ended", async () => {
    const done = await submit(core);
    await finishTask(core.context, done, new Uint8Array([1]));
    const waiting = await submit(core);
    const nobody = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11";
    expect(await deleteTasks(core.context, { ids: [done, waiting, nobody, done] })).toEqual({
      deleted: [done],
      failed: [
        { id: waiting, code: "task_not_ended" },
        { id: nobody, code: "task_not_found" },
      ],
    });
    const more: string[] = [];
    for (let count = 0; count < 120; count += 1) {
      const id = await submit(core);
      await finishTask(core.context, id, new Uint8Array([1]));
      more.push(id);
    }
    const { deleted, failed } = await deleteTasks(core.context, { filters: { status: "done" } });
    expect([deleted, failed]).toEqual([more.reverse(), []]);
    expect(await countOf(core, "tasks")).toBe(1);
    expect(await filesOf(core)).toEqual([]);
  });
});

describe("FR-007: delete, failing at every step", () => {
  test("a write that fails leaves the task whole or gone", async () => {
    const seen = new Set<string>();
    for (let nth = 1; ; nth += 1) {
      const on = await openCore();
      cores.push(on);
      const whole = await wholeTask(on);
      on.faults.failNth(nth, "begin", "statement", "commit");
      const outcome = await deleteTask(on.context, whole.id).then(
        () => "answered",
        (error: { code: string }) => error.code,
      );
      const happened = on.faults.happened;
      on.faults.failNth(Number.POSITIVE_INFINITY);
      const state = await expectWholeOrGone(on, whole);
      expect(["answered gone", "storage_unavailable whole"]).toContain(`${outcome} ${state}`);
      seen.add(state);
      if (!happened) break;
    }
    expect([...seen].sort()).toEqual(["gone", "whole"]);
  }, 60_000);

  test("a file that cannot be removed goes at the next sweep; nothing else waits for it", async () => {
    let calls = 0;
    for (let nth = 1; nth === 1 || calls >= nth; nth += 1) {
      const files = failingFileSystem();
      const on = await openCore({ mediaFiles: files });
      cores.push(on);
      const whole = await wholeTask(on);
      files.failAt(nth, "EIO");
      await deleteTask(on.context, whole.id);
      calls = files.calls;
      files.failAt(null, "");
      if (calls >= nth) expect(await filesOf(on)).toHaveLength(1);
      expect(await expectWholeOrGone(on, whole)).toBe("gone");
    }
    expect(calls).toBe(4);
  }, 60_000);

  test("a process that dies after any write leaves the task whole or gone", async () => {
    const seen: string[] = [];
    for (let writes = 0; writes <= 2; writes += 1) {
      const on = await openCore();
      const whole = await wholeTask(on);
      on.die(writes);
      await Promise.race([deleteTask(on.context, whole.id), on.dead]);
      const again = await on.reopen();
      cores.push(again);
      seen.push(await expectWholeOrGone(again, whole));
    }
    expect(seen).toEqual(["whole", "gone", "gone"]);
  });
});
