import { GalleryPage, TaskItem } from "@safelight/contract";
import { Ajv } from "ajv";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { picture } from "../testing/pictures.ts";
import { claimTask, failTask, finishTask, showPreview } from "../testing/stored-tasks.ts";

const ajv = new Ajv({ strict: false, validateFormats: false });
let edge: Edge;
beforeEach(async () => {
  edge = await openEdge();
});
afterEach(() => edge.close());

async function newTask(prompt = "a red boat", key?: string): Promise<string> {
  const headers = key === undefined ? {} : { "idempotency-key": key };
  const payload = { model: "pony", prompt, width: 512, height: 512 };
  return (await edge.inject({ method: "POST", url: "/generate", payload, headers })).json<{ task_id: string }>()
    .task_id;
}

async function doneTask(prompt?: string, key?: string): Promise<string> {
  const id = await newTask(prompt, key);
  await finishTask(edge.context, id, await picture("png", { width: 1200, height: 800 }));
  return id;
}

const get = (url: string) => edge.inject({ url });
const send = (method: "PUT" | "POST" | "DELETE", url: string, payload?: object) =>
  edge.inject({ method, url, ...(payload === undefined ? {} : { payload }) });

describe("GET /gallery (US2)", () => {
  test("lists done tasks in the contract's shape; one whose file is gone stays and says so (FR-007)", async () => {
    const first = await doneTask("a red boat");
    const second = await doneTask("красная ёлка");
    await newTask("still waiting");
    const page = (await get("/gallery?per_page=1")).json<GalleryPage>();
    expect(ajv.validate(GalleryPage, page), JSON.stringify(ajv.errors)).toBe(true);
    expect(page).toMatchObject({ total: 2, total_is_exact: true, has_more: true, items: [{ id: second }] });
    const next = (await get(`/gallery?per_page=1&cursor=${page.next_cursor}`)).json<GalleryPage>();
    expect(next).toMatchObject({ has_more: false, next_cursor: null, items: [{ id: first, favourite: false }] });
    expect((await get("/gallery?q=ЕЛКА")).json<GalleryPage>().items.map(({ id }) => id)).toEqual([second]);
    await edge.context.media.remove(`results/${first}-1.png`);
    expect((await get("/gallery?q=boat")).json()).toMatchObject({ items: [{ id: first, result_missing: true }] });
    expect((await get(`/results/${first}`)).json()).toMatchObject({ status: 410, code: "result_gone" });
  });

  test.each(["cursor=nonsense", "sort=id", "favourite=maybe", "page=101", "from=yesterday"])(
    "refuses %s by its field",
    async (query) => {
      const refusal = (await get(`/gallery?${query}`)).json();
      expect(refusal).toMatchObject({ code: "validation_failed", errors: [{ field: query.split("=")[0] }] });
    },
  );

  test("one task is read whole in every state", async () => {
    const id = await newTask();
    const item = (await get(`/tasks/${id}`)).json<TaskItem>();
    expect(ajv.validate(TaskItem, item), JSON.stringify(ajv.errors)).toBe(true);
    expect(item).toMatchObject({ id, status: "pending", thumbnail_url: null, result_type: null, frames: null });
    expect((await get("/tasks/0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11")).json()).toMatchObject({ code: "task_not_found" });
  });
});

describe("favourites", () => {
  test("are marked, found, told to listeners and unmarked", async () => {
    const id = await doneTask();
    const heard: string[] = [];
    edge.context.hub.subscribe((event) => heard.push(`${event.type} ${event.data}`));
    expect((await send("PUT", `/gallery/${id}/favourite`, { favourite: true })).json()).toEqual({
      id,
      favourite: true,
    });
    await send("PUT", `/gallery/${id}/favourite`, { favourite: true });
    expect(heard).toEqual([`task.favourite {"task_id":"${id}","favourite":true}`]);
    expect((await get("/gallery?favourite=true")).json()).toMatchObject({ total: 1 });
    expect((await get("/tasks?favourite=true")).json()).toMatchObject({ total: 1, items: [{ favourite: true }] });
    await send("PUT", `/gallery/${id}/favourite`, { favourite: false });
    expect((await get("/gallery?favourite=true")).json()).toMatchObject({ total: 0 });
    expect((await send("PUT", `/gallery/${id}/favourite`, {})).json()).toMatchObject({ code: "validation_failed" });
  });
});

