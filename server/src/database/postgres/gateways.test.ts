// Several gateways on one database: one of them leads, all have the same time, and what is said is heard everywhere.
import { Client } from "pg";
import { afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type PostgresServer, sharedPostgres } from "../../testing/postgres-server.ts";
import { CopyTarget } from "./copy-target.ts";
import { postgresDialect } from "./dialect.ts";
import { postgresMigrations } from "./migrations/all.ts";
import { openPostgres, type PostgresDatabase, type PostgresOptions } from "./postgres-database.ts";

let server: PostgresServer;
let url: string;
let opened: PostgresDatabase[];

beforeAll(async () => {
  server = await sharedPostgres();
});
beforeEach(async () => {
  url = await server.createDatabase();
  opened = [];
});
afterEach(async () => {
  for (const database of opened) await database.close();
  await server.dropDatabase(url);
});

async function open(options: Partial<PostgresOptions> = {}): Promise<PostgresDatabase> {
  const database = await openPostgres({ url, ...options, times: { leaderAsk: 20, ...options.times } });
  opened.push(database);
  return database;
}

/** Everything that a gateway is told of leading, and a wait for the next word. */
function leading(database: PostgresDatabase) {
  const told: boolean[] = [];
  let wake = (): void => undefined;
  const giveUp = database.lead((leads) => {
    told.push(leads);
    wake();
  });
  const until = async (leads: boolean): Promise<void> => {
    while (told.at(-1) !== leads) await new Promise<void>((resolve) => (wake = resolve));
  };
  return { told, giveUp, until };
}

const sessions = `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`;

test("one gateway leads; when it gives up another one does", async () => {
  const one = leading(await open());
  await one.until(true);
  const other = leading(await open());
  const third = leading(opened[1] as PostgresDatabase);
  expect(await server.query(url, sessions)).toHaveLength(1);
  expect([other.told, third.told]).toEqual([[], []]);
  await one.giveUp();
  await Promise.all([other.until(true), third.until(true)]);
  expect(one.told).toEqual([true]);
  expect(await server.query(url, sessions)).toHaveLength(1);
});

test("who shares the lead of a gateway is told at once, and one that gives up leaves it to the others", async () => {
  const database = await open();
  const one = leading(database);
  await one.until(true);
  const other = leading(database);
  expect(other.told).toEqual([true]);
  await one.giveUp();
  expect(await server.query(url, sessions)).toHaveLength(1);
  await other.giveUp();
  expect(await server.query(url, sessions)).toEqual([]);
  const again = leading(database);
  await again.until(true);
});

test("a lost connection ends it, and a database that is closed leaves it to others", async () => {
  const one = leading(await open());
  await one.until(true);
  const [{ pid } = {}] = await server.query(url, sessions);
  await server.query(url, `SELECT pg_terminate_backend(${String(pid)})`);
  await one.until(false);
  await one.until(true);
  const other = leading(await open());
  await opened[0]?.close();
  await other.until(true);
  expect(one.told).toEqual([true, false, true, false]);
});

test("who cannot ask in time leads no more, before the server lets somebody else", async () => {
  // It does not ask again after it was let, nor if the first answer came too late.
  const silent = leading(await open({ times: { leaderAsk: 60_000, leaderAnswer: 1000, leaderIdle: 5000 } }));
  await silent.until(true);
  await silent.until(false);
  const other = leading(await open());
  await other.until(true);
});

test("a listener that fails harms no other", async () => {
  const database = await open();
  database.lead(() => {
    throw new Error("no");
  });
  await leading(database).until(true);
});

test("gateways whose machines are ten seconds apart have the same time, that of the database", async () => {
  const machine = () => performance.timeOrigin + performance.now();
  const early = await open({ machineClock: () => machine() - 5000 });
  const late = await open({ machineClock: () => machine() + 5000 });
  // A round trip is the most that they may differ by; so long a one belongs to a machine that is all but standing.
  const between = Math.abs(late.clock.now() - early.clock.now());
  expect(between).toBeLessThan(1000);
  const before = early.clock.steady();
  const [{ time } = {}] = await server.query(url, "SELECT extract(epoch FROM clock_timestamp()) * 1000 AS time");
  expect(Number(time)).toBeGreaterThan(before - 1000);
  expect(Number(time)).toBeLessThan(late.clock.steady() + 1000);
});

