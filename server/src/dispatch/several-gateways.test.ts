// Gateways that share a PostgreSQL database. Time is in the hands of the tests: leases run out when they say so and never before.

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SafelightError } from "../errors.ts";
import { ScriptedExecutor } from "../executors/scripted.ts";
import { claimNext } from "../queue/claim.ts";
import type { Lane } from "../queue/lanes.ts";
import { renewLeases } from "../queue/lease.ts";
import { pauseQueue, resumeQueue, setFront } from "../queue/pause.ts";
import { reclaimAbandoned, untilAbandoned } from "../queue/reclaim.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { leasedTime } from "../tasks/runtime.ts";
import { submitTask } from "../tasks/submit.ts";
import { deriveTimeLimits, timeLimits } from "../tasks/time-limits.ts";
import { ended, gate, namesIn, requestFor, submit, taskOf, until } from "../testing/core.ts";
import { allTasks, brokenPromises } from "../testing/invariants.ts";
import { type Installation, openInstallation, type WorkingGateway } from "../testing/working-gateway.ts";

/** Whoever looks at intervals does so after the test is over: what happens, happens since it was told. */
const unhurried = deriveTimeLimits({ image: 24 * 3_600_000, video: 24 * 3_600_000 });
/** Whoever looks at intervals looks every tenth of a second; a lease lasts 600 ms of the time of the test. */
const watchful = { ...unhurried, lease: 600, renewal: 200, reaper: 100 };

let place: Installation;

beforeEach(async () => {
  place = await openInstallation();
});
afterEach(() => place.close());

const holds = (gateway: WorkingGateway, id: string) => async () =>
  (await taskOf(gateway, id)).leaseOwner === gateway.context.instance;
const isRunning = (gateway: WorkingGateway, id: string) => async () => {
  const task = await taskOf(gateway, id);
  return task.leaseOwner === gateway.context.instance && task.runHandle !== null;
};
const leaseRunsOut = () => place.clock.advance(watchful.lease + 1);

