import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";
import type { Reading } from "./look-at-database.ts";

const folders = ["results", "previews", "uploads", "thumbnails"] as const;

/** Records beside files: what is promised is there and whole, and what is there belongs to somebody. */
export async function lookAtMedia({ prepareRead }: Reading, { dataDirectory }: Config): Promise<Finding[]> {
  const media = join(dataDirectory, "media");
  const present = new Set<string>();
  try {
    for (const folder of folders) {
      const names = await readdir(join(media, folder)).catch((error: NodeJS.ErrnoException) => {
        if (error.code === "ENOENT") return [];
        throw error;
      });
      for (const name of names) present.add(`${folder}/${name}`);
    }
  } catch (error) {
    return [problem("media", `The folder cannot be read (${reasonOf(error)}).`, "Give it to the user of the service.")];
  }
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
    else if (bytes !== null && (await stat(join(media, name))).size !== bytes) cut.push(name);
  }
  return judge({ missing, cut, strays: await straysIn(present, wanted, prepareRead), files: present.size });
}

/** Files that no record names. Those of tasks that have not ended are on their way. */
async function straysIn(
  present: ReadonlySet<string>,
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

function judge(found: { missing: string[]; cut: string[]; strays: string[]; files: number }): Finding[] {
  const { missing, cut, strays, files } = found;
  const findings: Finding[] = [];
  const put = "Put them back from a backup; until then their tasks answer that the file is gone.";
  if (missing.length > 0) findings.push(warning("media", `${some(missing)} missing that records name.`, put));
  if (cut.length > 0) findings.push(problem("media", `${some(cut)} not as long as their records say.`, put));
  if (strays.length > 0) {
    const mend = "Nothing: the server removes them at its next start, uploads after a day.";
    findings.push(warning("media", `${some(strays)} there that no record names.`, mend));
  }
  return findings.length > 0 ? findings : [ok("media", `${files} files, each with its record.`)];
}

function some(names: readonly string[]): string {
  const [first = ""] = names;
  return names.length === 1 ? `1 file (${first}) is` : `${names.length} files (${first} and others) are`;
}
