import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventLogEnds } from "../context/event-log.ts";
import { type Core, openCore } from "../testing/core.ts";
import { holdReads } from "../testing/held-database.ts";
import { appendEvent } from "./append.ts";
import { followEvents, type StreamEvent } from "./follow.ts";
import { pruneEvents, readEvents } from "./log.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

function append(taskId: string, number: number): Promise<void> {
  return core.context.database.write((tx) =>
    appendEvent(core.context, tx, { taskId, type: "task.updated", data: { number }, signal: "none" }),
  );
}

async function appendMany(count: number): Promise<void> {
  for (let number = 0; number < count; number += 1) await append("task", number);
}

/** Reads a stream until `enough` says so. `onEvent` may hold the reader back. */
async function read(
  options: { lastEventId?: number; taskId?: string; snapshot?: Omit<StreamEvent, "id">[] },
  enough: (events: readonly StreamEvent[]) => boolean,
  onEvent: (event: StreamEvent) => Promise<void> | void = () => {},
): Promise<StreamEvent[]> {
  const stop = new AbortController();
  const events: StreamEvent[] = [];
  const snapshot = () => Promise.resolve(options.snapshot ?? []);
  for await (const event of followEvents(core.context, { ...options, snapshot, signal: stop.signal })) {
    events.push(event);
    await onEvent(event);
    if (enough(events)) stop.abort();
  }
  return events;
}

const ids = (events: readonly StreamEvent[]): (number | null)[] => events.map(({ id }) => id);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe("the event log", () => {
  test("an event is heard after its commit and not when its change is taken back", async () => {
    const heard: number[] = [];
    core.context.hub.subscribe(({ id }) => heard.push(id ?? -1));
    await append("a", 1);
    await core.context.database
      .write(async (tx) => {
        await appendEvent(core.context, tx, { taskId: "a", type: "task.updated", data: {}, signal: "none" });
        throw new Error("taken back");
      })
      .catch(() => undefined);
    await append("a", 2);
    expect(heard).toHaveLength(2);
    expect(heard).toEqual((await readEvents(core.context, { after: 0, upTo: 99, limit: 9 })).map(({ id }) => id));
  });

  test("is cut to its length and its age, in portions, and remembers how far", async () => {
    await appendMany(50);
    const prune = (length: number, ms: number) =>
      core.context.database.write((tx) => pruneEvents(tx, core.clock.now(), { length, ms }));
    expect(await prune(20, 1000)).toBe(30);
    expect(await prune(20, 1000)).toBe(0);
    expect(await eventLogEnds(core.context.database.prepareRead)).toEqual({ head: 50, floor: 30 });
    core.clock.advance(10_000);
    await append("task", 50);
    expect(await prune(100, 5000)).toBe(20);
    expect(await eventLogEnds(core.context.database.prepareRead)).toEqual({ head: 51, floor: 50 });
    expect(await prune(100, -1)).toBe(1);
    expect(await eventLogEnds(core.context.database.prepareRead)).toEqual({ head: 51, floor: 51 });
  });

  test("ids go on counting after everything was thrown away", async () => {
    await appendMany(3);
    await core.context.database.write((tx) => pruneEvents(tx, core.clock.now(), { length: 0, ms: 1 }));
    await append("task", 3);
    expect(await eventLogEnds(core.context.database.prepareRead)).toEqual({ head: 4, floor: 3 });
  });
});

