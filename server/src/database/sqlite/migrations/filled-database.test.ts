// A database that was in use under each earlier schema, opened by this one: nothing is lost, and all of it is found.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { countTasks, findTasks } from "../../../tasks/find.ts";
import type { Database } from "../../database.ts";
import { openDatabase } from "../../open.ts";
import { migrations } from "./all.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-schema-"));
});
afterEach(() => rm(folder, { recursive: true }));

const start = Date.UTC(2026, 0, 1);
const prompts = ["a red boat", "ЁЛКА у моря", "a lighthouse at night"];
const statuses = ["done", "done", "failed", "pending", "processing"] as const;
const count = 60;
/** The clock was set back by an hour in the middle. */
const timeOf = (index: number): number => start + index * 1000 - (index >= 30 ? 3_600_000 : 0);

/** By columns that version 0.1.0 has. */
async function fill(database: Database): Promise<void> {
  await database.write(async (tx) => {
    const task = tx.prepare(
      `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, result_path, error_code,
         error_msg, created_at, updated_at, finished_at)
       VALUES (?, ?, ?, ?, ?, '{"steps":20}', ?, '1', ?, 'queued', ?, ?, ?, ?, 0, ?)`,
    );
    for (let index = 0; index < count; index += 1) {
      const status = statuses[index % statuses.length] ?? "done";
      const isVideo = index % 10 === 0;
      const time = timeOf(index);
      const kind = isVideo ? ["anisora", "video", "i2v"] : ["pony", "image", index % 3 === 0 ? "img2img" : "txt2img"];
      const result = status === "done" ? `results/task-${index}-1.png` : null;
      const [code, text] = status === "failed" ? ["out_of_memory", "too large"] : [null, null];
      const end = status === "done" || status === "failed" ? time : null;
      await task.run(`task-${index}`, ...kind, prompts[index % 3] ?? "", index, status, result, code, text, time, end);
      await tx.prepare("INSERT INTO uploads VALUES (?, 'image/png', 3, 1, 1, ?, ?)").run(`upload-${index}`, time, time);
      await tx
        .prepare("INSERT INTO task_references VALUES (?, 'reference_image', 0, ?)")
        .run(`task-${index}`, `upload-${index}`);
      await tx
        .prepare("INSERT INTO events (task_id, type, data, created_at) VALUES (?, 'task.updated', '{}', ?)")
        .run(`task-${index}`, time);
    }
  });
}

describe("a filled database of an earlier schema", () => {
  test.each(migrations.slice(0, -1).map(({ number, name }) => ({ number, name })))(
    "step $number, $name: gallery, history and search find every task of it",
    async ({ number }) => {
      const file = join(folder, "safelight.sqlite");
      const old = await openDatabase({ file, migrations: migrations.slice(0, number) });
      // Columns by place are those of the first schema: later ones only added to these tables.
      if (number === 1) await fill(old);
      await old.close();
      if (number > 1) {
        const first = join(folder, "first.sqlite");
        const original = await openDatabase({ file: first, migrations: migrations.slice(0, 1) });
        await fill(original);
        await original.close();
        await (await openDatabase({ file: first, migrations: migrations.slice(0, number) })).close();
      }
      const database = await openDatabase({ file: number === 1 ? file : join(folder, "first.sqlite") });
      await expectEverything(database);
      await expectKeptUp(database);
      await database.close();
    },
  );
});

const indices = Array.from({ length: count }, (_, index) => index);
const ids = (which: (index: number) => boolean): string[] => indices.filter(which).map((index) => `task-${index}`);
const isDone = (index: number): boolean => statuses[index % statuses.length] === "done";

async function expectEverything(database: Database): Promise<void> {
  const context = { database };
  const found = async (query: Parameters<typeof findTasks>[1]) => {
    const { tasks } = await findTasks(context, { ...query, perPage: 100 });
    expect(await countTasks(context, query)).toEqual({ total: tasks.length, isExact: true });
    return tasks.map(({ id }) => id);
  };
  const all = await found({});
  expect(all.toSorted()).toEqual(ids(() => true).toSorted());
  const times = all.map((id) => timeOf(Number(id.slice(5))));
  expect(times).toEqual(times.toSorted((one, other) => other - one));
  expect((await found({ status: "done" })).toSorted()).toEqual(ids(isDone).toSorted());
  for (const [word, prompt] of [
    ["red bo", 0],
    ["елка", 1],
    ["ёлка МОР", 1],
    ["lighthouse", 2],
  ] as const) {
    const has = (index: number) => index % 3 === prompt;
    expect([word, await found({ q: word })]).toEqual([word, ids(has).reverse()]);
    expect(await found({ q: word, status: "done" })).toEqual(ids((index) => has(index) && isDone(index)).reverse());
    expect(await found({ q: word, status: "failed" })).toEqual(ids((index) => has(index) && index % 5 === 2).reverse());
    expect(await found({ q: word, status: "done", type: "video" })).toEqual(
      ids((index) => has(index) && isDone(index) && index % 10 === 0).reverse(),
    );
  }
  const to = start + 10_000;
  expect(await found({ q: "red", to })).toEqual(ids((index) => index % 3 === 0 && timeOf(index) <= to).reverse());
  const rows = async (table: string) =>
    Number((await database.prepareRead(`SELECT count(*) AS n FROM ${table}`).get())?.n);
  expect([await rows("uploads"), await rows("task_references"), await rows("events")]).toEqual([count, count, count]);
  expect(await rows("queue_size WHERE waiting = 12")).toBe(1);
}

/** From here on it is a database like any other. */
async function expectKeptUp(database: Database): Promise<void> {
  await database.write(async (tx) => {
    await tx
      .prepare("UPDATE tasks SET status = 'done', result_path = 'results/x', finished_at = 1 WHERE id = 'task-3'")
      .run();
    await tx.prepare("UPDATE tasks SET favourite = 1 WHERE id = 'task-0'").run();
    await tx.prepare("DELETE FROM tasks WHERE id = 'task-15'").run();
  });
  const found = async (query: Parameters<typeof findTasks>[1]) =>
    (await findTasks({ database }, { status: "done", perPage: 100, ...query })).tasks.map(({ id }) => id);
  expect(await found({ q: "red" })).toContain("task-3");
  expect(await found({ q: "red" })).not.toContain("task-15");
  expect(await found({ q: "red", favourite: true })).toEqual(["task-0"]);
  expect(await database.prepareRead("PRAGMA foreign_key_check").all()).toEqual([]);
  expect((await database.prepareRead("PRAGMA integrity_check").get())?.integrity_check).toBe("ok");
}
