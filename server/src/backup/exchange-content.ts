/**
 * Puts the content of one folder of a data directory into its place and what was there aside, inside the same directory: it may be a
 * mount point, or the only place this user can write to. A mark says that it is under way, so that a kill in the middle is noticed by the
 * next server and finished by the next restore.
 */
import { access, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { restoreMark } from "../database/data-directory.ts";
import { flushFolder } from "./package-writer.ts";

/** What a server keeps in its data directory. Anything else in there is somebody else's and stays where it is. */
const contents = [
  "safelight.sqlite",
  "safelight.sqlite-wal",
  "safelight.sqlite-shm",
  "safelight.sqlite-journal",
  "media",
  "deployments",
  "secrets",
  "server.json",
  "work",
];

interface Plan {
  /** Folder of what comes, below the directory. */
  readonly staged: string;
  /** Folder of what goes, below the directory; null where there is nothing to keep. */
  readonly aside: string | null;
  /** `out` while the old content is put aside, `in` while the new one takes its place. */
  readonly phase: "out" | "in";
}

/** The one step that a test has to be able to cut off. */
type Rename = (from: string, to: string) => Promise<void>;

/** Exchanges the content. When this resolves it is on disk and the mark is gone. */
export async function exchangeContent(
  directory: string,
  staged: string,
  aside: string | null,
  move: Rename = rename,
): Promise<void> {
  await writeMark(directory, { staged, aside, phase: "out" }, move);
  await finishExchange(directory, move);
}

/** Goes on where an exchange was cut off. Answers where the former content lies, or undefined when nothing was under way. */
export async function finishExchange(
  directory: string,
  move: Rename = rename,
): Promise<{ aside: string | null } | undefined> {
  const plan = await readMark(directory);
  if (plan === null) return undefined;
  const { staged, aside, phase } = plan;
  if (phase === "out") {
    if (aside !== null) await moveAll(directory, directory, join(directory, aside), contents, move);
    await writeMark(directory, { ...plan, phase: "in" }, move);
  }
  const arriving = await readdir(join(directory, staged)).catch(() => []);
  await moveAll(directory, join(directory, staged), directory, arriving, move);
  await rm(join(directory, staged), { recursive: true, force: true });
  await rm(join(directory, restoreMark));
  await flushFolder(directory);
  return { aside };
}

async function moveAll(
  directory: string,
  from: string,
  to: string,
  names: readonly string[],
  move: Rename,
): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of names) {
    const isThere = await access(join(from, name)).then(
      () => true,
      () => false,
    );
    if (isThere) await move(join(from, name), join(to, name));
  }
  for (const folder of [from, to, directory]) await flushFolder(folder);
}

async function writeMark(directory: string, plan: Plan, move: Rename): Promise<void> {
  const file = join(directory, restoreMark);
  const handle = await open(`${file}.partial`, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(plan)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await move(`${file}.partial`, file);
  await flushFolder(directory);
}

async function readMark(directory: string): Promise<Plan | null> {
  const text = await readFile(join(directory, restoreMark), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as Plan);
}
