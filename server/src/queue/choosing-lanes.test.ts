import { catalog } from "@safelight/catalog";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Core, openCore, requestFor, submit, taskOf } from "../testing/core.ts";
import { claimNext } from "./claim.ts";
import type { Lane } from "./lanes.ts";
import { changeHeld, loseAttempt, releaseTask } from "./lease.ts";
import { reapUnable } from "./reap.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

const everything = catalog.models.flatMap((model) =>
  model.modes.map((mode) => ({ type: model.type, model: model.id, mode: mode.id })),
);

function lane(executor: string, overrides: Partial<Lane> = {}): Lane {
  const slots = { image: 1, video: 1, total: 1 };
  return { executor, engine: "scripted", slots, able: everything, open: true, lastUsedAt: 0, ...overrides };
}

async function claimed(lanes: readonly Lane[]): Promise<string | null> {
  const task = await claimNext(core.context, lanes);
  return task === null ? null : `${task.id} ${task.executor} ${task.attempt}`;
}

const lose = (id: string, attempt: number) =>
  changeHeld(core.context, { id, attempt }, (task, tx) => loseAttempt(core.context, tx, task, "worker_lost"));
const handBack = (id: string, attempt: number, avoid: readonly string[] = []) =>
  changeHeld(core.context, { id, attempt }, (task, tx) => releaseTask(core.context, tx, task, false, avoid));

describe("where a task failed it does not go again (FR-011)", () => {
  test("while somebody else is able, free or not", async () => {
    const id = await submit(core);
    const first = lane("first", { lastUsedAt: -1 });
    expect(await claimed([first, lane("second")])).toBe(`${id} first 1`);
    await lose(id, 1);
    expect(await taskOf(core, id)).toMatchObject({ attempt: 2, avoided: ["first"] });
    expect(await claimed([first, lane("second", { full: true })])).toBeNull();
    expect(await claimed([first, lane("second", { slots: { image: 0, video: 1, total: 1 } })])).toBeNull();
    expect(await claimed([first, lane("second")])).toBe(`${id} second 2`);
    await lose(id, 2);
    expect((await taskOf(core, id)).avoided).toEqual(["first", "second"]);
    // Nobody is left: any of them is better than none.
    expect(await claimed([first, lane("second")])).toBe(`${id} first 3`);
  });

  test("and it holds up nobody behind it while it waits", async () => {
    const id = await submit(core);
    const next = await submit(core);
    const lanes = [lane("first", { lastUsedAt: -1 }), lane("second", { full: true })];
    await claimed(lanes);
    await lose(id, 1);
    expect(await claimed(lanes)).toBe(`${next} first 1`);
  });

  test("a start that failed elsewhere uses up no attempt", async () => {
    const id = await submit(core);
    await claimed([lane("first")]);
    await handBack(id, 1, ["first", "third"]);
    expect(await taskOf(core, id)).toMatchObject({ attempt: 1, avoided: ["first", "third"] });
    expect(await claimed([lane("first"), lane("second"), lane("third")])).toBe(`${id} second 1`);
  });

  test("pinned, it goes where it is meant to go all the same", async () => {
    const id = await submit(core, requestFor({ workspace: "first-gpu" }));
    await claimed([lane("first-gpu")]);
    await lose(id, 1);
    expect(await claimed([lane("first-gpu"), lane("second-gpu")])).toBe(`${id} first-gpu 2`);
  });
});

test("what was handed back without a failure goes first to where it was: its run may be known there", async () => {
  const id = await submit(core);
  await claimed([lane("first")]);
  await handBack(id, 1);
  const lanes = [lane("first", { lastUsedAt: 5 }), lane("second")];
  expect(await claimed(lanes)).toBe(`${id} first 1`);
});

test("what lost its executor and finds no other ends as well, after the same time as what never had one", async () => {
  const id = await submit(core);
  await claimed([lane("first")]);
  await lose(id, 1);
  const day = 24 * 60 * 60 * 1000;
  expect(await reapUnable(core.context, [], day)).toBe(0);
  expect(await reapUnable(core.context, [lane("first")], day)).toBe(0);
  expect(await reapUnable(core.context, [], day)).toBe(0);
  expect(await reapUnable(core.context, [], 1)).toBe(1);
  expect(await taskOf(core, id)).toMatchObject({ status: "failed", errorCode: "no_workers" });
});

test("whatever lanes there are: the least loaded with room, then the one that rested longest; never more than there are slots", async () => {
  const slots = fc.integer({ min: 0, max: 3 });
  const oneLane = fc.record({ image: slots, total: fc.integer({ min: 1, max: 3 }), full: fc.boolean() });
  const property = fc.asyncProperty(
    fc.array(oneLane, { minLength: 1, maxLength: 4 }),
    fc.integer({ min: 1, max: 8 }),
    async (facts, tasks) => {
      await core.context.database.write((tx) => tx.prepare("DELETE FROM tasks").run());
      for (let task = 0; task < tasks; task += 1) await submit(core);
      const running = facts.map(() => 0);
      const used = facts.map(() => 0);
      for (let turn = 1; ; turn += 1) {
        const lanes = facts.map(({ image, total, full }, index) =>
          lane(`lane-${index}`, { slots: { image, video: 0, total }, full, lastUsedAt: used[index] ?? 0 }),
        );
        const task = await claimNext(core.context, lanes);
        const free = facts.flatMap(({ image, total, full }, index) => {
          const count = running[index] ?? 0;
          return full || count >= image || count >= total
            ? []
            : [{ index, load: count / image, used: used[index] ?? 0 }];
        });
        if (task === null) {
          expect(turn > tasks || free.length === 0).toBe(true);
          return;
        }
        const index = Number(task.executor?.replace("lane-", ""));
        const chosen = free.find((one) => one.index === index);
        if (chosen === undefined) throw new Error("a lane without room was chosen");
        for (const { load, used: at } of free) {
          expect(chosen.load < load || (chosen.load === load && chosen.used <= at)).toBe(true);
        }
        running[index] = (running[index] ?? 0) + 1;
        used[index] = turn;
      }
    },
  );
  await fc.assert(property, { seed: 20_260_306, numRuns: 60 });
});
