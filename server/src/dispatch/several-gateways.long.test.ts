// Gateways that share a PostgreSQL database, under faults and kills: each task is run to its end, once.

import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SafelightError } from "../errors.ts";
import { deriveTimeLimits } from "../tasks/time-limits.ts";
import { ended, gate, namesIn, submit, taskOf, until } from "../testing/core.ts";
import { allTasks, brokenPromises } from "../testing/invariants.ts";
import { sharedPostgres } from "../testing/postgres-server.ts";
import { type Installation, openInstallation, type WorkingGateway } from "../testing/working-gateway.ts";
import { sweepOrphans } from "./sweep.ts";

/** A lease of three seconds, looked at twice in a second. */
const limits = deriveTimeLimits({ image: 60_000, video: 60_000 });
const TASKS = 60;

let place: Installation;

beforeEach(async () => {
  place = await openInstallation();
  Object.assign(place.slots, { image: 3, video: 1, total: 3 });
});
afterEach(() => place.close());

/** At each gateway in turn. */
async function submitAll(gateways: readonly WorkingGateway[], tasks = TASKS): Promise<string[]> {
  const ids: string[] = [];
  for (let task = 0; task < tasks; task += 1) {
    const gateway = gateways[task % gateways.length];
    if (gateway === undefined) throw new Error("no gateway");
    ids.push(await submit(gateway));
  }
  return ids;
}

const lively = (ms: number) => () => [
  { do: "preview" } as const,
  { do: "wait", until: () => pause(ms) } as const,
  { do: "report", update: { stage: "decode", progress: 80 } } as const,
];

test("connections are cut again and again: no task is lost, none is begun twice, none loses an attempt", async () => {
  const gateways = [await place.open({ limits }), await place.open({ limits }), await place.open({ limits })];
  const server = await sharedPostgres();
  let isOver = false;
  let cuts = 0;
  let { promise: cut, resolve: tellCut } = Promise.withResolvers<void>();
  // However fast they are, nothing that runs ends before a connection was cut.
  for (const machine of [place.worker, ...gateways.map(({ own }) => own)]) {
    machine.script = () => [
      { do: "preview" },
      { do: "wait", until: () => cut },
      { do: "report", update: { stage: "decode", progress: 80 } },
    ];
  }
  const ids = await submitAll(gateways);
  const cutting = (async () => {
    while (!isOver) {
      const rows = await server.query(
        place.url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.3",
      );
      await pause(400);
      if (rows.length === 0) continue;
      cuts += rows.length;
      tellCut();
      ({ promise: cut, resolve: tellCut } = Promise.withResolvers<void>());
    }
    tellCut();
  })();
  try {
    const [first] = gateways;
    if (first === undefined) throw new Error("no gateway");
    for (const id of ids) {
      const done = await endedAfterAll(first, id);
      expect(done).toMatchObject({ status: "done", attempt: 1 });
    }
  } finally {
    isOver = true;
    await cutting;
  }
  expect(cuts).toBeGreaterThan(5);
  const started = [place.worker, ...gateways.map(({ own }) => own)].flatMap((machine) =>
    machine.started.map(({ taskId }) => taskId),
  );
  expect(started.sort()).toEqual([...ids].sort());
  for (const gateway of gateways) await gateway.stop();
  const [first] = gateways;
  if (first === undefined) throw new Error("no gateway");
  await sweepOrphans(first.context);
  expect(await brokenPromises(first)).toEqual([]);
  expect(await namesIn(first.context.media.list("results/"))).toHaveLength(TASKS);
}, 300_000);

/** Reading fails as well while the connections are cut. */
async function endedAfterAll(gateway: WorkingGateway, id: string) {
  for (;;) {
    try {
      return await ended(gateway, id);
    } catch (error) {
      if (!String(error).includes("EIO") && (error as { code?: unknown }).code !== "EIO") throw error;
      await pause(50);
    }
  }
}

test("a database that was away for longer than a lease: everybody goes on with what they had", async () => {
  Object.assign(place.slots, { image: 0, video: 0, total: 0 });
  const gateways = [await place.open({ limits }), await place.open({ limits })];
  const hold = gate();
  for (const { own } of gateways) own.script = () => [{ do: "wait", until: hold.opened }];
  const ids = await submitAll(gateways.slice(0, 1), 2);
  for (const gateway of gateways) await until(gateway, () => gateway.own.started.length === 1);
  const failing = () => {
    throw new SafelightError("storage_unavailable", "The database is away.");
  };
  for (const { database } of gateways) Object.assign(database, { onRead: failing, onWrite: failing });
  place.clock.advance(limits.lease + 1);
  await pause(limits.lease);
  for (const { logged } of gateways) expect(logged.some((line) => line.includes("a regular check failed"))).toBe(true);
  for (const { database } of gateways) Object.assign(database, { onRead: () => undefined, onWrite: () => undefined });
  await pause(limits.lease);
  hold.open();
  for (const id of ids)
    expect(await ended(gateways[0] as WorkingGateway, id)).toMatchObject({ status: "done", attempt: 1 });
  expect(gateways.map(({ own }) => own.started.length)).toEqual([1, 1]);
}, 120_000);

test("gateways are killed in turn: others take over, and each task has one result", async () => {
  // Time passes in the turns of this process, so that a slow machine takes no lease away from the living.
  const ticking = setInterval(() => place.clock.advance(20), 20);
  try {
    const gateways: WorkingGateway[] = [];
    const open = async (): Promise<void> => {
      const gateway = await place.open({ limits });
      gateway.own.script = lively(400);
      gateways.push(gateway);
    };
    place.worker.script = lively(600);
    for (let gateway = 0; gateway < 3; gateway += 1) await open();
    const ids = await submitAll(gateways);
    for (let kills = 0; kills < 3; kills += 1) {
      const gateway = gateways[kills];
      if (gateway === undefined) throw new Error("no gateway");
      // In the middle of its work, unless everything is over by then.
      await pause(1000);
      await until(gateway, async () => {
        const tasks = await allTasks(gateway);
        const isOver = tasks.every(({ finishedAt }) => finishedAt !== null);
        return isOver || tasks.some(({ leaseOwner }) => leaseOwner === gateway.context.instance);
      });
      await gateway.kill();
      await open();
    }
    const last = gateways.at(-1);
    if (last === undefined) throw new Error("no gateway");
    for (const id of ids) expect(await ended(last, id)).toMatchObject({ status: "done", attempt: 1 });
    const atWorker = place.worker.started.map(({ taskId }) => taskId);
    expect(new Set(atWorker).size).toBe(atWorker.length);
    await Promise.all(gateways.slice(3).map((gateway) => gateway.stop()));
    await sweepOrphans(last.context);
    expect(await brokenPromises(last)).toEqual([]);
    expect(await namesIn(last.context.media.list("results/"))).toHaveLength(TASKS);
    for (const id of ids) expect((await taskOf(last, id)).leaseOwner).toBeNull();
  } finally {
    clearInterval(ticking);
  }
}, 300_000);
