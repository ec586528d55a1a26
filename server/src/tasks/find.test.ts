import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sqliteDialect } from "../database/sqlite/dialect.ts";
import { type Core, openCore, requestFor, submit, taskOf, videoRequest } from "../testing/core.ts";
import { failTask, finishTask, moveTask } from "../testing/stored-tasks.ts";
import { onPostgres } from "../testing/test-database.ts";
import type { TaskFilters } from "./filters.ts";
import { countTasks, findTasks } from "./find.ts";
import { searchedWords } from "./search-words.ts";
import type { TaskRecord } from "./task-record.ts";

let core: Core;
beforeEach(async () => {
  core = await openCore();
});
afterEach(() => core.close());

const prompts = ["a red boat", "A RED hill", "красная Ёлка", "ЁЛКА и лодка", "blue boat at sea", "boathouse"];
const start = Date.UTC(2026, 2, 1);

/** Tasks of every kind and state, submitted while the clock jumps about. */
async function fill(count: number): Promise<TaskRecord[]> {
  const random = seeded(7);
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    core.clock.setWall(start + Math.floor(random() * 50) * 1000);
    const prompt = prompts[Math.floor(random() * prompts.length)] ?? "";
    const request = random() < 0.5 ? requestFor({ prompt }) : videoRequest({ prompt });
    const id = await submit(core, request);
    const fate = random();
    if (fate < 0.6) await finishTask(core.context, id, new Uint8Array([1]));
    else if (fate < 0.8) {
      await moveTask(core.context, id, { transition: "claim" });
      await failTask(core.context, id);
    }
    if (random() < 0.2) await mark(id);
    ids.push(id);
  }
  return Promise.all(ids.map((id) => taskOf(core, id)));
}

const mark = (id: string) =>
  core.context.database.write((tx) => tx.prepare("UPDATE tasks SET favourite = 1 WHERE id = ?").run(id));

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
}

/** What the answer has to be, by looking at every task. */
function expected(tasks: readonly TaskRecord[], filters: TaskFilters, order: "desc" | "asc"): string[] {
  const fold = (text: string) => text.toLowerCase().replaceAll("ё", "е");
  const words = fold(filters.q ?? "")
    .split(/\s+/)
    .filter((word) => word !== "");
  const found = tasks.filter(
    (task) =>
      (filters.status === undefined || task.status === filters.status) &&
      (filters.model === undefined || task.model === filters.model) &&
      (filters.type === undefined || task.type === filters.type) &&
      (filters.mode === undefined || task.mode === filters.mode) &&
      (filters.favourite === undefined || task.favourite === filters.favourite) &&
      (filters.from === undefined || task.createdAt >= filters.from) &&
      (filters.to === undefined || task.createdAt <= filters.to) &&
      words.every((word) =>
        fold(task.prompt)
          .split(/\s+/)
          .some((one) => one.startsWith(word)),
      ),
  );
  const time = (task: TaskRecord) => (words.length > 0 ? 0 : task.createdAt);
  found.sort((one, other) => time(other) - time(one) || other.sequence - one.sequence);
  return (order === "desc" ? found : found.reverse()).map(({ id }) => id);
}

async function allPages(filters: TaskFilters, order: "desc" | "asc", perPage: number): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const found = await findTasks(core.context, {
      ...filters,
      order,
      perPage,
      ...(cursor === undefined ? {} : { cursor }),
    });
    ids.push(...found.tasks.map(({ id }) => id));
    cursor = found.nextCursor;
  }
  return ids;
}

const filtersOf = fc.record(
  {
    status: fc.constantFrom<TaskRecord["status"]>("done", "failed", "pending"),
    model: fc.constantFrom("flux", "anisora", "pony"),
    type: fc.constantFrom<TaskRecord["type"]>("image", "video"),
    mode: fc.constantFrom("txt2img", "t2v", "i2v"),
    favourite: fc.boolean(),
    from: fc.integer({ min: 0, max: 50 }).map((second) => start + second * 1000),
    to: fc.integer({ min: 0, max: 50 }).map((second) => start + second * 1000),
    q: fc.constantFrom("", "boat", "bo", "RED", "red boat", "елка", "ёл", "лодка и", "nothing"),
  },
  { requiredKeys: [] },
);

