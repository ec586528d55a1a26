import { access, constants, readdir, stat, statfs } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sayBytes } from "../byte-size.ts";
import type { Config, Environment } from "../config.ts";
import { readServerNote } from "../database/data-directory.ts";
import { type Finding, ok, problem, reasonOf, warning } from "./finding.ts";

/** Stands there while a restore exchanges the content. */
const restoreMark = "restore-unfinished";

/** The data directory: that it is there, ours, writable and nobody else's. */
export async function lookAtDirectory({ dataDirectory: path }: Config): Promise<Finding> {
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = reasonOf(error);
    if (reason === "ENOENT") {
      return warning("data directory", `${path} is not there yet.`, "The first start makes it; or correct DATA_DIR.");
    }
    return problem(
      "data directory",
      `${path} cannot be used (${reason}).`,
      `Give it to the user of the service: chown -R.`,
    );
  }
  const { mode } = await stat(path);
  const isUnfinished = await stat(join(path, restoreMark)).then(
    () => true,
    () => false,
  );
  if (isUnfinished) {
    return problem(
      "data directory",
      "A restore was interrupted.",
      'Run the same "safelight restore" again: it finishes it.',
    );
  }
  if ((mode & 0o077) !== 0) {
    return warning("data directory", `Others may look into ${path} (mode ${octal(mode)}).`, `chmod 700 ${path}`);
  }
  return ok("data directory", `${path} is writable, and ours alone.`);
}

/** Files that hold secrets: readable by us, and by nobody else. */
export async function lookAtSecretFiles({ dataDirectory }: Config, environment: Environment): Promise<Finding[]> {
  const folder = join(dataDirectory, "secrets");
  const own = await readdir(folder).catch(() => [] as string[]);
  const named = Object.entries(environment).filter(([name, value]) => isSecretFile(name) && value !== "");
  const files = [...own.map((name) => join(folder, name)), ...named.map(([, value]) => value ?? "")];
  const findings: Finding[] = [];
  for (const file of files) {
    try {
      const found = await stat(file);
      const { mode } = found;
      await access(file, constants.R_OK);
      if (found.isFile() && found.size === 0) {
        const mend = "Put the secret back; the server does not start before.";
        findings.push(problem("secrets", `${file} is empty.`, mend));
      }
      // A file that the system hands to the service may be readable by its group.
      const others = file.startsWith(folder) ? 0o077 : 0o007;
      if ((mode & others) !== 0) {
        const detail = `${file} can be read by others (mode ${octal(mode)}).`;
        findings.push(
          problem("secrets", detail, `chmod 600 ${file}, and rotate the secret if others were on this machine.`),
        );
      }
    } catch (error) {
      const detail = `${file} cannot be read (${reasonOf(error)}).`;
      findings.push(problem("secrets", detail, "Put it back, or correct the setting that names it."));
    }
  }
  if (findings.length > 0) return findings;
  return [ok("secrets", files.length === 0 ? "None lies in a file." : `${files.length} files, readable by us alone.`)];
}

function isSecretFile(name: string): boolean {
  return /^[A-Z]+(?:_[A-Z]+)*_(?:KEY|PASSWORD|TOKEN|SECRET)_FILE$/.test(name);
}

/** Room for media, and for names of files. */
export async function lookAtSpace({ dataDirectory, mediaBucket, mediaReserve }: Config): Promise<Finding> {
  const found = await statfs(dataDirectory).catch(() => null);
  if (found === null) return warning("free space", "It cannot be told.", "Look with df.");
  const free = found.bavail * found.bsize;
  const mend = "Make room, remove old results, or set MEDIA_RETENTION_DAYS or MEDIA_QUOTA.";
  if (found.files > 0 && found.ffree < 1000) {
    return problem("free space", `The disk has room for ${found.ffree} more files only.`, mend);
  }
  if (mediaBucket !== null) {
    return ok("free space", `${sayBytes(free)} are free; media lies in a bucket, whose room is not measured.`);
  }
  const said = `${sayBytes(free)} are free; ${sayBytes(mediaReserve)} are kept in reserve.`;
  if (free < mediaReserve) return problem("free space", `${said} No task is accepted.`, mend);
  if (free < mediaReserve * 2) return warning("free space", said, mend);
  return ok("free space", said);
}

export interface Running {
  /** Whether a server holds the directory. */
  readonly held: boolean;
  readonly findings: readonly Finding[];
}

/** Whether a server runs on the directory, and whether it answers. */
export async function lookForServer(config: Config): Promise<Running> {
  const held = isHeld(join(config.dataDirectory, "lock.sqlite"));
  const note = await readServerNote(config.dataDirectory);
  if (!held) {
    const port = await lookAtPort(config);
    if (note === null) return { held, findings: [ok("server", "None runs on this data directory."), port] };
    const detail = `server.json names a server (pid ${note.pid}) that was killed.`;
    return { held, findings: [warning("server", detail, "Nothing: the next start removes it."), port] };
  }
  if (note === null) {
    const detail = "The data directory is in use, and nobody says by whom: a server that starts, or a restore.";
    return { held, findings: [warning("server", detail, "Look again in a moment.")] };
  }
  try {
    const answer = await fetch(new URL("/health", note.url), { signal: AbortSignal.timeout(5000) });
    const health = (await answer.json()) as { status?: unknown; ready?: unknown };
    if (health.status !== "ok") throw new Error(`it answers ${answer.status}`);
    const said = `It answers at ${note.url} (pid ${note.pid}).`;
    const isReady = health.ready === true;
    return { held, findings: [isReady ? ok("server", said) : warning("server", `${said} It is not ready.`, readLog)] };
  } catch (error) {
    const detail = `The server at ${note.url} (pid ${note.pid}) does not answer (${reasonOf(error)}).`;
    return { held, findings: [problem("server", detail, readLog)] };
  }
}

const readLog = "Read its log (journalctl -u safelight), then restart it.";

/** The lock is the proof; it is looked at without being taken. */
function isHeld(file: string): boolean {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    lock.prepare("SELECT count(*) FROM sqlite_schema").get();
    return false;
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    return errcode === 5 || errcode === 6;
  } finally {
    lock?.close();
  }
}

async function lookAtPort({ host, port }: Config): Promise<Finding> {
  if (port === 0) return ok("port", "A free one is taken at the start.");
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port }, resolve);
    });
    return ok("port", `${port} on ${host} is free.`);
  } catch (error) {
    const detail = `${port} on ${host} cannot be listened on (${reasonOf(error)}).`;
    return problem("port", detail, "Stop the program that has it (ss -ltnp), or set another PORT or HOST.");
  } finally {
    server.close();
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8);
}