describe("a gateway that was killed", () => {
  test("what its own engine drew begins again elsewhere in the same attempt, once the lease has run out", async () => {
    const first = await place.open({ limits: watchful });
    first.own.script = () => [{ do: "hang" }];
    const id = await submit(first);
    await until(first, isRunning(first, id));
    const second = await place.open({ limits: watchful });
    await first.kill();
    // Looked at while nothing but the lease keeps it.
    expect(await taskOf(second, id)).toMatchObject({ leaseOwner: first.context.instance });
    leaseRunsOut();
    expect(await ended(second, id)).toMatchObject({ status: "done", attempt: 1, executor: "embedded" });
    expect(second.own.started).toHaveLength(1);
    expect(await brokenPromises(second)).toEqual([]);
  });

  test("its runs at a worker are picked up, each by one of the others, and go on", async () => {
    Object.assign(place.slots, { image: 8, video: 1, total: 8 });
    const hold = gate();
    place.worker.script = () => [{ do: "wait", until: hold.opened }];
    const first = await place.open({ limits: watchful, embedded: false });
    const ids = [];
    for (let task = 0; task < 8; task += 1) ids.push(await submit(first));
    for (const id of ids) await until(first, isRunning(first, id));
    const others = [await place.open({ limits: watchful }), await place.open({ limits: watchful })] as const;
    await first.kill();
    leaseRunsOut();
    const owners = new Set(others.map(({ context }) => context.instance));
    for (const id of ids)
      await until(others[0], async () => owners.has((await taskOf(others[0], id)).leaseOwner ?? ""));
    hold.open();
    for (const id of ids) expect(await ended(others[0], id)).toMatchObject({ status: "done", attempt: 1 });
    expect(place.worker.started).toHaveLength(8);
    const pickedUp = others.flatMap(({ logged }) => logged.filter((line) => line.includes('"picked_up":true')));
    await until(others[0], () => place.worker.runs.size === 0);
    expect(pickedUp.length).toBeLessThanOrEqual(8);
    expect(await brokenPromises(others[0])).toEqual([]);
  });

  test("a cancel that it did not live to carry out is carried out by another", async () => {
    Object.assign(place.slots, { image: 1, video: 1, total: 1 });
    place.worker.script = () => [{ do: "hang" }];
    const first = await place.open({ limits: watchful, embedded: false });
    const id = await submit(first);
    await until(first, isRunning(first, id));
    const second = await place.open({ limits: watchful });
    await first.kill();
    await cancelTask(second.context, id);
    leaseRunsOut();
    expect(await ended(second, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
    await until(second, () => place.worker.running().length === 0);
  });

  test("somebody else does what only one may do: a task that runs too long ends (FR-013)", async () => {
    const leader = await place.open({ limits: watchful });
    await until(leader, async () => (await leaders(leader)) === 1);
    const other = await place.open({ limits: watchful });
    await leader.kill();
    other.own.script = () => [{ do: "hang" }];
    const id = await submit(other);
    await until(other, isRunning(other, id));
    await other.database.write((tx) => tx.prepare("UPDATE tasks SET leased_ms = ?").run(watchful.stale.image + 1));
    expect(await ended(other, id)).toMatchObject({ status: "failed", errorCode: "timed_out" });
  });
});

/** How many hold the lock of whoever leads. */
async function leaders({ database }: WorkingGateway): Promise<number> {
  const row = await database
    .prepareRead(
      "SELECT count(*) AS count FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )
    .get();
  return Number(row?.count);
}

describe("a gateway that was stopped for longer than its lease and goes on", () => {
  /** Its changes wait from the moment `from` answers true, until it goes on. */
  async function pausing(
    from: () => boolean | Promise<boolean>,
  ): Promise<{ first: WorkingGateway; goesOn: () => void }> {
    const first = await place.open({ limits: watchful });
    const stopped = gate();
    let goes = false;
    first.database.onWrite = async () => {
      if (!goes && (await from())) await stopped.opened;
    };
    return {
      first,
      goesOn: () => {
        goes = true;
        stopped.open();
      },
    };
  }

  test("leaves a run alone that another has picked up", async () => {
    Object.assign(place.slots, { image: 1, video: 1, total: 1 });
    const hold = gate();
    place.worker.script = () => [{ do: "wait", until: hold.opened }];
    let pauses = false;
    const { first, goesOn } = await pausing(() => pauses);
    const id = await submit(first);
    await until(first, isRunning(first, id));
    pauses = true;
    const second = await place.open({ limits: watchful });
    leaseRunsOut();
    await until(second, holds(second, id));
    goesOn();
    // It notices that the lease is lost and lets go.
    await until(first, () => first.logged.some((line) => line.includes('"outcome":"void"')));
    hold.open();
    expect(await ended(second, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(place.worker.started).toHaveLength(1);
    expect(await brokenPromises(second)).toEqual([]);
  });

  test("stores nothing over, and takes nothing from, what another has stored meanwhile", async () => {
    const results = () => namesIn(first.context.media.list("results/"));
    const { first, goesOn } = await pausing(async () => (await results()).length > 0);
    const id = await submit(first);
    await until(first, async () => (await results()).length > 0);
    const second = await place.open({ limits: watchful });
    leaseRunsOut();
    expect(await ended(second, id)).toMatchObject({ status: "done", attempt: 1 });
    goesOn();
    const { resultPath, previewPath } = await taskOf(second, id);
    await until(first, () => first.logged.some((line) => line.includes('"outcome":"void"')));
    expect(await results()).toEqual([resultPath]);
    expect(await namesIn(second.context.media.list("previews/"))).toContain(previewPath);
    expect(await brokenPromises(second)).toEqual([]);
  });
});

describe("a commit of which nothing was heard", () => {
  const lost = () => new SafelightError("storage_unavailable", "The connection broke.");

  test("a result that was committed stays where it is", async () => {
    const gateway = await place.open({ limits: unhurried });
    gateway.own.script = () => [];
    const id = await submit(gateway);
    let answers = 0;
    gateway.database.onWritten = async () => {
      if ((await taskOf(gateway, id)).status !== "done") return;
      answers += 1;
      if (answers === 1) throw lost();
    };
    await until(gateway, () => answers > 1);
    await until(gateway, () => gateway.logged.some((line) => line.includes('"outcome":"settled"')));
    expect(await taskOf(gateway, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(await brokenPromises(gateway)).toEqual([]);
  });

  test("a task that was claimed by it is given out again, and loses no attempt", async () => {
    const gateway = await place.open({ limits: unhurried });
    let isLost = false;
    gateway.database.onWritten = async () => {
      const held = (await allTasks(gateway)).some(({ leaseOwner }) => leaseOwner !== null);
      if (isLost || !held) return;
      isLost = true;
      throw lost();
    };
    const id = await submit(gateway);
    expect(await ended(gateway, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(isLost).toBe(true);
    expect(gateway.own.started).toHaveLength(1);
  });
});

describe("what is asked of one gateway and concerns another", () => {
  test("a cancel reaches the gateway that runs the task", async () => {
    const [asked, runs] = [
      await place.open({ limits: unhurried, embedded: false }),
      await place.open({ limits: unhurried }),
    ];
    runs.own.script = () => [{ do: "hang" }];
    const id = await submit(asked);
    await until(runs, isRunning(runs, id));
    await cancelTask(asked.context, id);
    expect(await ended(asked, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
    await until(runs, () => runs.own.running().length === 0);
  });

  test("a cancel that was not heard is seen at intervals", async () => {
    const asked = await place.open({ limits: watchful, embedded: false });
    const runs = await place.open({ limits: watchful, hears: false });
    runs.own.script = () => [{ do: "hang" }];
    const id = await submit(asked);
    await until(runs, isRunning(runs, id));
    await cancelTask(asked.context, id);
    expect(await ended(asked, id)).toMatchObject({ errorCode: "cancelled" });
  });

  test("a task goes to whoever is free", async () => {
    const [asked, idle] = [
      await place.open({ limits: unhurried, embedded: false }),
      await place.open({ limits: unhurried }),
    ];
    const id = await submit(asked);
    expect(await ended(asked, id)).toMatchObject({ status: "done", executor: "embedded" });
    expect(idle.own.started).toHaveLength(1);
  });

  test("also to one that hears nothing, which looks at intervals", async () => {
    const asked = await place.open({ limits: unhurried, embedded: false });
    await place.open({ limits: watchful, hears: false });
    expect(await ended(asked, await submit(asked))).toMatchObject({ status: "done" });
  });

  test("the queue is paused and resumed for all, and what is put to the front goes first everywhere", async () => {
    const asked = await place.open({ limits: unhurried, embedded: false });
    await pauseQueue(asked.context);
    const runs = await place.open({ limits: unhurried });
    const ids = [await submit(asked), await submit(asked), await submit(asked)] as const;
    await setFront(asked.context, ids[2], true);
    expect(await claimNext(runs.context, [lane("embedded")])).toBeNull();
    await resumeQueue(asked.context);
    for (const id of ids) await ended(asked, id);
    expect(runs.own.started.map(({ taskId }) => taskId)).toEqual([ids[2], ids[0], ids[1]]);
  });

  test("what a stopping gateway hands back is taken at once, its runs at workers go on", async () => {
    Object.assign(place.slots, { image: 1, video: 1, total: 1 });
    const hold = gate();
    place.worker.script = () => [{ do: "wait", until: hold.opened }];
    const first = await place.open({ limits: unhurried });
    first.own.script = () => [{ do: "hang" }];
    const ids = [await submit(first), await submit(first)] as const;
    for (const id of ids) await until(first, isRunning(first, id));
    const second = await place.open({ limits: unhurried });
    await first.stop();
    hold.open();
    for (const id of ids) expect(await ended(second, id)).toMatchObject({ status: "done", attempt: 1 });
    expect([place.worker.started.length, second.own.started.length]).toEqual([1, 1]);
  });

  test("runs that were handed back are picked up also where they could not be read at first", async () => {
    Object.assign(place.slots, { image: 1, video: 1, total: 1 });
    const hold = gate();
    place.worker.script = () => [{ do: "wait", until: hold.opened }];
    const first = await place.open({ limits: unhurried, embedded: false });
    const id = await submit(first);
    await until(first, isRunning(first, id));
    const second = await place.open({ limits: unhurried, embedded: false });
    let refused = 0;
    second.database.onRead = (sql) => {
      if (refused > 0 || !sql.includes("run_handle IS NOT NULL AND lease_owner IS NULL")) return;
      refused += 1;
      throw new SafelightError("storage_unavailable", "The connection broke.");
    };
    await first.stop();
    hold.open();
    expect(await ended(second, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(refused).toBe(1);
  });

  test("two requests with one idempotency key at the same moment make one task", async () => {
    const gateways = [await place.open({ embedded: false }), await place.open({ embedded: false })];
    const idempotency = { credential: "api-key", key: "one", bodyHash: "same" };
    const answers = await Promise.all(
      gateways.map(({ context }) => submitTask(context, { request: requestFor(), idempotency, queueLimit: 10 })),
    );
    expect(new Set(answers.map(({ answer }) => answer.task_id)).size).toBe(1);
    expect(answers.filter(({ replayed }) => replayed)).toHaveLength(1);
  });
});

const able = new ScriptedExecutor();
function lane(executor: string, overrides: Partial<Lane> = {}): Lane {
  const models = [{ type: "image" as const, model: "flux", mode: "txt2img" }];
  return { executor, engine: able.engine, slots: able.slots(), able: models, open: true, lastUsedAt: 0, ...overrides };
}

test("a lease of another gateway is void when it has run out by the time of all, counts as time under lease, and not before", async () => {
  const [holder, other] = [
    await place.open({ limits: unhurried, embedded: false }),
    await place.open({ limits: unhurried, embedded: false }),
  ];
  await submit(holder);
  expect(await untilAbandoned(other.context)).toBeNull();
  const task = await claimNext(holder.context, [lane("embedded", { local: true })], { limits: watchful });
  expect(await untilAbandoned(other.context)).toBe(watchful.lease + 1);
  expect(await untilAbandoned(holder.context)).toBeNull();
  place.clock.advance(watchful.lease);
  expect(leasedTime(other.context, await taskOf(other, task?.id ?? ""), watchful)).toBe(watchful.lease);
  expect(await reclaimAbandoned(other.context)).toEqual([]);
  expect(await taskOf(other, task?.id ?? "")).toMatchObject({ leaseOwner: holder.context.instance });
  place.clock.advance(1);
  expect(await untilAbandoned(other.context)).toBe(0);
  await reclaimAbandoned(other.context);
  expect(await taskOf(other, task?.id ?? "")).toMatchObject({ leaseOwner: null, attempt: 1 });
  expect(await renewLeases(holder.context, [{ id: task?.id ?? "", attempt: 1 }], watchful)).toMatchObject({
    lost: [{}],
  });
});

describe("slots", () => {
  test("an engine of its own each gateway counts for itself, a worker all of them together", async () => {
    const gateways = [await place.open({ embedded: false }), await place.open({ embedded: false })] as const;
    for (let task = 0; task < 4; task += 1) await submit(gateways[0]);
    const engine = [lane("embedded", { local: true })];
    for (const { context } of gateways)
      expect(await claimNext(context, engine)).toMatchObject({ executor: "embedded" });
    for (const { context } of gateways) expect(await claimNext(context, engine)).toBeNull();
    const worker = [lane("cellar-gpu")];
    expect(await claimNext(gateways[0].context, worker)).not.toBeNull();
    for (const { context } of gateways) expect(await claimNext(context, worker)).toBeNull();
  });

  test("many tasks and three gateways: each is run once", async () => {
    Object.assign(place.slots, { image: 3, video: 1, total: 3 });
    const limits = timeLimits;
    const gateways = [
      await place.open({ limits }),
      await place.open({ limits }),
      await place.open({ limits }),
    ] as const;
    const all = [place.worker, ...gateways.map(({ own }) => own)];
    const ids = await Promise.all(Array.from({ length: 12 }, (_, index) => submit(gateways[index % 3] ?? gateways[0])));
    for (const id of ids) expect(await ended(gateways[0], id)).toMatchObject({ status: "done", attempt: 1 });
    const started = all.flatMap((machine) => machine.started.map(({ taskId }) => taskId));
    expect(started.sort()).toEqual(ids.sort());
    const refused = gateways.flatMap(({ logged }) => logged.filter((line) => line.includes("did not start a run")));
    expect(refused.filter((line) => line.includes('"executor":"embedded"'))).toEqual([]);
    expect(await brokenPromises(gateways[0])).toEqual([]);
  });
});