describe("finding", () => {
  test("any filters, order and page size give what looking at every task gives, under clocks set back", async () => {
    const tasks = await fill(120);
    await fc.assert(
      fc.asyncProperty(
        filtersOf,
        fc.constantFrom<"desc" | "asc">("desc", "asc"),
        fc.integer({ min: 1, max: 40 }),
        async (filters, order, perPage) => {
          const wanted = expected(tasks, filters, order);
          expect(await allPages(filters, order, perPage)).toEqual(wanted);
          expect(await countTasks(core.context, filters)).toEqual({ total: wanted.length, isExact: true });
          const second = await findTasks(core.context, { ...filters, order, perPage, page: 2 });
          expect(second.tasks.map(({ id }) => id)).toEqual(wanted.slice(perPage, perPage * 2));
        },
      ),
      { numRuns: 300, seed: 20_260_301 },
    );
  });

  test("the walk along the words, taken where filters leave many, agrees as well", async () => {
    const one = await submit(core, requestFor({ prompt: "a red boat" }));
    // One statement makes what submits would take a minute for.
    await core.context.database.write((tx) =>
      tx
        .prepare(
          `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, created_at, updated_at)
           WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
           SELECT 'copy-' || i, model, type, mode, CASE WHEN i % 3 = 0 THEN 'a green hill' ELSE 'a red boat' END, parameters, seed,
             catalog_version, 'pending', stage, created_at + (i * 37) % 500, updated_at FROM n, tasks WHERE id = ?`,
        )
        .run(one),
    );
    const rows = await core.context.database.prepareRead("SELECT id FROM tasks").all();
    const tasks = await Promise.all(rows.map(({ id }) => taskOf(core, String(id))));
    const base = (await taskOf(core, one)).createdAt;
    for (const filters of [
      { q: "red", model: "flux" },
      { q: "gre hil", status: "pending" as const, to: base + 400 },
      { q: "boat", from: base + 50, to: base + 450 },
      { q: "a", type: "image" as const },
    ]) {
      for (const order of ["desc", "asc"] as const) {
        const wanted = expected(tasks, filters, order);
        expect(wanted.length).toBeGreaterThan(100);
        expect(await allPages(filters, order, 100)).toEqual(wanted);
        expect((await countTasks(core.context, filters)).total).toBe(wanted.length);
      }
    }
  });

  test("pages hold every task that stays, once, while others come and go", async () => {
    const tasks = await fill(60);
    const deleted = new Set<string>();
    for (const filters of [{}, { q: "boat" }, { status: "done" as const }]) {
      const before = expected(tasks, filters, "desc").filter((id) => !deleted.has(id));
      const seen: string[] = [];
      let cursor: string | null | undefined;
      for (let round = 0; cursor !== null; round += 1) {
        const found = await findTasks(core.context, {
          ...filters,
          perPage: 5,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...found.tasks.map(({ id }) => id));
        cursor = found.nextCursor;
        const victim = before[(round * 13) % before.length] ?? "";
        await core.context.database.write((tx) => tx.prepare("DELETE FROM tasks WHERE id = ?").run(victim));
        deleted.add(victim);
        core.clock.setWall(start + 1_000_000);
        await submit(core, requestFor({ prompt: "a red boat" }));
      }
      expect(new Set(seen).size).toBe(seen.length);
      const stayed = before.filter((id) => !deleted.has(id));
      expect(seen.filter((id) => stayed.includes(id))).toEqual(stayed);
    }
  });

  test("text of a person is never syntax of the search", async () => {
    await submit(core, requestFor({ prompt: 'a "red" boat NEAR the sea-shore, 50% off' }));
    const hits = async (q: string) => (await countTasks(core.context, { q })).total;
    for (const q of [
      '"red"',
      "red*",
      "sea-shore",
      "NEAR(red boat)",
      "boat AND red",
      "50%",
      "re:d",
      "(boat",
      "^a",
      "{a}",
      "-red",
    ]) {
      expect([q, await hits(q)]).toEqual([q, q === "boat AND red" || q === "re:d" ? 0 : 1]);
    }
    expect(await hits("!!! --")).toBe(0);
    expect(await hits("   ")).toBe(1);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 40 }), async (q) => {
        expect(await hits(q)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 500, seed: 20_260_302 },
    );
  });

  test.skipIf(onPostgres)("every letter and digit of the world can be searched for", async () => {
    const read = core.context.database.prepareRead(
      "SELECT count(*) AS count FROM task_search WHERE task_search MATCH ?",
    );
    const letters: string[] = [];
    for (let code = 0; code < 0x20000; code += 1) {
      const letter = String.fromCodePoint(code);
      if (/[\p{L}\p{N}]/u.test(letter)) letters.push(letter);
    }
    expect(letters.length).toBeGreaterThan(50_000);
    for (const letter of letters) {
      const words = searchedWords(`a${letter}b`) ?? [];
      const expression = sqliteDialect.search.expression({ words, facts: [], without: [] });
      if (words.length > 0) expect(Number((await read.get(expression))?.count)).toBe(0);
    }
  });
});
