import { afterEach, describe, expect, test } from "vitest";
import type { Context } from "../context/context.ts";
import type { PublishedEvent } from "../context/event-hub.ts";
import { sweep } from "../dispatch/sweep.ts";
import { setFavourite } from "../gallery/set-favourite.ts";
import { diskFileSystem } from "../media/media-file-system.ts";
import { MeteredMediaStore } from "../media/metered-media-store.ts";
import { storeUpload, uploadName } from "../media/uploads.ts";
import { type Core, namesIn, openCore, requestFor, submit, videoRequest } from "../testing/core.ts";
import { picture } from "../testing/pictures.ts";
import { claimTask, failTask, finishTask } from "../testing/stored-tasks.ts";
import { expectedOf, expectedOfAccepted } from "./expected.ts";
import { StorageCare } from "./storage-care.ts";

const cores: Core[] = [];
afterEach(async () => {
  for (const one of cores.splice(0)) await one.close();
});

interface Kept extends Core {
  readonly care: StorageCare;
  readonly media: MeteredMediaStore;
}

const day = 24 * 60 * 60 * 1000;
const never = new AbortController().signal;

async function open(environment: Record<string, string>, mediaFiles = diskFileSystem): Promise<Kept> {
  const core = await openCore({ environment, mediaFiles });
  cores.push(core);
  return keep(core);
}

async function keep(core: Core): Promise<Kept> {
  const media = new MeteredMediaStore(core.context.media);
  await media.count();
  const context: Context = { ...core.context, media };
  return { ...core, context, media, care: new StorageCare(context, media) };
}

/** A done task with a result of so many bytes; a second later than the one before. */
async function done(on: Kept, bytes: number): Promise<string> {
  on.clock.advance(1000);
  const id = await submit(on);
  await finishTask(on.context, id, new Uint8Array(bytes));
  return id;
}

const idsOf = async (on: Core): Promise<string[]> =>
  (await on.context.database.prepareRead("SELECT id FROM tasks ORDER BY sequence").all()).map(({ id }) => String(id));
const auditOf = async (on: Core) =>
  (
    await on.context.database
      .prepareRead(
        "SELECT actor_id, outcome, details FROM audit_events WHERE action = 'remove_old_results' ORDER BY id",
      )
      .all()
  ).map(({ details, ...row }) => ({ ...row, details: JSON.parse(String(details)) as Record<string, unknown> }));

describe("room is looked for before anything is accepted", () => {
  test("what tasks will write is judged alike from the request and from the row", async () => {
    const on = await open({});
    expect(await expectedOfAccepted(on.context.database.prepareRead)).toBe(0);
    const requests = [requestFor(), videoRequest(), requestFor({ width: 1280, height: 512 })];
    const running = await submit(on, requests[0]);
    await claimTask(on.context, running);
    for (const request of requests.slice(1)) await submit(on, request);
    const wanted = requests.reduce((sum, request) => sum + expectedOf(request), 0);
    expect(await expectedOfAccepted(on.context.database.prepareRead)).toBe(wanted);
    expect(expectedOf(videoRequest())).toBeGreaterThan(expectedOf(requestFor()));
  });

  test("a disk without the reserve refuses with the numbers", async () => {
    const on = await open({ MEDIA_RESERVE: "9000TB" });
    const refused = on.care.letTaskIn(requestFor());
    await expect(refused).rejects.toMatchObject({
      code: "storage_unavailable",
      detail: expect.stringMatching(/^The disk has .+ left, and 9000 TB are needed: 9000 TB in reserve/),
      storage: { limit: "disk", limit_bytes: 9e15, free_bytes: expect.any(Number) },
    });
    const state = await on.care.describe();
    expect(state).toMatchObject({ accepting: false, short_of: "disk", reserve_bytes: 9e15 });
    expect(await on.care.shortage()).toMatch(/^The disk has/);
  });

  test("without a reserve and a quota everything is let in", async () => {
    const on = await open({ MEDIA_RESERVE: "0" });
    await on.care.letUploadIn(Number.MAX_SAFE_INTEGER);
    expect(await on.care.describe()).toMatchObject({ accepting: true, short_of: null, next_removal: null });
  });

  test("a full quota refuses, counting on what was let in a moment ago", async () => {
    const on = await open({ MEDIA_QUOTA: "2.9MB", MEDIA_RESERVE: "0" });
    const size = expectedOf(requestFor());
    await done(on, 900_000);
    await on.care.letTaskIn(requestFor());
    await expect(on.care.letTaskIn(requestFor())).rejects.toMatchObject({
      code: "storage_unavailable",
      storage: { limit: "quota", limit_bytes: 2_900_000, free_bytes: 2_000_000, needed_bytes: 2 * size },
    });
    // The look is made anew after a second: the task that was let in was never made.
    on.clock.advance(1000);
    await on.care.letTaskIn(requestFor());
  });
});