describe("following events", () => {
  test("without Last-Event-ID: the snapshot, marked with the place in the log, then live", async () => {
    await appendMany(3);
    const snapshot = [{ type: "task.updated" as const, data: "{}" }];
    const events = await read(
      { snapshot },
      (seen) => seen.length === 3,
      async ({ id }) => {
        if (id === 3) void appendMany(2);
      },
    );
    expect(ids(events)).toEqual([3, 4, 5]);
  });

  test("with Last-Event-ID: the snapshot without an id, exactly what was missed, then live", async () => {
    await appendMany(6);
    const snapshot = [{ type: "task.updated" as const, data: "{}" }];
    const events = await read(
      { lastEventId: 3, snapshot },
      (seen) => seen.length === 5,
      ({ id }) => {
        if (id === 6) void append("task", 7);
      },
    );
    expect(ids(events)).toEqual([null, 4, 5, 6, 7]);
  });

  test.each([
    ["older than the log reaches", 2],
    ["of another installation, newer than anything here", 999],
  ])("an id %s is answered by stream.reset with the newest id", async (_, lastEventId) => {
    await appendMany(10);
    await core.context.database.write((tx) => pruneEvents(tx, core.clock.now(), { length: 5, ms: 1e9 }));
    const snapshot = [{ type: "task.updated" as const, data: "{}" }];
    const events = await read({ lastEventId, snapshot }, (seen) => seen.length === 2);
    expect(events).toEqual([
      { id: 10, type: "stream.reset", data: "{}" },
      { id: 10, type: "task.updated", data: "{}" },
    ]);
  });

  test("the last id that was thrown away has still missed nothing", async () => {
    await appendMany(10);
    await core.context.database.write((tx) => pruneEvents(tx, core.clock.now(), { length: 5, ms: 1e9 }));
    expect(ids(await read({ lastEventId: 5 }, (seen) => seen.length === 5))).toEqual(range(6, 10));
  });

  test("one task's stream holds that task's events only, replayed and live", async () => {
    for (let number = 0; number < 4; number += 1) await append(number % 2 === 0 ? "even" : "odd", number);
    const events = await read(
      { taskId: "odd", lastEventId: 0 },
      (seen) => seen.length === 3,
      ({ id }) => {
        if (id === 4) void Promise.all([append("even", 4), append("odd", 5)]);
      },
    );
    expect(events.map(({ data }) => JSON.parse(data) as unknown)).toEqual([
      { number: 1 },
      { number: 3 },
      { number: 5 },
    ]);
  });

  test("nothing is lost and nothing comes twice between replay and live, with several writers at work", async () => {
    const total = 2400;
    await appendMany(50);
    const writers = Array.from({ length: 4 }, async () => {
      for (let number = 0; number < (total - 50) / 4; number += 1) {
        await append("task", number);
        if (number % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const readers = [0, 10, 49, 50].map((lastEventId) =>
      read({ lastEventId }, (seen) => seen.at(-1)?.id === 50 + Math.floor((total - 50) / 4) * 4).then((events) => ({
        lastEventId,
        events,
      })),
    );
    const latecomers = Promise.all(writers).then(() => undefined);
    for (const { lastEventId, events } of await Promise.all(readers)) {
      expect(ids(events)).toEqual(range(lastEventId + 1, 50 + Math.floor((total - 50) / 4) * 4));
    }
    await latecomers;
  });

  test("a listener that reads slowly is served from the log and misses nothing", async () => {
    await append("task", 0);
    const events = await read(
      { lastEventId: 0 },
      (seen) => seen.at(-1)?.id === 1201,
      async ({ id }) => {
        // Twice far more happens during one event than a listener's buffer holds.
        if (id === 1 || id === 500) await appendMany(600);
      },
    );
    expect(ids(events)).toEqual(range(1, 1201));
  });

  test("a listener that slept until the log was cut is told so", async () => {
    await append("task", 0);
    const events = await read(
      { lastEventId: 0 },
      (seen) => seen.at(-1)?.type === "stream.reset",
      async ({ id }) => {
        if (id !== 1) return;
        await appendMany(600);
        await core.context.database.write((tx) => pruneEvents(tx, core.clock.now(), { length: 10, ms: 1e9 }));
      },
    );
    // What was already gathered comes first, then the gap is named.
    expect(events.at(-1)).toEqual({ id: 601, type: "stream.reset", data: "{}" });
    expect(ids(events).slice(0, -1)).toEqual(range(1, events.length - 1));
  });

  test("news that is not kept, heard while the state is read: what is older than that state is left out, nothing else", async () => {
    await appendMany(3);
    const news = { id: null, taskId: "task", type: "task.updated" as const, signal: "none" as const };
    const stop = new AbortController();
    const snapshot = () => {
      for (const asOf of [2, 3]) core.context.hub.publish({ ...news, asOf, data: JSON.stringify({ asOf }) });
      return Promise.resolve([]);
    };
    const stream = followEvents(core.context, { snapshot, signal: stop.signal });
    const first = stream.next();
    await append("task", 4);
    expect((await first).value).toEqual({ id: null, type: "task.updated", data: '{"asOf":3}' });
    expect((await stream.next()).value).toMatchObject({ id: 4 });
    stop.abort();
    expect(await stream.next()).toMatchObject({ done: true });
  });

  test("news that is not kept and comes only after the state was told is left out too where it is older", async () => {
    await appendMany(3);
    const stop = new AbortController();
    const snapshot = [{ type: "task.updated" as const, data: '"now"' }];
    const stream = followEvents(core.context, { snapshot: async () => snapshot, signal: stop.signal });
    expect((await stream.next()).value).toEqual({ id: 3, type: "task.updated", data: '"now"' });
    const news = { id: null, taskId: "task", type: "task.updated" as const, signal: "none" as const };
    for (const asOf of [2, 3]) core.context.hub.publish({ ...news, asOf, data: JSON.stringify({ asOf }) });
    expect((await stream.next()).value).toEqual({ id: null, type: "task.updated", data: '{"asOf":3}' });
    stop.abort();
    await stream.return();
  });

  test("a log that is cut between a look at its ends and the replay is told, not passed over", async () => {
    await appendMany(10);
    const held = holdReads(core.context.database, "FROM events WHERE id > ?");
    const snapshot = [{ type: "task.updated" as const, data: "{}" }];
    const reading = read({ lastEventId: 3, snapshot }, (seen) => seen.length === 3);
    await held.waiting;
    await core.context.database.write((tx) => pruneEvents(tx, core.clock.now(), { length: 2, ms: 1e9 }));
    held.release();
    expect(await reading).toEqual([
      { id: null, type: "task.updated", data: "{}" },
      { id: 10, type: "stream.reset", data: "{}" },
      { id: 10, type: "task.updated", data: "{}" },
    ]);
  });

  test("ends quietly when the signal fires, also while nothing happens", async () => {
    const stop = new AbortController();
    const stream = followEvents(core.context, { snapshot: () => Promise.resolve([]), signal: stop.signal });
    const next = stream.next();
    setImmediate(() => stop.abort());
    expect(await next).toEqual({ done: true, value: undefined });
    expect(core.context.hub.listeners).toBe(0);
  });
});
