// Cancel and the list of tasks.
import type { Status, TasksPage } from "@safelight/contract";
import { must, mustRefuse, type Probe, shapeOf } from "./probe.ts";
import { smallWork, submit, waitForEnd } from "./work.ts";

/** A long task is cancelled while it waits or runs; before that it has no result yet, afterwards it never will. */
export async function checkCancel(probe: Probe): Promise<string> {
  const { task_id: id } = await submit(probe, await smallWork(probe, "video", true));
  const early = await probe.ask("getResult", { path: { id } });
  mustRefuse(early, 425, "task_not_ready");
  must(Number(early.headers.get("retry-after")) > 0, "a result that is not ready does not say when to come back");
  const began = performance.now();
  shapeOf<Status>("cancelTask", await probe.ask("cancelTask", { path: { id } }), 200);
  const { last } = await waitForEnd(probe, id);
  must(last.status === "failed", `the cancelled task ended ${last.status}`);
  must(last.error?.code === "cancelled", `the cancelled task ended with ${last.error?.code}`);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const again = shapeOf<Status>("cancelTask", await probe.ask("cancelTask", { path: { id } }), 200);
  must(again.finished_at === last.finished_at, "cancelling an ended task changed it");
  mustRefuse(await probe.ask("getResult", { path: { id } }), 409, "task_failed");
  return `ended after ${seconds} s`;
}

/** Two tasks show up newest first, page by page, and by filter. */
export async function checkTasks(probe: Probe): Promise<string> {
  const work = await smallWork(probe, "image");
  const older = await submit(probe, work);
  const newer = await submit(probe, work);
  for (const { task_id: id } of [older, newer]) await probe.ask("cancelTask", { path: { id } });
  const list = async (search: string) => shapeOf<TasksPage>("listTasks", await probe.ask("listTasks", { search }), 200);
  const places = async (search: string) => {
    const ids = (await list(search)).items.map((item) => item.id);
    return [ids.indexOf(newer.task_id), ids.indexOf(older.task_id)] as const;
  };
  const [first, second] = await places("?per_page=100");
  must(first >= 0 && second >= 0, "GET /tasks does not list a task that was just submitted");
  must(first < second, "GET /tasks is not newest first");
  const [listed] = await places(`?per_page=100&model=${String(work.model)}&type=image`);
  must(listed >= 0, "GET /tasks loses a task by a filter that fits it");
  const [filtered] = await places("?per_page=100&type=video");
  must(filtered < 0, "GET /tasks shows a picture among the videos");
  const top = await list("?per_page=1");
  must(top.items.length === 1 && top.has_more && top.next_cursor !== null, "GET /tasks?per_page=1 has no next page");
  const next = await list(`?per_page=1&cursor=${encodeURIComponent(top.next_cursor)}`);
  must(next.items.length === 1 && next.items[0]?.id !== top.items[0]?.id, "the cursor of GET /tasks leads nowhere new");
  mustRefuse(await probe.ask("listTasks", { search: "?per_page=1000" }), 422, "validation_failed");
  return `${top.total}${top.total_is_exact ? "" : " or more"} listed`;
}