describe("delete (FR-007)", () => {
  test("answers {deleted, id} once, then nothing knows the task; its key replays the first answer", async () => {
    const id = await doneTask("a red boat", "once");
    await get(`/status/${id}`);
    await get(`/status/${id}`);
    expect((await send("DELETE", `/gallery/${id}`)).json()).toEqual({ deleted: true, id });
    for (const url of [
      `/status/${id}`,
      `/tasks/${id}`,
      `/results/${id}`,
      `/preview/${id}?thumbnail=1`,
      `/events/${id}`,
    ])
      expect((await get(url)).json()).toMatchObject({ status: 404, code: "task_not_found" });
    expect((await send("DELETE", `/gallery/${id}`)).json()).toMatchObject({ code: "task_not_found" });
    expect(await newTask("a red boat", "once")).toBe(id);
  });

  test("refuses what has not ended and takes what failed", async () => {
    const id = await newTask();
    expect((await send("DELETE", `/gallery/${id}`)).json()).toMatchObject({ status: 409, code: "task_not_ended" });
    await claimTask(edge.context, id);
    await failTask(edge.context, id);
    expect((await send("DELETE", `/gallery/${id}`)).statusCode).toBe(200);
  });

  test("of many by ids or by filters, never both and never neither", async () => {
    const ids = [await doneTask("a red boat"), await doneTask("a green hill"), await newTask()];
    const by = (body: object) => send("POST", "/gallery/delete", body);
    for (const body of [
      {},
      { ids, all: true },
      { all: false },
      { ids: [] },
      { ids, extra: 1 },
      { all: true, filters: { from: "x" } },
    ])
      expect((await by(body)).json()).toMatchObject({ status: 422, code: "validation_failed" });
    expect((await by({ all: true, filters: { q: "boat" } })).json()).toEqual({ deleted: [ids[0]], failed: [] });
    expect((await by({ ids })).json()).toEqual({
      deleted: [ids[1]],
      failed: [
        { id: ids[0], code: "task_not_found" },
        { id: ids[2], code: "task_not_ended" },
      ],
    });
  });
});

describe("thumbnails", () => {
  test("are small stills made once, kept by caches, and gone with the task", async () => {
    const id = await doneTask();
    const { thumbnail_url } = (await get(`/tasks/${id}`)).json<TaskItem>();
    const answers = await Promise.all(Array.from({ length: 4 }, () => get(thumbnail_url ?? "")));
    for (const answer of answers) {
      expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "image/webp"]);
      expect(answer.headers["cache-control"]).toBe("private, max-age=86400");
      expect(await sharp(answer.rawPayload).metadata()).toMatchObject({ width: 512, height: 341 });
    }
    await edge.context.media.remove(`results/${id}-1.png`);
    expect((await get(thumbnail_url ?? "")).statusCode).toBe(200);
  });

  test("come from the last preview where the file is gone, and are refused in words otherwise", async () => {
    const id = await newTask();
    expect((await get(`/preview/${id}?thumbnail=1`)).json()).toMatchObject({ code: "task_not_ready" });
    await showPreview(edge.context, id, 1, await picture("webp"));
    await finishTask(edge.context, id, Buffer.from("no picture"));
    expect((await get(`/preview/${id}?thumbnail=1`)).statusCode).toBe(200);
    const bare = await newTask();
    await finishTask(edge.context, bare, Buffer.from("no picture"));
    expect((await get(`/preview/${bare}?thumbnail=1`)).json()).toMatchObject({ status: 404, code: "not_found" });
  });
});

/** Names in the central directory, in its order. */
function namesInZip(bytes: Buffer): string[] {
  const names: string[] = [];
  const mark = Buffer.from("504b0102", "hex");
  for (let at = bytes.indexOf(mark); at !== -1; at = bytes.indexOf(mark, at + 4)) {
    names.push(bytes.subarray(at + 46, at + 46 + bytes.readUInt16LE(at + 28)).toString("utf8"));
  }
  return names;
}

describe("export", () => {
  test("is a zip of files with their recipes, and names what is missing", async () => {
    const ids = [await doneTask("a red boat"), await doneTask("../a\\b: c"), await newTask(), await doneTask("gone")];
    await edge.context.media.remove(`results/${ids[3]}-1.png`);
    const answer = await send("POST", "/gallery/export", { ids });
    expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "application/zip"]);
    expect(answer.headers["content-disposition"]).toMatch(/^attachment; filename="safelight-[-\d]+\.zip"$/);
    const text = answer.rawPayload.toString("latin1");
    const names = namesInZip(answer.rawPayload);
    const end = (index: number) => ids[index]?.slice(-8);
    expect(names).toEqual([
      `a-red-boat-${end(0)}.png`,
      `a-red-boat-${end(0)}.json`,
      `a-b-c-${end(1)}.png`,
      `a-b-c-${end(1)}.json`,
      "missing.json",
    ]);
    expect(text).toContain(`"code": "task_not_ended"`);
    expect(text).toContain(`"code": "result_gone"`);
  });

  test("is started by an HTML form, which no other route takes", async () => {
    await doneTask();
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const form = (url: string, selection: string) =>
      edge.inject({ method: "POST", url, headers, payload: new URLSearchParams({ selection }).toString() });
    const answer = await form("/gallery/export", '{"all":true}');
    expect(answer.rawPayload.subarray(0, 2).toString()).toBe("PK");
    expect((await form("/gallery/export", "{")).json()).toMatchObject({ code: "malformed_json" });
    expect((await form("/gallery/delete", '{"all":true}')).json()).toMatchObject({ code: "unsupported_media_type" });
  });
});
