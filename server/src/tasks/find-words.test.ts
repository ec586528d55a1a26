// Searching by the indices of words against looking at every task, on tables large enough for every way of walking them.
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Core, openCore } from "../testing/core.ts";
import { onPostgres } from "../testing/test-database.ts";
import type { TaskFilters } from "./filters.ts";
import { countTasks, findTasks } from "./find.ts";
import type { TaskRecord } from "./task-record.ts";

interface Stored {
  readonly sequence: number;
  readonly model: string;
  readonly type: "image" | "video";
  readonly mode: string;
  readonly prompt: string;
  readonly status: TaskRecord["status"];
  readonly favourite: number;
  readonly created_at: number;
}

const start = Date.UTC(2026, 2, 1);
const size = 3000;
const models = ["flux", "pony", "anisora", "a-model of/2 parts"];
const modes = ["txt2img", "img2img", "arbitrary_frame"];
const prompts = [
  "a red boat",
  "A RED hill",
  "ЁЛКА и лодка",
  "boathouse frame",
  "blue boat at sea",
  "\ue000f \ue000e red",
];

let core: Core;
beforeEach(async () => {
  core = await openCore();
});
afterEach(() => core.close());

const one = <Item>(from: readonly Item[], random: number): Item => from[Math.floor(random * from.length)] as Item;

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** Tasks of every kind; each is submitted a second after the one before, give or take `jump` milliseconds. */
async function fill(jump: number): Promise<void> {
  const random = seeded(jump + 5);
  await core.context.database.write(async (tx) => {
    const insert = tx.prepare(
      `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, result_path,
         error_code, error_msg, created_at, updated_at, finished_at, favourite)
       VALUES (?, ?, ?, ?, ?, '{}', 1, '1', ?, 'queued', 'results/x', 'cancelled', 'x', ?, 0, 0, ?)`,
    );
    for (let index = 0; index < size; index += 1) {
      const status = one(["done", "done", "done", "done", "failed", "pending"] as const, random());
      // Rare in the beginning, so that what is sparse lies deep.
      const prompt = index < 500 && random() < 0.1 ? "a zeppelin" : one(prompts, random());
      const time = start + index * 1000 + Math.floor((random() - 0.5) * jump);
      const [model, mode] = [one(models, random() ** 2), one(modes, random())];
      const type = random() < 0.02 ? "video" : "image";
      await insert.run(`task-${index}`, model, type, mode, prompt, status, time, random() < 0.1 ? 1 : 0);
    }
  });
}

/** What happens to tasks in a life: all of it has to reach the indices, which only triggers keep. */
async function change(): Promise<void> {
  const random = seeded(99);
  await core.context.database.write(async (tx) => {
    for (let round = 0; round < 600; round += 1) {
      const id = `task-${Math.floor(random() * size)}`;
      const status = one(["done", "failed", "processing"], random());
      const prompt = one(prompts, random());
      const fate = random();
      if (fate < 0.3) await tx.prepare("UPDATE tasks SET favourite = 1 - favourite WHERE id = ?").run(id);
      else if (fate < 0.6) await tx.prepare("UPDATE tasks SET status = ?, progress = 1 WHERE id = ?").run(status, id);
      else if (fate < 0.7) await tx.prepare("UPDATE tasks SET prompt = ? WHERE id = ?").run(prompt, id);
      else if (fate < 0.8) await tx.prepare("UPDATE tasks SET progress = 2, model = 'pony' WHERE id = ?").run(id);
      else await tx.prepare("DELETE FROM tasks WHERE id = ?").run(id);
    }
  });
}

async function stored(): Promise<Stored[]> {
  const sql = "SELECT sequence, model, type, mode, prompt, status, favourite, created_at FROM tasks ORDER BY sequence";
  return core.context.database.prepareRead(sql).all() as unknown as Stored[];
}

const fold = (text: string) => text.toLowerCase().replaceAll("ё", "е").replaceAll("\ue000", " ");

function plainScan(tasks: readonly Stored[], { q = "", ...filters }: TaskFilters): number[] {
  const words = fold(q).split(" ");
  const wanted = { ...filters, ...(filters.favourite === undefined ? {} : { favourite: Number(filters.favourite) }) };
  const { from, to, ...equal } = wanted;
  return tasks
    .filter((task) => Object.entries(equal).every(([name, value]) => task[name as keyof Stored] === value))
    .filter((task) => task.created_at >= (from ?? 0) && task.created_at <= (to ?? Number.MAX_SAFE_INTEGER))
    .filter(({ prompt }) =>
      words.every((word) =>
        fold(prompt)
          .split(" ")
          .some((own) => own.startsWith(word)),
      ),
    )
    .map(({ sequence }) => sequence);
}

