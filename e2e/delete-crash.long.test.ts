// kill -9 in the middle of deletes (FR-007): what was acknowledged stays deleted, what is still shown is whole, and after the
// sweep no file is left without a record. 5 kills in npm test, 40 in npm run test:long.
import { createHash } from "node:crypto";
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

const kills = process.env["SAFELIGHT_TEST_LONG"] ? 40 : 5;
const moreKills = 15;
const perRound = 130;
/** Of each round the first so many are deleted in one request, the next one by one; the others stay. */
const inBulk = 100;
const oneByOne = 20;

const directory = await temporaryDirectory();
afterAll(() => directory.remove());
const kinds = ["results", "previews", "thumbnails", "uploads"] as const;
const media = (name: string): string => join(directory.path, "media", name);

interface Item {
  readonly id: string;
  /** A word that stands in no other prompt. */
  readonly word: string;
  readonly files: readonly string[];
}

test(
  `kill -9 ${kills} times within deletes leaves every item whole or gone, and no file without a record (FR-007)`,
  async () => {
    await (await startServerProcess(directory.path)).stop("SIGTERM");
    const items: Item[] = [];
    const deleted = new Set<string>();
    const cut: number[] = [];
    const isCut = () => cut.some((left) => left > 0 && left < inBulk);
    // A machine may be so slow to kill that no bulk delete was cut in the middle: then there are more rounds.
    for (let round = 0; round < kills || (!isCut() && round < kills + moreKills); round += 1) {
      const own = await seed(items.length, perRound);
      items.push(...own);
      const server = await startServerProcess(directory.path);
      const acknowledged = await deleteUntilKilled(server, own, round);
      for (const id of acknowledged) deleted.add(id);
      const there = idsThere();
      expect(
        acknowledged.filter((id) => there.has(id)),
        "what was acknowledged stays deleted",
      ).toEqual([]);
      expect(own.slice(inBulk + oneByOne).every(({ id }) => there.has(id))).toBe(true);
      cut.push(own.slice(0, inBulk).filter(({ id }) => there.has(id)).length);
    }
    expect(isCut(), `some bulk delete was cut in the middle: ${cut.join(", ")}`).toBe(true);

    const server = await startServerProcess(directory.path);
    await expectShownIsWhole(server, items);
    await expectNothingLeftOver(items);
    await finishDeleting(server, items);
    await server.stop("SIGTERM");
    expectNothingHalf(items);
  },
  10 * 60_000,
);

