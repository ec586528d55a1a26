// Finding, marking, exporting and deleting what was made.
import type { Favourite, GalleryPage, TaskDeleted, TaskItem, TasksDeleted } from "@safelight/contract";
import { must, mustAnswer, mustHaveType, mustRefuse, type Probe, shapeOf } from "./probe.ts";
import { smallWork, submit, waitForResult } from "./work.ts";

const nobody = "00000000-0000-7000-8000-000000000000";

/** A result appears at the top, by filter and by a word of its prompt, and can be read alone, with a small picture. */
export async function checkGallery(probe: Probe): Promise<string> {
  const id = await makeOne(probe);
  const item = await readTask(probe, id);
  must(item.id === id && item.status === "done", "GET /tasks/{id} does not answer the task that was just done");
  const page = await list(probe, "?per_page=5");
  const found = page.items.find((one) => one.id === id);
  must(found !== undefined, "GET /gallery does not show what was just made");
  must(
    !found.result_missing && found.seed === item.seed,
    "GET /gallery says other things of a task than GET /tasks/{id}",
  );
  must(
    await shows(probe, id, `&type=${item.type}&model=${item.model}`),
    "GET /gallery loses a task by a filter that fits it",
  );
  must(!(await shows(probe, id, "&type=video")), "GET /gallery shows a picture among the videos");
  must(await shows(probe, id, "&q=boat"), "GET /gallery does not find a word of the prompt");
  must(!(await shows(probe, id, "&q=zeppelin")), "GET /gallery finds a word that is not in the prompt");
  mustRefuse(await probe.ask("listGallery", { search: "?cursor=nonsense" }), 422, "validation_failed");
  const thumbnail = await probe.ask("getPreview", { path: { id }, search: "?thumbnail=1" });
  mustAnswer(thumbnail, 200);
  mustHaveType(thumbnail, "image/webp");
  await remove(probe, id);
  return `${page.total}${page.total_is_exact ? "" : " or more"} results`;
}

export async function checkFavourites(probe: Probe): Promise<string> {
  const id = await makeOne(probe);
  const mark = async (favourite: boolean) => {
    const answer = await probe.ask("setFavourite", { path: { id }, body: { favourite } });
    const marked = shapeOf<Favourite>("setFavourite", answer, 200);
    must(marked.favourite === favourite, "PUT /gallery/{id}/favourite answers the opposite of what was asked");
  };
  await mark(true);
  must(await shows(probe, id, "&favourite=true"), "a task that was marked is not among the favourites");
  await mark(false);
  must(!(await shows(probe, id, "&favourite=true")), "a task that is not marked any more is among the favourites");
  mustRefuse(
    await probe.ask("setFavourite", { path: { id: nobody }, body: { favourite: true } }),
    404,
    "task_not_found",
  );
  await remove(probe, id);
  return "marked, found, unmarked";
}

export async function checkExport(probe: Probe): Promise<string> {
  const id = await makeOne(probe);
  const answer = await probe.ask("exportTasks", { body: { ids: [id, nobody] } });
  mustAnswer(answer, 200);
  mustHaveType(answer, "application/zip");
  const disposition = answer.headers.get("content-disposition") ?? "";
  must(disposition.startsWith("attachment"), "POST /gallery/export is not an attachment");
  const text = Buffer.from(answer.bytes).toString("latin1");
  must(text.startsWith("PK"), "POST /gallery/export answered no zip");
  must(text.includes(`${id.slice(-8)}.json`), "the zip has no recipe of the task");
  must(text.includes("missing.json") && text.includes(nobody), "the zip does not name what is missing");
  await remove(probe, id);
  return `${Math.ceil(answer.bytes.length / 1000)} kB`;
}

/** A deleted task is gone everywhere; a second delete and one of a running task are refused. */
export async function checkDelete(probe: Probe): Promise<string> {
  const { task_id: running } = await submit(probe, await smallWork(probe, "video", true));
  mustRefuse(await probe.ask("deleteTask", { path: { id: running } }), 409, "task_not_ended");
  await probe.ask("cancelTask", { path: { id: running } });
  const id = await makeOne(probe);
  await remove(probe, id);
  for (const name of ["getStatus", "getTask", "getResult", "getPreview", "deleteTask"] as const) {
    mustRefuse(await probe.ask(name, { path: { id } }), 404, "task_not_found");
  }
  must(!(await shows(probe, id, "")), "GET /gallery shows a deleted task");
  const many = await makeOne(probe);
  const answer = await probe.ask("deleteTasks", { body: { ids: [many, nobody] } });
  const { deleted, failed } = shapeOf<TasksDeleted>("deleteTasks", answer, 200);
  must(deleted.length === 1 && deleted[0] === many, "POST /gallery/delete does not name what it has deleted");
  must(
    failed.length === 1 && failed[0]?.code === "task_not_found",
    "POST /gallery/delete does not say what it cannot delete",
  );
  return "gone everywhere";
}

async function makeOne(probe: Probe): Promise<string> {
  const { task_id: id } = await submit(probe, await smallWork(probe, "image"));
  await waitForResult(probe, id);
  return id;
}

async function readTask(probe: Probe, id: string): Promise<TaskItem> {
  return shapeOf<TaskItem>("getTask", await probe.ask("getTask", { path: { id } }), 200);
}

async function list(probe: Probe, search: string): Promise<GalleryPage> {
  const page = shapeOf<GalleryPage>("listGallery", await probe.ask("listGallery", { search }), 200);
  must(page.has_more === (page.next_cursor !== null), "GET /gallery has more and no cursor, or a cursor and no more");
  return page;
}

async function shows(probe: Probe, id: string, filters: string): Promise<boolean> {
  return (await list(probe, `?per_page=50${filters}`)).items.some((item) => item.id === id);
}

async function remove(probe: Probe, id: string): Promise<void> {
  const answer = shapeOf<TaskDeleted>("deleteTask", await probe.ask("deleteTask", { path: { id } }), 200);
  must(answer.id === id, "DELETE /gallery/{id} answers another id");
}