async function pages(filters: TaskFilters, order: "asc" | "desc", perPage: number): Promise<number[]> {
  const found: number[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page = await findTasks(core.context, {
      ...filters,
      order,
      perPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    found.push(...page.tasks.map(({ sequence }) => sequence));
    cursor = page.nextCursor;
  }
  return found;
}

const time = fc.integer({ min: -10, max: size + 10 }).map((second) => start + second * 1000);
const anyFilters = fc.record(
  {
    status: fc.constantFrom<TaskRecord["status"]>("done", "done", "done", "failed", "pending", "processing"),
    model: fc.constantFrom(...models, "nobody"),
    type: fc.constantFrom<TaskRecord["type"]>("image", "video"),
    mode: fc.constantFrom(...modes),
    favourite: fc.boolean(),
    from: time,
    to: time,
    q: fc.constantFrom("boat", "bo", "RED", "red boat", "елка", "zeppelin", "frame", "f", "nothing"),
  },
  { requiredKeys: ["q"] },
);

describe("searching", () => {
  test.each([
    ["a clock that only went forward", 0],
    ["a clock set back by seconds", 20_000],
    ["a clock set back by minutes", 900_000],
  ])("any filters beside words give what looking at every task gives, under %s", async (_clock, jump) => {
    await fill(jump);
    await change();
    const tasks = await stored();
    await fc.assert(
      fc.asyncProperty(anyFilters, fc.integer({ min: 1, max: 100 }), fc.boolean(), async (filters, perPage, isUp) => {
        const wanted = plainScan(tasks, filters);
        const order = isUp ? "asc" : "desc";
        expect(await countTasks(core.context, filters)).toEqual({ total: wanted.length, isExact: true });
        const ordered = isUp ? wanted : wanted.toReversed();
        expect(await pages(filters, order, Math.max(perPage, Math.ceil(wanted.length / 20)))).toEqual(ordered);
        const third = await findTasks(core.context, { ...filters, order, perPage, page: 3 });
        expect(third.tasks.map(({ sequence }) => sequence)).toEqual(ordered.slice(perPage * 2, perPage * 3));
      }),
      { numRuns: 120, seed: 20_260_401 },
    );
  });

  test("every combination of filters, with and without words", async () => {
    await fill(0);
    const tasks = await stored();
    const facts = { model: "flux", type: "image", mode: "txt2img", favourite: false, status: "done" } as const;
    const names = Object.keys(facts) as (keyof typeof facts)[];
    for (let chosen = 0; chosen < 2 ** names.length; chosen += 1) {
      const own = Object.fromEntries(names.filter((_, bit) => chosen & (1 << bit)).map((name) => [name, facts[name]]));
      for (const q of ["red", ""]) {
        const filters: TaskFilters = { ...own, q };
        const wanted = plainScan(tasks, filters);
        expect(wanted.length).toBeGreaterThan(50);
        expect([filters, (await countTasks(core.context, filters)).total]).toEqual([filters, wanted.length]);
        expect((await findTasks(core.context, filters)).tasks.map(({ sequence }) => sequence)).toEqual(
          wanted.toReversed().slice(0, 20),
        );
      }
    }
  });

  test.skipIf(onPostgres)(
    "new tasks are found at once, also where they take the place of deleted ones in the order of arrival",
    async () => {
      const expectAll = async () => {
        const tasks = await stored();
        for (const filters of [{ q: "boat" }, { q: "bo", status: "pending" }, { q: "red", favourite: true }] as const) {
          const wanted = plainScan(tasks, filters);
          expect((await countTasks(core.context, filters)).total).toBe(wanted.length);
          for (const order of ["asc", "desc"] as const) {
            const ordered = order === "asc" ? wanted : wanted.toReversed();
            expect(await pages(filters, order, 7)).toEqual(ordered);
            for (const page of [1, 2, 5, 14, 15]) {
              const found = await findTasks(core.context, { ...filters, order, perPage: 7, page });
              expect(found.tasks.map(({ sequence }) => sequence)).toEqual(ordered.slice((page - 1) * 7, page * 7));
            }
          }
        }
        return tasks.length;
      };
      const run = (sql: string) => core.context.database.write((tx) => tx.prepare(sql).run());
      const submit = (many: number) =>
        run(`INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, created_at, updated_at, favourite)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${many})
        SELECT hex(randomblob(8)), 'pony', 'image', 'txt2img', iif(i % 2, 'a red boat', 'a hill'), '{}', 1, '1', 'pending', 'queued', ${start}, 0, i % 3 = 0 FROM n`);
      let there = 0;
      for (const many of [1, 62, 1, 1, 40, 150]) {
        await submit(many);
        there += many;
        expect(await expectAll()).toBe(there);
      }
      // Sequences of the newest are given again once their tasks are gone.
      await run("DELETE FROM tasks WHERE sequence > 170");
      await expectAll();
      await submit(30);
      await run("UPDATE tasks SET prompt = 'a red boat', favourite = 1 WHERE sequence IN (10, 171, 172, 199, 200)");
      expect(await expectAll()).toBe(200);
      await submit(100);
      await run("UPDATE tasks SET status = 'processing' WHERE sequence % 10 = 0");
      expect(await expectAll()).toBe(300);
    },
  );

  test("what stands in a prompt is never taken for a filter, nor a filter for a word", async () => {
    await fill(0);
    const none = (await stored()).every(({ model }) => model !== "f");
    expect(none).toBe(true);
    const marked = (await stored()).filter(({ prompt, favourite }) => prompt.includes("\ue000f") && favourite === 0);
    expect(marked.length).toBeGreaterThan(100);
    const found = await pages({ q: "red", favourite: true }, "asc", 100);
    expect(found.filter((sequence) => marked.some((task) => task.sequence === sequence))).toEqual([]);
    for (const q of ["m666c7578", "666c7578", "\ue000m666c7578", "t696d616765"]) {
      expect([q, (await countTasks(core.context, { q })).total]).toEqual([q, 0]);
    }
  });
});