describe("what is old is removed by itself", () => {
  test("by its age: failures too, favourites and what has not ended never", async () => {
    const on = await open({ MEDIA_RETENTION_DAYS: "7" });
    const old = [await done(on, 10), await done(on, 20)];
    const failed = await submit(on);
    await failTask(on.context, failed);
    const marked = await done(on, 30);
    await setFavourite(on.context, marked, true);
    const running = await submit(on);
    await claimTask(on.context, running);
    on.clock.advance(6 * day);
    const young = await done(on, 40);
    const heard: PublishedEvent[] = [];
    on.context.hub.subscribe((event) => void heard.push(event));
    expect(await on.care.remove(never)).toBe(0);
    expect((await on.care.describe()).next_removal).toMatchObject({ reason: "age", task_id: old[0] });
    on.clock.advance(1.5 * day);
    expect(await on.care.remove(never)).toBe(3);
    expect(await idsOf(on)).toEqual([marked, running, young]);
    expect(
      heard
        .filter(({ type }) => type === "task.deleted")
        .map(({ taskId }) => taskId)
        .sort(),
    ).toEqual([...old, failed].sort());
    expect(await auditOf(on)).toEqual([
      {
        actor_id: "system",
        outcome: "success",
        details: { reason: "age", tasks: 3, bytes: 30, task_ids: expect.arrayContaining([...old, failed]) },
      },
    ]);
    expect(await on.care.describe()).toMatchObject({
      media_files: 2,
      favourites: { tasks: 1, bytes: 30 },
      last_removal: { reason: "age", tasks: 3, bytes: 30 },
      next_removal: { reason: "age", task_id: young },
    });
  });

  test("over the quota: the oldest first, as many as it takes, favourites never", async () => {
    const on = await open({ MEDIA_QUOTA: "1MB", MEDIA_OVER_QUOTA: "remove", MEDIA_RESERVE: "0" });
    const marked = await done(on, 300_000);
    await setFavourite(on.context, marked, true);
    const [first, second, third] = [await done(on, 300_000), await done(on, 300_000), await done(on, 90_000)];
    expect(await on.care.remove(never)).toBe(0);
    // Full, and still accepting: the oldest will make room.
    await on.care.letTaskIn(requestFor());
    expect((await on.care.describe()).next_removal).toEqual({ reason: "quota", at: null, task_id: first });
    const newest = await done(on, 200_000);
    expect(await on.care.remove(never)).toBe(1);
    expect(await idsOf(on)).toEqual([marked, second, third, newest]);
    await setFavourite(on.context, second, true);
    await done(on, 900_000);
    expect(await on.care.remove(never)).toBe(3);
    expect(await idsOf(on)).toEqual([marked, second]);
    expect(on.media.usage()).toEqual({ bytes: 600_000, files: 2 });
    on.clock.advance(1000);
    await expect(on.care.letTaskIn(requestFor())).rejects.toMatchObject({ storage: { limit: "quota" } });
  });

  test("a result that goes over the quota starts it; the stop waits for the portion under way", async () => {
    const on = await open({ MEDIA_QUOTA: "1MB", MEDIA_OVER_QUOTA: "remove" });
    const stop = on.care.start();
    const first = await done(on, 900_000);
    const second = await done(on, 900_000);
    await stop();
    expect(await idsOf(on)).not.toContain(first);
    const third = await done(on, 900_000);
    expect(await idsOf(on)).toEqual([second, third]);
  });

  test("a picture that a task which runs was made from stays", async () => {
    const on = await open({ MEDIA_RETENTION_DAYS: "1" });
    const { upload } = await storeUpload(on.context, await picture("png"), "image/png");
    const request = requestFor({ mode: "img2img", reference_image: upload.id });
    const old = await submit(on, request);
    await finishTask(on.context, old, new Uint8Array(10));
    on.clock.advance(2 * day);
    const running = await submit(on, request);
    await claimTask(on.context, running);
    expect(await on.care.remove(never)).toBe(1);
    expect(await namesIn(on.context.media.list("uploads/"))).toEqual([uploadName(upload)]);
  });

  test("a disk that gives nothing back does not cost the whole library", async () => {
    const unlink = () => Promise.reject(Object.assign(new Error("made to fail"), { code: "EIO" }));
    const on = await open({ MEDIA_QUOTA: "1MB", MEDIA_OVER_QUOTA: "remove" }, { ...diskFileSystem, unlink });
    for (let count = 0; count < 6; count += 1) await done(on, 300_000);
    expect(await on.care.remove(never)).toBe(3);
    expect(await idsOf(on)).toHaveLength(3);
  });

  test("a process that dies after any write leaves whole tasks, and no file that the next start keeps", async () => {
    const seen: string[] = [];
    for (let writes = 0; writes <= 3; writes += 1) {
      const on = await open({ MEDIA_RETENTION_DAYS: "1" });
      cores.pop();
      await Promise.all(Array.from({ length: 25 }, () => done(on, 10)));
      on.clock.advance(2 * day);
      on.die(writes);
      await Promise.race([on.care.remove(never), on.dead]);
      const again = await on.reopen();
      cores.push(again);
      await sweep(again.context);
      const left = (await idsOf(again)).length;
      expect(await namesIn(again.context.media.list("results/"))).toHaveLength(left);
      expect((await auditOf(again)).reduce((sum, { details }) => sum + Number(details.tasks), 0)).toBe(25 - left);
      seen.push(String(left));
    }
    expect(seen).toEqual(["25", "5", "5", "0"]);
  });
});
