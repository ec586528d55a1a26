// The queue in the hands of an operator, and the figures that tell how an installation does.
import type { AdminTasksPage, QueueState, Statistics, Status, Storage, TaskFront } from "@safelight/contract";
import type { Operator } from "./operator.ts";
import type { Part } from "./part.ts";
import { must, mustAnswer, mustHaveType, mustRefuse, type Probe, shapeOf, textOf } from "./probe.ts";
import { smallWork, submit, waitForResult } from "./work.ts";

export const operationsParts: readonly Part[] = [
  {
    name: "queue",
    routes: ["getQueue", "pauseQueue", "resumeQueue", "frontTask"],
    check: async ({ probe, operator }) => checkQueue(probe, await operator()),
  },
  {
    name: "statistics",
    routes: ["getStatistics"],
    check: async ({ probe, operator }) => checkStatistics(probe, await operator()),
  },
  {
    name: "storage",
    routes: ["getStorage"],
    check: async ({ probe, operator }) => checkStorage(probe, await operator()),
  },
  {
    name: "metrics",
    routes: ["getMetrics"],
    check: async ({ probe, operator }) => checkMetrics(probe, await operator()),
  },
];

/** How old figures may be, in milliseconds. */
const settled = 10_000;
/** How long a task is watched that must not start, in milliseconds. */
const watched = 1000;

/** While the queue is paused a task is taken and waits; put to the front it goes first. Whatever happens, it is resumed. */
async function checkQueue(probe: Probe, operator: Operator): Promise<string> {
  const ask = async (name: "getQueue" | "pauseQueue" | "resumeQueue") =>
    shapeOf<QueueState>(name, await operator.ask(name), 200);
  must(!(await ask("getQueue")).paused, "the queue is paused: nothing is made until an operator resumes it");
  let id: string | undefined;
  try {
    const paused = await ask("pauseQueue");
    must(paused.paused && paused.paused_at !== null && paused.paused_by !== null, "a paused queue does not say so");
    id = (await submit(probe, await smallWork(probe, "image"))).task_id;
    await new Promise((resolve) => setTimeout(resolve, watched));
    must((await readStatus(probe, id)).status === "pending", "a task was started while the queue was paused");
    const place = await checkFront(probe, operator, id);
    must((await ask("getQueue")).pending >= 1, "GET /admin/queue does not count a task that waits");
    must(!(await ask("resumeQueue")).paused, "the queue is still paused after it was resumed");
    await waitForResult(probe, id);
    return `paused and resumed, place ${place} at the front`;
  } finally {
    await operator.ask("resumeQueue").catch(() => undefined);
    if (id !== undefined) await probe.ask("cancelTask", { path: { id } }).catch(() => undefined);
  }
}

async function checkFront(probe: Probe, operator: Operator, id: string): Promise<number | null> {
  const put = async (front: boolean) => {
    const answer = await operator.ask("frontTask", { path: { id }, body: { front } });
    const marked = shapeOf<TaskFront>("frontTask", answer, 200);
    must(marked.front === front, "POST /admin/tasks/{id}/front answers the opposite of what was asked");
  };
  await put(true);
  const search = "?status=pending&per_page=100";
  const { items } = shapeOf<AdminTasksPage>("listAllTasks", await operator.ask("listAllTasks", { search }), 200);
  must(items.find((task) => task.id === id)?.front === true, "GET /admin/tasks does not mark a task at the front");
  const { queue_position: place } = await readStatus(probe, id);
  const inFront = items.filter(({ front }) => front).length;
  must(place !== null && place <= inFront, `a task at the front has the place ${place}`);
  const nobody = { id: "00000000-0000-7000-8000-000000000000" };
  const unknown = await operator.ask("frontTask", { path: nobody, body: { front: true } });
  mustRefuse(unknown, 404, "task_not_found");
  return place;
}

async function readStatus(probe: Probe, id: string): Promise<Status> {
  return shapeOf<Status>("getStatus", await probe.ask("getStatus", { path: { id } }), 200);
}

