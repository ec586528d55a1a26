// Two gateways on one PostgreSQL database: whoever listens at either of them hears every event once, in order.
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Context, createContext } from "../context/context.ts";
import type { PublishedEvent } from "../context/event-hub.ts";
import { appendEvent } from "../events/append.ts";
import { followEvents, type StreamEvent } from "../events/follow.ts";
import { pruneEvents } from "../events/log.ts";
import { openGateway, type TestGateway } from "../testing/gateway.ts";
import { Gate, HeldDatabase } from "../testing/held-database.ts";
import { type PostgresServer, sharedPostgres } from "../testing/postgres-server.ts";
import { startEventFeed } from "./event-feed.ts";

let server: PostgresServer;
let url: string;
let one: TestGateway;
let other: TestGateway;
let ends: (() => Promise<void>)[];

beforeAll(async () => {
  server = await sharedPostgres();
});
beforeEach(async () => {
  url = await server.createDatabase();
  [one, other] = await Promise.all([openGateway(url), openGateway(url)]);
  ends = [];
});
afterEach(async () => {
  for (const end of ends) await end();
  await Promise.all([one.close(), other.close()]);
  await server.dropDatabase(url);
});

const append = ({ context }: { context: Context }, number: number, signal: PublishedEvent["signal"] = "none") =>
  context.database.write((tx) =>
    appendEvent(context, tx, { taskId: "task", type: "task.updated", data: { number }, signal }),
  );

function heardAt({ context }: { context: Context }): PublishedEvent[] {
  const heard: PublishedEvent[] = [];
  context.hub.subscribe((event) => void heard.push(event));
  return heard;
}

/** As a client does it: up to the event that `enough` accepts, from the one after `lastEventId`. */
async function read(
  { context }: { context: Context },
  lastEventId: number,
  enough: (event: StreamEvent) => boolean,
): Promise<number[]> {
  const ids: number[] = [];
  const stop = new AbortController();
  const snapshot = () => Promise.resolve([]);
  for await (const event of followEvents(context, { lastEventId, snapshot, signal: stop.signal })) {
    ids.push(event.id ?? -1);
    if (enough(event)) break;
  }
  return ids;
}

const isLast = ({ data }: StreamEvent): boolean => data === '{"number":-1}';
/** Those on which gateways listen; what is said meanwhile is lost. */
async function loseConnections(): Promise<void> {
  const lost = await server.query(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
       AND query ~ 'current_setting|clock_timestamp|LISTEN'`,
  );
  expect(lost.length).toBeGreaterThanOrEqual(2);
}

test("what was written here has been told here when the write resolves, and comes to others with its meaning", async () => {
  const [here, there] = [heardAt(one), heardAt(other)];
  await append(one, 1, "waiting");
  // Work that was taken back leaves a gap in the ids.
  const fails = one.context.database.write(async (tx) => {
    await appendEvent(one.context, tx, { taskId: "task", type: "task.updated", data: {}, signal: "none" });
    throw new Error("no");
  });
  await expect(fails).rejects.toThrow("no");
  await Promise.all([append(one, 2, "cancelling"), append(one, 3, "ended")]);
  expect(here.map(({ signal }) => signal)).toEqual(["waiting", "cancelling", "ended"]);
  expect(here.some(({ elsewhere }) => elsewhere)).toBe(false);
  await expect.poll(() => there).toEqual(here.map((event) => ({ ...event, elsewhere: true })));
});

test("what was written here is known as such, even where it is read before the answer to its commit has come", async () => {
  const held = new HeldDatabase(one.database);
  const { log, config, media } = one.context;
  const context = createContext({ database: held, log, config, media });
  ends.push(await startEventFeed(context));
  const here = heardAt({ context });
  const gate = new Gate();
  held.onWritten = () => gate.pass();
  const appended = append({ context }, 1, "ended");
  await gate.reached;
  await expect.poll(() => here).toHaveLength(1);
  gate.open();
  await appended;
  held.onWritten = () => undefined;
  await append(other, 2);
  await expect
    .poll(() => here.map(({ id, elsewhere = false }) => [id, elsewhere]))
    .toEqual([
      [1, false],
      [2, true],
    ]);
});

test("with writers and readers at both, notices lost and a reader that moves, everybody hears each event once and in order", async () => {
  const writers = [one, other].map(async (gateway) => {
    for (let number = 1; number <= 60; number += 1) await append(gateway, number);
  });
  const moving = async (): Promise<number[]> => {
    const first = await read(one, 0, ({ id }) => (id ?? 0) >= 40);
    const second = await read(other, first.at(-1) ?? 0, ({ id }) => (id ?? 0) >= 80);
    return [...first, ...second, ...(await read(one, second.at(-1) ?? 0, isLast))];
  };
  const readers = [read(one, 0, isLast), read(other, 0, isLast), moving()];
  const cut = read(one, 0, ({ id }) => (id ?? 0) >= 60).then(loseConnections);
  await Promise.all([...writers, cut]);
  await expect
    .poll(() =>
      append(other, -1).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  const all = (await server.query(url, "SELECT id FROM events ORDER BY id")).map(({ id }) => Number(id));
  for (const ids of await Promise.all(readers)) expect(ids).toEqual(all.slice(0, ids.length));
  expect(all.length).toBeGreaterThanOrEqual(121);
});

test("a gateway that was too far behind when the log was cut has its listeners look for themselves", async () => {
  const held = new HeldDatabase(other.database);
  const { log, config, media } = other.context;
  const context = createContext({ database: held, log, config, media });
  ends.push(await startEventFeed(context));
  const stop = new AbortController();
  const snapshot = () => Promise.resolve([{ type: "task.updated" as const, data: '"now"' }]);
  const stream = followEvents(context, { snapshot, signal: stop.signal });
  expect(await stream.next()).toMatchObject({ value: { id: 0, data: '"now"' } });
  const gate = new Gate();
  held.onRead = (sql) => (sql.includes("AS log") ? gate.pass() : undefined);
  const next = stream.next();
  for (let number = 1; number <= 10; number += 1) await append(one, number);
  await gate.reached;
  await one.context.database.write((tx) => pruneEvents(tx, Date.now(), { length: 2, ms: 1e12 }));
  gate.open();
  expect(await next).toMatchObject({ value: { id: 10, type: "stream.reset" } });
  expect(await stream.next()).toMatchObject({ value: { id: 10, data: '"now"' } });
  await append(one, 11);
  expect(await stream.next()).toMatchObject({ value: { id: 11 } });
  stop.abort();
  await stream.return();
});

test("a database that was put back to an earlier state is followed from there", async () => {
  for (let number = 1; number <= 3; number += 1) await append(one, number);
  let missed = 0;
  one.context.hub.onMissed(() => {
    missed += 1;
  });
  const here = heardAt(one);
  await server.query(url, "DELETE FROM events WHERE id > 1; ALTER TABLE events ALTER COLUMN id RESTART WITH 2");
  await loseConnections();
  await expect.poll(() => missed).toBe(1);
  await expect
    .poll(() =>
      append(one, 4).then(
        () => true,
        () => false,
      ),
    )
    .toBe(true);
  expect(here.map(({ id }) => id)).toEqual([2]);
});
