import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { mediaFolders } from "../media/media-names.ts";
import type { MediaBucket } from "../media-setting.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";
import type { Reading } from "./look-at-database.ts";

/** Records beside files: what is promised is there and whole, and what is there belongs to somebody. */
export async function lookAtMedia(reading: Reading, config: Config): Promise<Finding[]> {
  const { mediaBucket } = config;
  if (mediaBucket !== null) return lookAtBucket(reading, mediaBucket);
  const media = join(config.dataDirectory, "media");
  const sizes = new Map<string, number>();
  try {
    for (const folder of mediaFolders) {
      const names = await readdir(join(media, folder)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      for (const name of names) {
        const found = await stat(join(media, folder, name)).catch(() => null);
        if (found !== null) sizes.set(`${folder}/${name}`, found.size);
      }
    }
  } catch (error) {
    return [problem("media", `The folder cannot be read (${reasonOf(error)}).`, "Give it to the user of the service.")];
  }
  return compare(reading, sizes, "file");
}

async function lookAtBucket(reading: Reading, bucket: MediaBucket): Promise<Finding[]> {
  // Loaded where it is needed, as it takes a moment.
  const { BucketReader } = await import("../media/bucket-reader.ts");
  const reader = new BucketReader(bucket);
  try {
    return await compare(reading, await reader.sizes(), "object");
  } catch (error) {
    const why = error instanceof Error ? error.message : "it cannot be read";
    return [
      problem(
        "media",
        `${reader.place}: ${why}.`,
        "See docs/operations/s3.md: address, region, keys and what to grant.",
      ),
    ];
  } finally {
    reader.close();
  }
}

async function compare(
  { prepareRead }: Reading,
  present: ReadonlyMap<string, number>,
  what: "file" | "object",
): Promise<Finding[]> {
  const wanted = new Map<string, number | null>();
  const results = prepareRead(
    "SELECT result_path AS name, result_bytes AS bytes FROM tasks WHERE result_path IS NOT NULL",
  );
  for (const row of await results.all()) wanted.set(String(row.name), Number(row.bytes));
  for (const { name } of await prepareRead(
    "SELECT preview_path AS name FROM tasks WHERE preview_path IS NOT NULL",
  ).all()) {
    wanted.set(String(name), null);
  }
  const missing: string[] = [];
  const cut: string[] = [];
  for (const [name, bytes] of wanted) {
    if (!present.has(name)) missing.push(name);
    else if (bytes !== null && present.get(name) !== bytes) cut.push(name);
  }
  return judge(
    { missing, cut, strays: await straysIn(present.keys(), wanted, prepareRead), files: present.size },
    what,
  );
}

/** Files that no record names. Those of tasks that have not ended are on their way. */
async function straysIn(
  present: Iterable<string>,
  wanted: ReadonlyMap<string, unknown>,
  prepareRead: Reading["prepareRead"],
): Promise<string[]> {
  const uploads = new Set((await prepareRead("SELECT id FROM uploads").all()).map(({ id }) => String(id)));
  const state = prepareRead("SELECT status FROM tasks WHERE id = ?");
  const strays: string[] = [];
  for (const name of present) {
    if (wanted.has(name)) continue;
    const upload = /^uploads\/(sha256-[0-9a-f]{64})\./.exec(name)?.[1];
    if (upload !== undefined) {
      if (!uploads.has(upload)) strays.push(name);
      continue;
    }
    const task = /^(?:(?:results|previews)\/(.+)-\d+\.\w+|thumbnails\/(.+)\.webp)$/.exec(name);
    const found = (await state.get(task?.[1] ?? task?.[2] ?? ""))?.status;
    const isOnItsWay = name.startsWith("thumbnails/")
      ? found !== undefined
      : found === "pending" || found === "processing";
    if (!isOnItsWay) strays.push(name);
  }
  return strays;
}

function judge(
  found: { missing: string[]; cut: string[]; strays: string[]; files: number },
  what: "file" | "object",
): Finding[] {
  const some = (names: readonly string[]) => countOf(names, what);
  const { missing, cut, strays, files } = found;
  const findings: Finding[] = [];
  const put = "Put them back from a backup; until then their tasks answer that the file is gone.";
  if (missing.length > 0) findings.push(warning("media", `${some(missing)} missing that records name.`, put));
  if (cut.length > 0) findings.push(problem("media", `${some(cut)} not as long as their records say.`, put));
  if (strays.length > 0) {
    const mend = "Nothing: the server removes them at its next start, uploads after a day.";
    findings.push(warning("media", `${some(strays)} there that no record names.`, mend));
  }
  return findings.length > 0 ? findings : [ok("media", `${files} ${what}s, each with its record.`)];
}

function countOf(names: readonly string[], what: string): string {
  const [first = ""] = names;
  return names.length === 1 ? `1 ${what} (${first}) is` : `${names.length} ${what}s (${first} and others) are`;
}
