// A database that goes away, falls silent or comes back while the server runs: nobody is let in meanwhile, nothing that was promised is
// lost, and all goes on by itself.
import { execFileSync } from "node:child_process";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { isStorageFailure } from "../../errors.ts";
import { createLog } from "../../log.ts";
import { type PostgresServer, startPostgres } from "../../testing/postgres-server.ts";
import { openGate, type TcpGate } from "../../testing/tcp-gate.ts";
import type { Transaction } from "../database.ts";
import { openPostgres, type PostgresDatabase, type PostgresOptions } from "./postgres-database.ts";

let server: PostgresServer;
let gate: TcpGate;
let url: string;
let lines: string[];
let opened: PostgresDatabase[];

beforeAll(async () => {
  server = await startPostgres({ durable: true });
});
afterAll(() => server.stop());

beforeEach(async () => {
  url = await server.createDatabase();
  gate = await openGate(server.port);
  [lines, opened] = [[], []];
});
afterEach(async () => {
  for (const database of opened) await database.close();
  await gate.close();
  await server.dropDatabase(url);
});

async function open(options: Partial<PostgresOptions> = {}): Promise<PostgresDatabase> {
  const log = createLog({ level: "info", destination: { write: (line) => void lines.push(line) } });
  const times = { connect: 2000, look: 50, retry: 50, answer: 2000, ...options.times };
  const database = await openPostgres({ url, log, ...options, times });
  opened.push(database);
  return database;
}

const throughGate = () => url.replace(`:${server.port}/`, `:${gate.port}/`);
const put = (tx: Transaction, key: string) => tx.prepare("INSERT INTO settings (key, value) VALUES (?, 'x')").run(key);
const keys = async (): Promise<unknown[]> =>
  (await server.query(url, "SELECT key FROM settings ORDER BY key")).map(({ key }) => key);
const unavailable = expect.objectContaining({ code: "storage_unavailable" });

const whenUnwell = (database: PostgresDatabase) => expect.poll(() => database.isUsable()).toBe(false);

/** A machine that is very busy may find a database unwell for a moment; what counts is that it ends. */
async function whenWell(database: PostgresDatabase, key: string): Promise<void> {
  const write = () =>
    database
      .write((tx) => put(tx, key))
      .then(
        () => "stored",
        () => "refused",
      );
  await expect.poll(write).toBe("stored");
  const read = () =>
    database
      .prepareRead("SELECT 1 AS one FROM settings WHERE key = ?")
      .get(key)
      .catch(() => undefined);
  await expect.poll(read).toEqual({ one: 1 });
}

test("a server that crashes and starts again: refused meanwhile, then everything goes on, listening too", async () => {
  const database = await open();
  const heard: (string | null)[] = [];
  database.listen("news", (payload) => heard.push(payload));
  await database.write((tx) => put(tx, "before"));
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
  const cut = database.write(async (tx) => {
    await put(tx, "cut");
    begun();
    await held;
  });
  const outcome = expect(cut).rejects.toEqual(unavailable);
  await hasBegun;
  await server.crash();
  await whenUnwell(database);
  release();
  await outcome;
  await expect(database.write((tx) => put(tx, "refused"))).rejects.toEqual(unavailable);
  const reading = await database
    .prepareRead("SELECT 1")
    .get()
    .catch((error: unknown) => error);
  expect(isStorageFailure(reading)).toBe(true);
  await expect(database.read(({ prepare }) => prepare("SELECT 1").get())).rejects.toSatisfy(isStorageFailure);
  await expect.poll(() => heard).toContain(null);
  heard.length = 0;
  await server.start();
  await whenWell(database, "after");
  expect(await keys()).toEqual(["after", "before"]);
  await expect.poll(() => heard).toContain(null);
  await database.write((tx) => tx.notify("news", "again"));
  await expect.poll(() => heard).toContain("again");
  const told = lines.join("");
  expect(told).toContain("cannot be relied on");
  expect(told).toContain("can be relied on again");
  expect(told).toContain("127.0.0.1");
});

test("a connection that has fallen silent holds nobody for long", async () => {
  const database = await open({ url: throughGate() });
  await database.write((tx) => put(tx, "before"));
  gate.freeze();
  const asked = [
    database.prepareRead("SELECT 1").get(),
    database.read(({ prepare }) => prepare("SELECT 1").get()),
    database.write((tx) => put(tx, "silent")),
  ];
  const outcomes = await Promise.allSettled(asked);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(outcomes.every((outcome) => outcome.status === "rejected" && outcome.reason instanceof Error)).toBe(true);
  await whenUnwell(database);
  gate.thaw();
  await whenWell(database, "after");
});

test("a server whose processes are stopped: unwell until they go on", async () => {
  const database = await open();
  await database.write((tx) => put(tx, "before"));
  const first = await server.pid();
  const all = execFileSync("ps", ["-e", "-o", "pid=,ppid="], { encoding: "utf8" })
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid = 0, parent]) => (pid === first || parent === first ? [pid] : []));
  for (const pid of all) process.kill(pid, "SIGSTOP");
  await whenUnwell(database);
  await expect(database.write((tx) => put(tx, "refused"))).rejects.toEqual(unavailable);
  for (const pid of all) process.kill(pid, "SIGCONT");
  await whenWell(database, "after");
});

test("a gateway that stops in the middle of its turn loses it, and the others go on", async () => {
  const stopped = await open({ times: { idle: 300 } });
  const other = await open();
  const { promise: held, resolve: release } = Promise.withResolvers<void>();
  const { promise: hasBegun, resolve: begun } = Promise.withResolvers<void>();
  const lost = stopped.write(async (tx) => {
    await put(tx, "lost");
    begun();
    await held;
  });
  const outcome = expect(lost).rejects.toEqual(unavailable);
  await hasBegun;
  await other.write((tx) => put(tx, "other"));
  release();
  await outcome;
  expect(await keys()).toEqual(["other"]);
  await whenWell(stopped, "again");
});