/** Done tasks with everything that one can have, as a long use would leave them. */
async function seed(first: number, count: number): Promise<Item[]> {
  for (const kind of kinds) await mkdir(media(kind), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(join(directory.path, "safelight.sqlite"));
  database.exec("BEGIN");
  const items: Item[] = [];
  for (let index = first; index < first + count; index += 1) {
    const id = `019a0000-0000-7000-8000-${String(index).padStart(12, "0")}`;
    const upload = `sha256-${createHash("sha256").update(id).digest("hex")}`;
    const files = [`results/${id}-1.png`, `previews/${id}-1.webp`, `thumbnails/${id}.webp`, `uploads/${upload}.png`];
    await Promise.all(files.map((file) => writeFile(media(file), id)));
    insertTask(database, { id, word: `word${index}x`, files }, upload);
    items.push({ id, word: `word${index}x`, files });
  }
  database.exec("COMMIT");
  database.close();
  return items;
}

function insertTask(database: DatabaseSync, { id, word, files }: Item, upload: string): void {
  const time = Date.UTC(2026, 2, 1);
  database
    .prepare(
      `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, progress, result_path,
         result_type, result_bytes, preview_path, preview_type, preview_version, width, height, created_at, updated_at, finished_at)
       VALUES (?, 'pony', 'image', 'img2img', ?, '{}', 1, '1', 'done', 'done', 100, ?, 'image/png', 36, ?, 'image/webp', 1, 512, 512,
         ?, ?, ?)`,
    )
    .run(id, `a red boat ${word}`, files[0] ?? "", files[1] ?? "", time, time, time);
  // Used just now: an upload that nobody names is swept only after a day, so what is missing in the end was deleted with its task.
  const used = Date.now();
  database
    .prepare(
      "INSERT INTO uploads (id, type, bytes, width, height, created_at, last_used_at) VALUES (?, 'image/png', 36, 1, 1, ?, ?)",
    )
    .run(upload, time, used);
  database.prepare("INSERT INTO task_references VALUES (?, 'reference_image', 0, ?)").run(id, upload);
  database
    .prepare("INSERT INTO events (task_id, type, data, created_at) VALUES (?, 'task.updated', '{}', ?)")
    .run(id, used);
}

/** Asks for all deletes at once and kills the server while they are under way. Returns the ids that were answered as deleted. */
async function deleteUntilKilled(server: ServerProcess, items: readonly Item[], round: number): Promise<string[]> {
  const acknowledged: string[] = [];
  const bulk = request(server, "POST", "/gallery/delete", { ids: items.slice(0, inBulk).map(({ id }) => id) }).then(
    async (answer) => acknowledged.push(...((await answer.json()) as { deleted: string[] }).deleted),
  );
  const single = items.slice(inBulk, inBulk + oneByOne).map(async ({ id }) => {
    const answer = await request(server, "DELETE", `/gallery/${id}`);
    if (((await answer.json()) as { deleted?: boolean }).deleted === true) acknowledged.push(id);
  });
  const all = Promise.allSettled([bulk, ...single]);
  // By how far they have come, not by the clock: every part of a delete is met by one round or another.
  const until = performance.now() + 30_000;
  while (countGone(items) < 1 + (round % 5) * 22 && performance.now() < until) await sleep(1);
  await sleep(round % 4);
  await server.stop("SIGKILL");
  await all;
  return acknowledged;
}

function countGone(items: readonly Item[]): number {
  const [first, last] = [items[0]?.id ?? "", items.at(-1)?.id ?? ""];
  const rows = query<{ count: number }>(
    `SELECT count(*) AS count FROM tasks WHERE id BETWEEN '${first}' AND '${last}'`,
  );
  return items.length - (rows[0]?.count ?? 0);
}

function request(server: ServerProcess, method: string, path: string, body?: unknown): Promise<Response> {
  const headers = { "X-API-Key": server.apiKey, "Content-Type": "application/json" };
  return fetch(`${server.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function query<Row>(sql: string): Row[] {
  const database = new DatabaseSync(join(directory.path, "safelight.sqlite"), { readOnly: true });
  try {
    return database.prepare(sql).all() as Row[];
  } finally {
    database.close();
  }
}

const idsThere = (): Set<string> => new Set(query<{ id: string }>("SELECT id FROM tasks").map(({ id }) => id));

/** Every item of the gallery, by its pages; each has its file and is found by its word. */
async function expectShownIsWhole(server: ServerProcess, items: readonly Item[]): Promise<void> {
  const shown = new Set<string>();
  for (let cursor: string | null = ""; cursor !== null; ) {
    const place = cursor === "" ? "" : `&cursor=${cursor}`;
    const answer = await request(server, "GET", `/gallery?per_page=100${place}`);
    const page = (await answer.json()) as {
      items: { id: string; result_missing: boolean }[];
      next_cursor: string | null;
    };
    for (const item of page.items) {
      expect([item.id, item.result_missing]).toEqual([item.id, false]);
      shown.add(item.id);
    }
    cursor = page.next_cursor;
  }
  expect(shown).toEqual(idsThere());
  for (const { id, word } of items.filter((_, index) => index % 7 === 0)) {
    const found = (await (await request(server, "GET", `/gallery?q=${word}`)).json()) as { items: { id: string }[] };
    expect(found.items.map((item) => item.id)).toEqual(shown.has(id) ? [id] : []);
    expect((await request(server, "GET", `/results/${id}`)).status).toBe(shown.has(id) ? 200 : 404);
  }
}

/** The first sweep comes ten seconds after the start. */
async function expectNothingLeftOver(items: readonly Item[]): Promise<void> {
  const there = idsThere();
  const named = items.filter(({ id }) => there.has(id)).flatMap(({ files }) => files);
  await expect.poll(filesThere, { timeout: 120_000, interval: 250 }).toEqual(named.toSorted());
  await expect.poll(() => query("SELECT * FROM removals"), { timeout: 60_000 }).toEqual([]);
  expectNothingHalf(items);
}

async function filesThere(): Promise<string[]> {
  const names = await Promise.all(
    kinds.map(async (kind) => (await readdir(media(kind))).map((name) => `${kind}/${name}`)),
  );
  return names.flat().toSorted();
}

/** A record has all its rows; where there is none, nothing of it is left but the word that it was deleted. */
function expectNothingHalf(items: readonly Item[]): void {
  const there = idsThere();
  const left = query<{ id: string; rows: string }>(
    `SELECT task_id AS id, 'reference' AS rows FROM task_references UNION ALL
     SELECT task_id, type FROM events UNION ALL
     SELECT 'sequence ' || rowid, 'search' FROM task_search WHERE rowid NOT IN (SELECT sequence FROM tasks) UNION ALL
     SELECT 'sequence ' || rowid, 'search' FROM gallery_search WHERE rowid NOT IN (SELECT sequence FROM tasks)`,
  ).map(({ id, rows }) => `${id} ${rows}`);
  const wanted = items.flatMap(({ id }) =>
    there.has(id) ? [`${id} reference`, `${id} task.updated`] : [`${id} task.deleted`],
  );
  expect(left.toSorted()).toEqual(wanted.toSorted());
  const indexed = query<{ count: number }>(
    "SELECT count(*) AS count FROM gallery_search WHERE gallery_search MATCH 'boat'",
  );
  expect(indexed).toMatchObject([{ count: there.size }]);
  expect(query("SELECT count(*) AS count FROM uploads")).toMatchObject([{ count: there.size }]);
  expect(query("PRAGMA integrity_check")).toMatchObject([{ integrity_check: "ok" }]);
}

/** Asking again deletes the rest: a kill leaves nothing that cannot be deleted. */
async function finishDeleting(server: ServerProcess, items: readonly Item[]): Promise<void> {
  const there = idsThere();
  const rest = items
    .filter(({ id }, index) => index % perRound < inBulk + oneByOne && there.has(id))
    .map(({ id }) => id);
  const answer = (await (await request(server, "POST", "/gallery/delete", { ids: rest })).json()) as {
    deleted: string[];
    failed: unknown[];
  };
  expect([new Set(answer.deleted), answer.failed]).toEqual([new Set(rest), []]);
  expect(idsThere().size).toBe((items.length / perRound) * (perRound - inBulk - oneByOne));
  const named = items.filter(({ id }) => idsThere().has(id)).flatMap(({ files }) => files);
  expect(await filesThere()).toEqual(named.toSorted());
}
