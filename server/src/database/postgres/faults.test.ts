// What is done where a statement, a value or the connection is at fault, without a server that has to be stopped.
import { setImmediate as turn } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createLog } from "../../log.ts";
import { type PostgresServer, sharedPostgres } from "../../testing/postgres-server.ts";
import { parsePostgresUrl } from "./address.ts";
import { Sockets, usualTimes } from "./connect.ts";
import { DatabaseClock } from "./database-clock.ts";
import { StorageFault } from "./faults.ts";
import { openPostgres, type PostgresDatabase } from "./postgres-database.ts";
import { PostgresWatch } from "./watch.ts";

const lines: string[] = [];
const log = createLog({ level: "debug", destination: { write: (line) => void lines.push(line) } });
const unavailable = expect.objectContaining({ code: "storage_unavailable" });

let server: PostgresServer;
let url: string;
let database: PostgresDatabase;

beforeAll(async () => {
  server = await sharedPostgres();
  url = await server.createDatabase();
  database = await openPostgres({ url, log, times: { work: 300, unused: 50, look: 20, retry: 20 } });
});
afterAll(async () => {
  await database.close();
  await server.dropDatabase(url);
});

test.each([
  ["a row that is there already", "INSERT INTO settings (key, value) VALUES (?, 'x'), ('a prompt', 'x')"],
  ["a value that may not be missing", "INSERT INTO settings (key, value) VALUES (?, NULL)"],
  ["a value of the wrong form", "SELECT CAST(? AS BIGINT)"],
])("%s: the value stands neither in the error nor in the log", async (_, sql) => {
  const refused: unknown = await database
    .write((tx) => tx.prepare(sql).run("a prompt"))
    .catch((error: unknown) => error);
  log.error("refused", { error: refused });
  expect(String(refused)).not.toBe("undefined");
  expect(lines.at(-1)).toContain("refused");
  expect(lines.join("")).not.toContain("a prompt");
  expect(JSON.stringify(Object.entries(refused as Error))).not.toContain("a prompt");
});

test("a statement that takes too long loses its turn, and others have theirs", async () => {
  const slow = database.write((tx) => tx.prepare("SELECT pg_sleep(60)").run());
  await expect(slow).rejects.toEqual(unavailable);
  const one = await database.write((tx) => tx.prepare("SELECT 1 AS one").get());
  expect(one).toEqual({ one: 1 });
});

test("a connection that was not used for a while is not used again", async () => {
  const pid = () => database.write((tx) => tx.prepare("SELECT pg_backend_pid() AS pid").get());
  const first = await pid();
  await server.query(url, "SELECT pg_sleep(0.1)");
  expect(await pid()).not.toEqual(first);
});

test("who is gone while the server sends to it does not keep what it holds", async () => {
  const sql = "SELECT current_setting('tcp_user_timeout') AS limit";
  expect(await database.write((tx) => tx.prepare(sql).get())).toEqual({ limit: "10000" });
});

test("faults that keep coming do not put off the look at the database", async () => {
  const watch = new PostgresWatch({
    address: parsePostgresUrl("postgres://nobody@127.0.0.1:1/nowhere"),
    times: { ...usualTimes, look: 600_000 },
    sockets: new Sockets(),
    applicationName: "test",
    log,
    step: { number: 1, checksum: "" },
    clock: new DatabaseClock(),
    cut: () => undefined,
  });
  const fault = new StorageFault("gone", { breaks: true });
  while (watch.isUsable) {
    watch.suspect(fault);
    await turn();
  }
  await watch.close();
});

test("the database of another installation is not taken for this one", async () => {
  const set = (value: string) => `INSERT INTO installation (name, value) VALUES ('secret_salt', '${value}')
    ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
  await server.query(url, set("ours"));
  await database.look();
  expect(database.isUsable()).toBe(true);
  await server.query(url, set("theirs"));
  await expect.poll(() => database.isUsable()).toBe(false);
  await expect(database.write(() => undefined)).rejects.toEqual(unavailable);
  await server.query(url, set("ours"));
  await expect.poll(() => database.isUsable()).toBe(true);
});
