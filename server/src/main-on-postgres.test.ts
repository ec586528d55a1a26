// The whole server on PostgreSQL: what the settings say, what it refuses to start on, and that nothing is kept in a file.
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Status } from "@safelight/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLog } from "./log.ts";
import { type RunningServer, startServer } from "./main.ts";
import { submitTask } from "./tasks/submit.ts";
import { requestFor } from "./testing/core.ts";
import { refusalOf } from "./testing/opening-refused.ts";
import { type PostgresServer, sharedPostgres } from "./testing/postgres-server.ts";

const password = ["pass", "phrase", "of/a%user"].join("-");
const metricsToken = "a-token-for-metrics-only";
let postgres: PostgresServer;
/** An empty database. */
let url = "";
/** The same, for a user with a password who may do everything there. */
let withPassword = "";
let folder = "";
let lines: string[] = [];

beforeAll(async () => {
  postgres = await sharedPostgres();
  url = await postgres.createDatabase({ empty: true });
  withPassword = await postgres.createUser("gateway", encodeURIComponent(password), url);
  const role = new URL(withPassword).username;
  await postgres.query(url, `ALTER ROLE ${role} PASSWORD '${password}'; GRANT safelight TO ${role}`);
});
afterAll(async () => {
  await postgres.dropDatabase(url);
});
beforeEach(async () => {
  lines = [];
  folder = await mkdtemp(join(tmpdir(), "safelight-on-postgres-"));
  return () => rm(folder, { recursive: true, force: true });
});

function start(settings: Record<string, string>): Promise<RunningServer> {
  const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
  return startServer(
    { DATA_DIR: join(folder, "data"), PORT: "0", EMBEDDED_ENGINE: "off", METRICS_TOKEN: metricsToken, ...settings },
    { log },
  );
}

async function ask(server: RunningServer, path: string): Promise<unknown> {
  const headers = { "x-api-key": server.secrets.apiKey, authorization: `Bearer ${metricsToken}` };
  const answer = await fetch(server.url + path, { headers });
  return path.startsWith("/admin") ? answer.text() : answer.json();
}

describe("a server on PostgreSQL", () => {
  test("keeps everything there, over restarts too, and its password out of the log", async () => {
    const file = join(folder, "database-url");
    await writeFile(file, `${withPassword}\n`, { mode: 0o600 });
    const first = await start({ DATABASE_URL_FILE: file, DATABASE_POOL_SIZE: "2" });
    const { answer } = await submitTask(first.context, { request: requestFor(), idempotency: null, queueLimit: 9 });
    expect(await ask(first, "/admin/metrics")).toMatch(/kind="database"[^\n]* \d{7,}$/m);
    expect(first.context.clock).toBe(first.context.database.clock);
    first.context.log.warn(`an error that repeats ${withPassword} and ${password}`);
    await first.close();

    const second = await start({ DATABASE_URL: withPassword });
    expect(((await ask(second, `/status/${answer.task_id}`)) as Status).status).toBe("pending");
    await second.close();
    expect(existsSync(join(folder, "data", "safelight.sqlite"))).toBe(false);
    expect(lines.join("")).toContain("an error that repeats [redacted] and [redacted]");
    for (const secret of [password, encodeURIComponent(password), withPassword])
      expect(lines.join("")).not.toContain(secret);
  });

  test("does not start where nobody listens, and says so in one line", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const address = taken.address();
    await new Promise((resolve) => taken.close(resolve));
    const port = typeof address === "object" ? address?.port : 0;
    const line = await refusalOf(
      start({ DATABASE_URL: `postgres://user:${encodeURIComponent(password)}@127.0.0.1:${port}/x` }),
    );
    expect(line).toBe(
      `DATABASE_URL: 127.0.0.1:${port}, database x, cannot be reached (ECONNREFUSED). Is PostgreSQL running there?`,
    );
  });

  test("does not start with a wrong password, nor on what a newer release has changed for good", async () => {
    const wrong = new URL(withPassword);
    wrong.password = "another";
    expect(await refusalOf(start({ DATABASE_URL: wrong.href }))).toContain("wrong password");
    const newer = await postgres.createDatabase();
    await postgres.query(
      newer,
      "INSERT INTO migrations (number, name, checksum, breaking, applied_at) VALUES (900, 'later', 'x', 1, 0)",
    );
    expect(await refusalOf(start({ DATABASE_URL: newer }))).toContain(
      "Install that release and start it: safelight serve.",
    );
    await postgres.dropDatabase(newer);
  });

  test("lets the data directory go when it does not start; beside it none with media of its own starts", async () => {
    await refusalOf(start({ DATABASE_URL: "postgres://nobody@127.0.0.1:1/x" }));
    const server = await start({ DATABASE_URL: url });
    expect(server.context.database.kind).toBe("postgres");
    const beside = start({ DATABASE_URL: url, DATA_DIR: join(folder, "beside") });
    expect(await refusalOf(beside)).toMatch(
      /^MEDIA_URL: another gateway on this database keeps its media in the folder/,
    );
    await server.close();
  });
});