test("a row that one transaction has picked is passed over by the next, which does not wait for it", async () => {
  const database = await open();
  for (const key of ["a", "b"]) {
    await database.write((tx) => tx.prepare("INSERT INTO settings (key, value) VALUES (?, 'x')").run(key));
  }
  const clients = [new Client(url), new Client(url), new Client(url)];
  const picked: unknown[] = [];
  for (const client of clients) {
    await client.connect();
    await client.query("BEGIN");
    const { rows } = await client.query(
      `SELECT key FROM settings ORDER BY key LIMIT 1${postgresDialect.picking("settings")}`,
    );
    picked.push(rows);
  }
  for (const client of clients) await client.end();
  expect(picked).toEqual([[{ key: "a" }], [{ key: "b" }], []]);
});

test("a release that adds to the schema lets the writer go first that stands in the middle of its turn", async () => {
  const older = await open();
  const sql = "ALTER TABLE events ADD COLUMN added BIGINT; ALTER TABLE deployments ADD COLUMN added BIGINT";
  const migrations = [...postgresMigrations, { number: postgresMigrations.length + 1, name: "more", sql }];
  let newer: Promise<PostgresDatabase> | undefined;
  // It has changed the one table, and the other comes next.
  const written = older.write(async ({ prepare }) => {
    await prepare("UPDATE deployments SET runner = NULL").run();
    newer = open({ migrations });
    await expect.poll(() => server.query(url, waiting), { timeout: 8000, interval: 20 }).toHaveLength(1);
    await prepare(
      "INSERT INTO events (task_id, type, data, created_at) VALUES ('task', 'task.deleted', '{}', 1)",
    ).run();
  });
  const ends = await Promise.allSettled([written, written.catch(() => undefined).then(() => newer)]);
  expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
});

test("a column that another release adds to a table in use disturbs nobody, though statements are kept", async () => {
  const database = await open();
  const ask = () => database.prepareRead("SELECT * FROM tasks").all();
  const change = () => database.write((tx) => tx.prepare("UPDATE tasks SET front = 0 RETURNING *").all());
  const look = () => database.read(({ prepare }) => prepare("SELECT * FROM tasks").all());
  await Promise.all([...Array.from({ length: 8 }, ask), change()]);
  await server.query(url, "ALTER TABLE tasks ADD COLUMN added BIGINT");
  // Whoever asks first finds it out for all.
  await ask();
  await expect(Promise.all([change(), ...Array.from({ length: 8 }, look), ask()])).resolves.toHaveLength(10);
});

const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;

test("who leads is not taken for somebody who fills the database with a copy", async () => {
  await leading(await open()).until(true);
  await (await CopyTarget.open(url, Date.now())).close();
});

test("the connection that listens is asked one thing at a time, however many begin and end to listen meanwhile", async () => {
  const busy = new Map<Client, number>();
  const overlapping = new Set<Client>();
  const listening = new Set<Client>();
  const query = Reflect.get(Client.prototype, "query") as (this: Client, ...asked: unknown[]) => unknown;
  const spy = vi.spyOn(Client.prototype, "query").mockImplementation(function (this: Client, ...asked: unknown[]) {
    const answer = query.apply(this, asked);
    if (!(answer instanceof Promise)) return answer;
    const before = busy.get(this) ?? 0;
    if (before > 0) overlapping.add(this);
    if (String(asked[0]).startsWith("LISTEN")) listening.add(this);
    busy.set(this, before + 1);
    return answer.finally(() => busy.set(this, (busy.get(this) ?? 1) - 1)) as never;
  } as never);
  try {
    const database = await open({ times: { look: 5 } });
    const heard: string[] = [];
    const ends = ["news", "weather", "sport"].map((name) => database.listen(name, () => heard.push(name)));
    await expect.poll(() => new Set(heard).size).toBe(3);
    ends.forEach((end) => end());
    database.listen("news", (payload) => heard.push(`again ${payload}`));
    await expect.poll(() => heard).toContain("again null");
    await server.query(url, "NOTIFY news, 'rain'");
    await expect.poll(() => heard).toContain("again rain");
    await database.write(async (tx) => tx.notify("news", "sun"));
    await expect.poll(() => heard).toContain("again sun");
    expect([...listening].filter((client) => overlapping.has(client))).toHaveLength(0);
    expect(listening.size).toBe(1);
  } finally {
    spy.mockRestore();
  }
});