test("a commit whose answer is lost is told as what it is: the change may be there", async () => {
  const database = await open({ url: throughGate() });
  await database.write((tx) => put(tx, "before"));
  const heard: (string | null)[] = [];
  database.listen("news", (text) => heard.push(text));
  await expect.poll(() => heard).toContain(null);
  heard.length = 0;
  gate.loseAnswerTo("COMMIT");
  const lost: unknown = await database.write((tx) => put(tx, "maybe")).catch((error: unknown) => error);
  expect(lost).toEqual(unavailable);
  expect(String(lost)).toContain("may be there or not");
  expect(await keys()).toEqual(["before", "maybe"]);
  // What should have followed the commit did not, so everybody looks for themselves.
  await expect.poll(() => heard).toContain(null);
  await whenWell(database, "after");
});

test("closing does not wait for a server that has fallen silent", async () => {
  const database = await open({ url: throughGate(), times: { answer: 300, leaderAnswer: 300, leaderIdle: 600 } });
  await database.write((tx) => put(tx, "before"));
  await database.prepareRead("SELECT 1").get();
  const { promise: leading, resolve } = Promise.withResolvers<boolean>();
  database.lead(resolve);
  expect(await leading).toBe(true);
  gate.freeze();
  await database.close();
  expect(database.isUsable()).toBe(false);
});

test("a gateway that leads and cannot be reached leads no more, and then another one does", async () => {
  const times = { leaderAsk: 50, leaderAnswer: 500, leaderIdle: 1000, look: 60_000 };
  const [near, far] = [await open({ times }), await open({ url: throughGate(), times })];
  const steps: string[] = [];
  const told = (name: string) => (leads: boolean) => void steps.push(`${name} ${leads}`);
  far.lead(told("far"));
  await expect.poll(() => steps).toEqual(["far true"]);
  near.lead(told("near"));
  gate.freeze();
  await expect.poll(() => steps, { timeout: 10_000 }).toEqual(["far true", "far false", "near true"]);
  gate.thaw();
});

test("connections that were ended by the operator are made anew", async () => {
  const database = await open();
  await database.write((tx) => put(tx, "before"));
  await database.prepareRead("SELECT 1").get();
  await server.query(
    url,
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'safelight%'",
  );
  await whenWell(database, "after");
});

test("a database that was exchanged for another one is not written to", async () => {
  const database = await open();
  const [{ checksum, number } = {}] = await server.query(url, "SELECT * FROM migrations ORDER BY number DESC LIMIT 1");
  const set = (value: string) =>
    server.query(url, `UPDATE migrations SET checksum = '${value}' WHERE number = ${String(number)}`);
  await set("another");
  await whenUnwell(database);
  await expect(database.write((tx) => put(tx, "wrong"))).rejects.toEqual(unavailable);
  expect(lines.join("")).toContain("not the database that was opened");
  await set(String(checksum));
  await whenWell(database, "after");
});

test("who finds every connection busy for too long is told so, and the next one is served", async () => {
  const database = await open({ poolSize: 1, times: { poolWait: 200 } });
  await database.read(async ({ prepare }) => {
    await prepare("SELECT 1").get();
    await expect(database.prepareRead("SELECT 1").get()).rejects.toSatisfy(isStorageFailure);
  });
  expect(lines.join("")).toContain("were busy for too long");
  await expect
    .poll(() =>
      database
        .prepareRead("SELECT 1 AS one")
        .get()
        .catch(() => undefined),
    )
    .toEqual({ one: 1 });
});

test("what one gateway says when it commits, all of them hear; what it takes back, nobody", async () => {
  const [one, other] = [await open(), await open()];
  const heard: string[] = [];
  const end = one.listen("news", (payload) => heard.push(`one ${payload}`));
  other.listen("news", (payload) => heard.push(`other ${payload}`));
  await expect.poll(() => heard.toSorted()).toEqual(["one null", "other null"]);
  heard.length = 0;
  await one
    .write(async (tx) => {
      await tx.notify("news", "taken back");
      throw new Error("no");
    })
    .catch(() => undefined);
  await other.write((tx) => tx.notify("news", "first"));
  await expect.poll(() => heard.toSorted()).toEqual(["one first", "other first"]);
  end();
  await other.write((tx) => tx.notify("news", "second"));
  await expect.poll(() => heard).toContain("other second");
  expect(heard).not.toContain("one second");
});

test("whoever writes an event tells every gateway", async () => {
  const [one, other] = [await open(), await open()];
  let heard = 0;
  one.listen("safelight_events", (text) => {
    if (text !== null) heard += 1;
  });
  await one.look();
  await other.write((tx) =>
    tx.prepare("INSERT INTO events (task_id, type, data, created_at) VALUES ('a', 'b', '{}', 1)").run(),
  );
  await expect.poll(() => heard).toBeGreaterThan(0);
});

test("writes of two gateways take turns: none is lost", async () => {
  const [one, other] = [await open(), await open()];
  await one.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES ('count', '0')").run());
  const increment = (database: PostgresDatabase) =>
    database.write(async (tx) => {
      const row = await tx.prepare("SELECT value FROM settings").get();
      await tx.prepare("UPDATE settings SET value = ?").run(String(Number(row?.value) + 1));
    });
  await Promise.all(Array.from({ length: 30 }, () => Promise.all([increment(one), increment(other)])));
  expect(await server.query(url, "SELECT value FROM settings")).toEqual([{ value: "60" }]);
});
