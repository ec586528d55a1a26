import { catalog } from "@safelight/catalog";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { cancelTask } from "../tasks/cancel.ts";
import { getTask } from "../tasks/get.ts";
import { isStale, leasedTime } from "../tasks/runtime.ts";
import { timeLimits } from "../tasks/time-limits.ts";
import { type Core, openCore, requestFor, submit, taskOf, videoRequest } from "../testing/core.ts";
import { onPostgres } from "../testing/test-database.ts";
import { claimNext } from "./claim.ts";
import type { Lane } from "./lanes.ts";
import { changeHeld, loseAttempt, releaseTask, renewLeases, updateHeld } from "./lease.ts";
import { reapStale, reapUnable } from "./reap.ts";
import { reclaimAbandoned, reclaimExpired } from "./reclaim.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

const everything = catalog.models.flatMap((model) =>
  model.modes.map((mode) => ({ type: model.type, model: model.id, mode: mode.id })),
);

function lane(overrides: Partial<Lane> = {}): Lane {
  const slots = { image: 1, video: 1, total: 1 };
  return { executor: "one", engine: "scripted", slots, able: everything, open: true, lastUsedAt: 0, ...overrides };
}

const roomy = lane({ slots: { image: 9, video: 9, total: 9 } });

describe("claiming", () => {
  test("gives the oldest task first, by arrival and not by the clock", async () => {
    const first = await submit(core);
    core.clock.setWall(core.clock.now() - 86_400_000);
    const second = await submit(core);
    expect((await claimNext(core.context, [roomy]))?.id).toBe(first);
    expect((await claimNext(core.context, [roomy]))?.id).toBe(second);
    expect(await claimNext(core.context, [roomy])).toBeNull();
  });

  test("writes lease, executor, first attempt and start into the row", async () => {
    const id = await submit(core);
    await claimNext(core.context, [roomy]);
    expect(await taskOf(core, id)).toMatchObject({
      status: "processing",
      stage: "starting",
      executor: "one",
      engine: "scripted",
      attempt: 1,
      leaseOwner: core.context.instance,
      leaseUntil: core.clock.steady() + timeLimits.lease,
      startedAt: core.clock.now(),
    });
  });

  test("never gives one task twice, however many ask at once", async () => {
    for (let index = 0; index < 6; index += 1) await submit(core);
    const claimed = await Promise.all(Array.from({ length: 20 }, () => claimNext(core.context, [roomy])));
    const ids = claimed.flatMap((task) => (task === null ? [] : [task.id]));
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  test("respects slots per type and in all, and passes over what has no room", async () => {
    await submit(core);
    await submit(core);
    const clip = await submit(core, videoRequest());
    const place = lane({ slots: { image: 1, video: 1, total: 2 } });
    expect((await claimNext(core.context, [place]))?.type).toBe("image");
    expect((await claimNext(core.context, [place]))?.id).toBe(clip);
    expect(await claimNext(core.context, [place])).toBeNull();
  });

  test("respects slots in all where they are fewer than those per type", async () => {
    await submit(core);
    await submit(core, videoRequest());
    expect((await claimNext(core.context, [lane()]))?.type).toBe("image");
    expect(await claimNext(core.context, [lane()])).toBeNull();
  });

  test("gives an executor only what it is able to run", async () => {
    await submit(core);
    const able = everything.filter(({ model }) => model === "pony");
    expect(await claimNext(core.context, [lane({ able })])).toBeNull();
    const id = await submit(core, requestFor({ model: "pony" }));
    expect((await claimNext(core.context, [lane({ able })]))?.id).toBe(id);
  });

  test("what was handed back goes before anything that waits", async () => {
    const first = await submit(core);
    await submit(core);
    const third = await submit(core);
    await claimNext(core.context, [roomy]);
    await claimNext(core.context, [roomy]);
    await claimNext(core.context, [roomy]);
    const waiting = await submit(core);
    for (const id of [third, first]) {
      await changeHeld(core.context, { id, attempt: 1 }, (task, tx) => releaseTask(core.context, tx, task, false));
    }
    const order = [];
    for (let index = 0; index < 3; index += 1) order.push((await claimNext(core.context, [roomy]))?.id);
    expect(order).toEqual([first, third, waiting]);
    expect((await taskOf(core, first)).attempt).toBe(1);
  });

  test("a closed lane takes only tasks pinned to it, and they go nowhere else", async () => {
    const anywhere = await submit(core);
    const pinned = await submit(core, requestFor({ workspace: "studio-two" }));
    const closed = lane({ executor: "studio-two", open: false });
    expect((await claimNext(core.context, [closed]))?.id).toBe(pinned);
    expect((await claimNext(core.context, [lane()]))?.id).toBe(anywhere);
    await submit(core, requestFor({ workspace: "studio-two" }));
    expect(await claimNext(core.context, [lane({ executor: "three" })])).toBeNull();
  });
});

describe("leases", () => {
  async function claimed(): Promise<{ id: string; attempt: number }> {
    const id = await submit(core);
    await claimNext(core.context, [roomy]);
    return { id, attempt: 1 };
  }

  test("time under lease adds up over renewals, and a clock set back changes nothing", async () => {
    const held = await claimed();
    for (let index = 0; index < 5; index += 1) {
      core.clock.advance(10_000);
      core.clock.setWall(core.clock.now() - 3_600_000);
      expect((await renewLeases(core.context, [held])).lost).toEqual([]);
    }
    core.clock.advance(4_000);
    expect(leasedTime(core.context, await taskOf(core, held.id))).toBe(54_000);
    expect(await reclaimExpired(core.context)).toBe(0);
  });

  test("a lease that nobody renews runs out and costs the attempt, whatever the wall clock says", async () => {
    const held = await claimed();
    core.clock.advance(timeLimits.lease - 1);
    core.clock.setWall(core.clock.now() + 86_400_000);
    expect(await reclaimExpired(core.context)).toBe(0);
    core.clock.setWall(core.clock.now() - 2 * 86_400_000);
    core.clock.advance(2);
    expect(await reclaimExpired(core.context)).toBe(1);
    expect(await taskOf(core, held.id)).toMatchObject({
      status: "processing",
      attempt: 2,
      leaseOwner: null,
      released: true,
    });
  });

  test("who lost the lease can change nothing any more", async () => {
    const held = await claimed();
    core.clock.advance(timeLimits.lease + 1);
    await reclaimExpired(core.context);
    expect(await updateHeld(core.context, held, () => ({ columns: { progress: 50 } }))).toBeNull();
    expect((await renewLeases(core.context, [held])).lost).toEqual([held]);
    expect((await claimNext(core.context, [roomy]))?.attempt).toBe(2);
    expect(await updateHeld(core.context, held, () => ({ columns: { progress: 50 } }))).toBeNull();
    expect((await taskOf(core, held.id)).progress).toBe(0);
  });

  test("three attempts and no more; progress keeps its maximum", async () => {
    const { id } = await claimed();
    await updateHeld(core.context, { id, attempt: 1 }, () => ({ columns: { progress: 60 } }));
    for (const attempt of [1, 2, 3]) {
      await changeHeld(core.context, { id, attempt }, (task, tx) => loseAttempt(core.context, tx, task, "worker_lost"));
      if (attempt < 3) expect((await claimNext(core.context, [roomy]))?.attempt).toBe(attempt + 1);
    }
    expect(await taskOf(core, id)).toMatchObject({
      status: "failed",
      errorCode: "worker_lost",
      attempt: 3,
      progress: 60,
    });
  });

  test("another start's leases are void at once and cost no attempt", async () => {
    const held = await claimed();
    core.clock.advance(7_000);
    await renewLeases(core.context, [held]);
    const again = await core.reopen();
    again.clock.advance(60_000);
    expect(await reclaimAbandoned(again.context)).toEqual([]);
    expect(await taskOf(again, held.id)).toMatchObject({
      status: "processing",
      attempt: 1,
      leaseOwner: null,
      // Where gateways agree on the time, what passed since the last renewal is known, and counts up to the end of the lease.
      leasedMs: onPostgres ? 7_000 + timeLimits.lease : 7_000,
    });
    core = again;
  });
});

describe("what an earlier start left", () => {
  test("a task that was to be cancelled and has no run anywhere ends at once", async () => {
    const id = await submit(core);
    await claimNext(core.context, [roomy]);
    await cancelTask(core.context, id);
    expect(await taskOf(core, id)).toMatchObject({ status: "processing", stage: "cancelling" });
    core = await core.reopen();
    await reclaimAbandoned(core.context);
    expect(await taskOf(core, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
  });
});

describe("time limits", () => {
  test.each([
    ["image", 600_000],
    ["video", 1_800_000],
  ] as const)("FR-013: %s tasks end past %i ms under lease, not at it", async (type, limit) => {
    const id = await submit(core, type === "image" ? requestFor() : videoRequest());
    await claimNext(core.context, [roomy]);
    const setLeased = (ms: number) =>
      core.context.database.write((tx) => tx.prepare("UPDATE tasks SET leased_ms = ?").run(ms));
    await setLeased(limit);
    expect(await reapStale(core.context)).toBe(0);
    await setLeased(limit + 1);
    expect(isStale(core.context, await taskOf(core, id))).toBe(true);
    expect(await reapStale(core.context)).toBe(1);
    expect(await getTask(core.context, id)).toMatchObject({ status: "failed", errorCode: "timed_out" });
    expect(await reapStale(core.context)).toBe(0);
  });

  test("time without a lease does not count", async () => {
    const id = await submit(core);
    await claimNext(core.context, [roomy]);
    await changeHeld(core.context, { id, attempt: 1 }, (task, tx) => releaseTask(core.context, tx, task, false));
    core.clock.advance(86_400_000);
    expect(await reapStale(core.context)).toBe(0);
    await claimNext(core.context, [roomy]);
    expect(leasedTime(core.context, await taskOf(core, id))).toBe(0);
  });

  test("FR-011: waiting with no able executor for a day fails as no_workers; an able one in between starts the day anew", async () => {
    const id = await submit(core);
    const able = await submit(core, requestFor({ model: "pony" }));
    const onlyPony = lane({ able: everything.filter(({ model }) => model === "pony") });
    const halfDay = 12 * 60 * 60 * 1000;
    expect(await reapUnable(core.context, [onlyPony], halfDay)).toBe(0);
    expect(await reapUnable(core.context, [lane()], halfDay)).toBe(0);
    expect((await taskOf(core, id)).unableMs).toBe(0);
    expect(await reapUnable(core.context, [onlyPony], 2 * halfDay)).toBe(0);
    expect(await reapUnable(core.context, [onlyPony], 1)).toBe(1);
    expect(await taskOf(core, id)).toMatchObject({ status: "failed", errorCode: "no_workers", startedAt: null });
    expect((await taskOf(core, able)).status).toBe("pending");
  });

  test("a busy executor is an able one", async () => {
    await submit(core);
    const id = await submit(core);
    await claimNext(core.context, [lane()]);
    expect(await reapUnable(core.context, [lane()], 10 * 86_400_000)).toBe(0);
    expect((await taskOf(core, id)).unableMs).toBe(0);
  });
});
