import { afterEach, beforeEach, expect, test } from "vitest";
import { Seats } from "../dispatch/seats.ts";
import { fixedExecutors } from "../executors/executor-set.ts";
import { ScriptedExecutor } from "../executors/scripted.ts";
import { type Core, openCore, requestFor, submit, taskOf, videoRequest } from "../testing/core.ts";
import { HeldDatabase } from "../testing/held-database.ts";
import { announceQueue } from "./announce-queue.ts";
import { describeTask } from "./describe.ts";
import { openEventStream } from "./event-stream.ts";

let core: Core;
let database: HeldDatabase;
let asked: string[];

beforeEach(async () => {
  const opened = await openCore();
  database = new HeldDatabase(opened.context.database);
  core = { ...opened, context: { ...opened.context, database } };
  asked = [];
  database.onRead = (sql) => void asked.push(sql);
  const seats = new Seats(core.context, fixedExecutors([new ScriptedExecutor()]));
  core.context.waiting.use((prepare, task) => seats.explainWaiting(prepare, task));
});
afterEach(() => core.close());

/** Tasks of several kinds and credentials that wait, one of them in front, and a few that are done and tell how long such take. */
async function fill(): Promise<string[]> {
  const ids: string[] = [];
  const credentials = ["one", "two", "three"];
  for (let task = 0; task < 30; task += 1) {
    const as = {
      ...core,
      context: { ...core.context, actor: { type: "client" as const, id: credentials[task % 3] ?? "" } },
    };
    ids.push(
      await submit(as, task % 4 === 0 ? videoRequest() : requestFor({ model: task % 2 === 0 ? "flux" : "pony" })),
    );
  }
  await database.write(async (tx) => {
    await tx.prepare("UPDATE tasks SET front = 1 WHERE id = ?").run(ids.pop() ?? "");
    await tx
      .prepare(
        "UPDATE tasks SET status = 'done', result_path = id, leased_ms = 1000 * sequence, finished_at = sequence WHERE sequence <= 6",
      )
      .run();
  });
  return ids.slice(6);
}

test("places, times and reasons are those that each task is described with, and are not asked for one by one", async () => {
  await fill();
  const told = new Map<string, unknown>();
  core.context.hub.subscribe(({ taskId, data }) => told.set(taskId, JSON.parse(data)));
  asked = [];
  await announceQueue(core.context);
  const statements = asked.length;
  expect(told.size).toBe(20);
  for (const [id, status] of told) expect(status).toEqual(await describeTask(core.context, await taskOf(core, id)));
  expect(
    [...told.values()].filter((status) => (status as { eta_seconds: number | null }).eta_seconds !== null),
  ).toHaveLength(20);
  expect(statements).toBeLessThan(25);
});

test("the snapshot of a stream tells the same, with as few questions", async () => {
  const ids = await fill();
  const stop = new AbortController();
  asked = [];
  const stream = openEventStream(core.context, { signal: stop.signal });
  const told = new Map<string, unknown>();
  while (told.size < ids.length + 1) {
    const { value } = await stream.next();
    if (value === undefined) throw new Error("the stream ended");
    const status = JSON.parse(value.data) as { task_id: string };
    told.set(status.task_id, status);
  }
  const statements = asked.length;
  stop.abort();
  for (const [id, status] of told) expect(status).toEqual(await describeTask(core.context, await taskOf(core, id)));
  expect(statements).toBeLessThan(25);
});
