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

/** Fills a data folder with `count` done tasks; all of them name the one result file that is there. */
export async function makeGallery(folder: string, count: number): Promise<Database> {
  await mkdir(join(folder, "media/results"), { recursive: true, mode: 0o700 });
  await writeFile(join(folder, "media", resultName), "a picture");
  const database = await openDatabase({ file: join(folder, "safelight.sqlite") });
  await database.write((tx) => tx.prepare(fill).run(count, Math.max(1, Math.floor(count / rarestCount))));
  return database;
}

const idOf = (number: string): string => `printf('%08x-0000-7000-8000-000000000000', ${number})`;
const resultName = "results/00000001-0000-7000-8000-000000000000-1.png";

const fill = `
INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, progress, result_path,
  result_type, result_bytes, width, height, engine, created_at, updated_at, started_at, finished_at, favourite)
WITH RECURSIVE size (count, step) AS (SELECT CAST(? AS INTEGER), CAST(? AS INTEGER)),
  numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers, size WHERE i < size.count)
SELECT ${idOf("i")},
  CASE WHEN i % step = 0 THEN 'phr00t' WHEN i % ${rareShare} = 1 THEN 'anisora' WHEN i % 2 = 0 THEN 'pony' ELSE 'flux' END,
  iif(i % step = 0 OR i % ${rareShare} = 1, 'video', 'image'),
  iif(i % step = 0 OR i % ${rareShare} = 1, 't2v', iif(i % 5 = 0, 'img2img', 'txt2img')),
  'a ' || CASE i % 3 WHEN 0 THEN 'red' WHEN 1 THEN 'green' ELSE 'blue' END || ' boat on the sea at sunset'
    || iif(i % ${rareShare} = 7, ' with a lighthouse', '') || iif(i % step = 1, ' under a zeppelin', ''),
  '{"width":512,"height":512,"steps":20,"guidance_scale":7}', i, '1', 'done', 'done', 100, '${resultName}',
  'image/png', 9, 512, 512, 'embedded', ${firstTime} + i * 1000, ${firstTime} + i * 1000, ${firstTime} + i * 1000,
  ${firstTime} + i * 1000, i % ${rareShare} = 9
FROM numbers, size`;
