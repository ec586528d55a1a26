// A gallery of a given size, made by one statement: what a million submits would take hours for. Everything that a filter or a word
// can ask for is spread evenly over it, with the same share at every size, so that a page of it holds as many tasks.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDatabase } from "@safelight/server/database";

export type Database = Awaited<ReturnType<typeof openDatabase>>;

/** Wall-clock milliseconds of the first task; one follows every second. */
export const firstTime = Date.UTC(2026, 0, 1);
/** The rare ones are one in so many. */
export const rareShare = 40;
/** The rarest are so many at every size. */
export const rarestCount = 25;

/**
 * Fills a data folder with `count` done tasks; all of them name the one result file that is there. With an address the tasks stand in that
 * PostgreSQL database instead.
 */
export async function makeGallery(folder: string, count: number, url?: string): Promise<Database> {
  await mkdir(join(folder, "media/results"), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "media", resultName), "a picture");
  const database = await openDatabase({ file: join(folder, "safelight.sqlite"), url });
  const step = Math.max(1, Math.floor(count / rarestCount));
  if (url === undefined) await database.write((tx) => tx.prepare(fill).run(count, step));
  // A statement may take some seconds there.
  for (let first = 1; url !== undefined && first <= count; first += portion) {
    const last = Math.min(count, first + portion - 1);
    await database.write((tx) => tx.prepare(fillPostgres).run(first, last, step));
  }
  return database;
}

const portion = 1_000;

const resultName = "results/00000001-0000-7000-8000-000000000000-1.png";

const columns = `id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, progress, result_path,
  result_type, result_bytes, width, height, engine, created_at, updated_at, started_at, finished_at, favourite`;

/** What is told of the tasks of `numbers`, one row each. `step` is how far the rarest ones lie from each other. */
const rowsBy = (id: string): string => `
SELECT ${id},
  CASE WHEN i % step = 0 THEN 'phr00t' WHEN i % ${rareShare} = 1 THEN 'anisora' WHEN i % 2 = 0 THEN 'pony' ELSE 'flux' END,
  CASE WHEN i % step = 0 OR i % ${rareShare} = 1 THEN 'video' ELSE 'image' END,
  CASE WHEN i % step = 0 OR i % ${rareShare} = 1 THEN 't2v' WHEN i % 5 = 0 THEN 'img2img' ELSE 'txt2img' END,
  'a ' || CASE i % 3 WHEN 0 THEN 'red' WHEN 1 THEN 'green' ELSE 'blue' END || ' boat on the sea at sunset'
    || CASE WHEN i % ${rareShare} = 7 THEN ' with a lighthouse' ELSE '' END || CASE WHEN i % step = 1 THEN ' under a zeppelin' ELSE '' END,
  '{"width":512,"height":512,"steps":20,"guidance_scale":7}', i, '1', 'done', 'done', 100, '${resultName}',
  'image/png', 9, 512, 512, 'embedded', ${firstTime} + i * 1000, ${firstTime} + i * 1000, ${firstTime} + i * 1000,
  ${firstTime} + i * 1000, CASE WHEN i % ${rareShare} = 9 THEN 1 ELSE 0 END
FROM numbers, size`;

const fill = `
INSERT INTO tasks (${columns})
WITH RECURSIVE size (count, step) AS (SELECT CAST(? AS INTEGER), CAST(? AS INTEGER)),
  numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers, size WHERE i < size.count)
${rowsBy("printf('%08x-0000-7000-8000-000000000000', i)")}`;

const fillPostgres = `
INSERT INTO tasks (${columns})
WITH size (first, last, step) AS (SELECT CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT)),
  numbers (i) AS (SELECT generate_series(first, last) FROM size)
${rowsBy("lpad(to_hex(i), 8, '0') || '-0000-7000-8000-000000000000'")}`;