async function checkStatistics(probe: Probe, operator: Operator): Promise<string> {
  const read = async (search = "?hours=1") =>
    shapeOf<Statistics>("getStatistics", await operator.ask("getStatistics", { search }), 200);
  const done = ({ buckets }: Statistics) => buckets.reduce((sum, bucket) => sum + bucket.done, 0);
  const before = await read("?hours=2");
  await makeOne(probe);
  // Figures of a large installation may be some seconds old.
  let after = await read("?hours=2");
  for (const end = performance.now() + settled; done(after) <= done(before); after = await read("?hours=2")) {
    must(performance.now() < end, "GET /admin/statistics does not count a task that was just done");
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  must(after.by_executor.length > 0, "GET /admin/statistics does not say where tasks ran");
  must(after.storage.media_bytes > 0, "GET /admin/statistics finds no media where a picture was just made");
  const hour = await read();
  must(hour.buckets.length <= 300, `GET /admin/statistics has ${hour.buckets.length} buckets`);
  for (const [index, { at }] of hour.buckets.entries()) {
    const expected = Date.parse(hour.from) + index * hour.step_seconds * 1000;
    must(Date.parse(at) === expected, `the buckets of GET /admin/statistics have a gap at ${at}`);
  }
  mustRefuse(await operator.ask("getStatistics", { search: "?hours=1000" }), 422, "validation_failed");
  return `${done(after)} done in two hours`;
}

/** What an operator is told of the disk agrees with itself, and with what was just stored. */
async function checkStorage(probe: Probe, operator: Operator): Promise<string> {
  mustRefuse(await probe.ask("getStorage"), 401, "session_required");
  await makeOne(probe);
  const found = shapeOf<Storage>("getStorage", await operator.ask("getStorage"), 200);
  must(found.accepting, `no task is accepted: there is too little room (${String(found.short_of)})`);
  must(found.short_of === null, "GET /admin/storage accepts tasks and says what keeps them out");
  must(
    found.media_bytes > 0 && found.media_files > 0,
    "GET /admin/storage finds no media where a picture was just made",
  );
  const { needed_bytes: needed, reserve_bytes: reserve, expected_bytes: expected } = found;
  must(needed === reserve + expected, "GET /admin/storage adds up wrong what must be free");
  const isEnough = reserve === 0 || found.free_bytes === null || found.free_bytes >= needed;
  must(isEnough, "GET /admin/storage accepts tasks without the room that it says they need");
  const keeps = found.retention_days === null && (found.quota_bytes === null || found.over_quota === "refuse");
  must(!keeps || found.next_removal === null, "GET /admin/storage will remove something that nobody wants removed");
  return `${found.media_files} files, ${keeps ? "nothing is removed by itself" : "old results are removed"}`;
}

async function checkMetrics(probe: Probe, operator: Operator): Promise<string> {
  mustRefuse(await probe.ask("getMetrics", { as: "none" }), 401, "session_required");
  const wrong = { authorization: "Bearer no-token-of-this-installation" };
  mustRefuse(await probe.ask("getMetrics", { as: "none", headers: wrong }), 401, "invalid_api_key");
  const read = async () => {
    const answer = await operator.ask("getMetrics");
    mustAnswer(answer, 200);
    mustHaveType(answer, "text/plain");
    return textOf(answer);
  };
  const sumOf = (series: RegExp, text: string) =>
    [...text.matchAll(series)].reduce((sum, [, value]) => sum + Number(value), 0);
  const total = (text: string) => sumOf(/^safelight_tasks_total\{[^}]*outcome="done"[^}]*\} (\d+)$/gm, text);
  const before = total(await read());
  const id = await makeOne(probe);
  const text = await read();
  // Each of several gateways counts what it has ended itself, and any of them may have answered.
  const gateways = sumOf(/^safelight_gateways\{[^}]*\} (\d+)$/gm, text);
  const ofTasks = gateways > 1 ? [] : ["task_wait_seconds_bucket", "task_run_seconds_bucket"];
  must(gateways > 1 || total(text) > before, "GET /admin/metrics does not count a task that was just done");
  const names = ["queue_tasks", "storage_bytes", "build_info", "http_request_duration_seconds_bucket"];
  for (const name of [...names, ...ofTasks]) {
    must(new RegExp(`^safelight_${name}\\{`, "m").test(text), `GET /admin/metrics has no safelight_${name}`);
  }
  must(!text.includes(id), "GET /admin/metrics has a series for one task");
  const series = text.split("\n").filter((line) => line !== "" && !line.startsWith("#")).length;
  return `${series} series${gateways > 1 ? `, of one of ${gateways} gateways` : ""}`;
}

async function makeOne(probe: Probe): Promise<string> {
  const { task_id: id } = await submit(probe, await smallWork(probe, "image"));
  await waitForResult(probe, id);
  return id;
}
