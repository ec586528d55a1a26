import { catalog } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Core, openCore, requestFor, submit, taskOf, videoRequest } from "../testing/core.ts";
import { claimNext } from "./claim.ts";
import type { Lane } from "./lanes.ts";
import { pauseQueue, resumeQueue } from "./pause.ts";
import { lookAtQueue, type Seat, whyWaiting } from "./why-waiting.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});

afterEach(() => core.close());

const everything = catalog.models.flatMap((model) =>
  model.modes.map((mode) => ({ type: model.type, model: model.id, mode: mode.id })),
);

function seat(executor: string, overrides: Partial<Omit<Seat, "lane">> & { lane?: Partial<Lane> } = {}): Seat {
  const { lane, unable = null, rests = false } = overrides;
  const slots = { image: 1, video: 1, total: 1 };
  const able = unable === null ? everything : [];
  return { unable, rests, lane: { executor, engine: "scripted", slots, able, open: true, lastUsedAt: 0, ...lane } };
}

async function why(id: string, seats: readonly Seat[]) {
  const prepare = core.context.database.prepareRead;
  return whyWaiting(prepare, seats, await lookAtQueue(core.context, prepare), await taskOf(core, id));
}

const notice = (code: string): Notice => ({ code, detail: "So it is." });

describe("why a task waits", () => {
  test("every executor says its own reason; creators hear the one that is nearest to running, and no name", async () => {
    const id = await submit(core);
    const busy = await submit(core);
    await claimNext(core.context, [seat("busy-gpu").lane]);
    expect((await taskOf(core, id)).status).toBe("processing");
    const seats = [
      seat("busy-gpu"),
      seat("asked-gpu", { lane: { full: true } }),
      seat("resting-gpu", { rests: true }),
      seat("film-gpu", { lane: { slots: { image: 0, video: 1, total: 1 } } }),
      ...["disabled", "draining", "not_ready", "model_not_offered", "mode_not_offered"].map((code) =>
        seat(`${code.replaceAll("_", "-")}-gpu`, { unable: notice(code) }),
      ),
      seat("embedded", { unable: notice("embedded_engine_aside") }),
    ];
    const { each, short } = await why(busy, seats);
    expect(each.map(({ workspace, code }) => `${workspace} ${code}`)).toEqual([
      "busy-gpu busy",
      "asked-gpu busy",
      "resting-gpu resting",
      "film-gpu no_slots",
      "disabled-gpu disabled",
      "draining-gpu draining",
      "not-ready-gpu not_ready",
      "model-not-offered-gpu model_not_offered",
      "mode-not-offered-gpu mode_not_offered",
      "embedded stepped_aside",
    ]);
    expect(short).toMatchObject({ code: "busy" });
    for (const { workspace, detail } of each) {
      expect(detail).toMatch(/^[A-Z].*\.$/);
      if (workspace !== "embedded") expect(short?.detail).not.toContain(workspace);
    }
    expect((await why(busy, seats.slice(2))).short?.code).toBe("resting");
    expect((await why(busy, [seat("embedded", { unable: notice("embedded_engine_off") })])).short?.code).toBe(
      "disabled",
    );
  });

  test("a pinned task waits for its workspace alone", async () => {
    const id = await submit(core, requestFor({ workspace: "attic-gpu" }));
    expect(await why(id, [seat("attic-gpu", { lane: { full: true } }), seat("cellar-gpu")])).toMatchObject({
      each: [{ code: "busy" }, { workspace: "cellar-gpu", code: "pinned_elsewhere" }],
      short: { code: "busy" },
    });
    expect((await why(id, [seat("cellar-gpu")])).short?.code).toBe("pinned_elsewhere");
  });

  test("what goes next has no reason, what comes after it waits behind it", async () => {
    const ids = [await submit(core), await submit(core)];
    expect(await why(ids[0] ?? "", [seat("attic-gpu")])).toEqual({ each: [], short: null });
    expect(await why(ids[1] ?? "", [seat("attic-gpu")])).toMatchObject({ short: { code: "behind_others" } });
  });

  test("a paused queue is the reason wherever it could run", async () => {
    const id = await submit(core);
    await pauseQueue(core.context);
    const seats = [seat("attic-gpu"), seat("cellar-gpu", { unable: notice("draining") })];
    expect(await why(id, seats)).toMatchObject({
      each: [{ code: "queue_paused" }, { code: "draining" }],
      short: { code: "queue_paused" },
    });
    await resumeQueue(core.context);
    expect((await why(id, seats)).short).toBeNull();
  });

  test("whatever stands around: next if and only if it would be given out now; behind others only where somebody has room", async () => {
    const ids = [
      await submit(core),
      await submit(core, videoRequest()),
      await submit(core),
      await submit(core, requestFor({ workspace: "two-gpu" })),
    ];
    const slots = fc.record({
      image: fc.integer({ min: 0, max: 2 }),
      video: fc.integer({ min: 0, max: 2 }),
      total: fc.integer({ min: 1, max: 2 }),
    });
    const unable = fc.option(fc.constantFrom("draining", "not_ready", "model_not_offered").map(notice), { nil: null });
    const one = fc.record({ slots, unable, rests: fc.boolean(), full: fc.boolean() });
    const property = fc.asyncProperty(fc.array(one, { maxLength: 3 }), fc.nat(3), async (facts, which) => {
      const seats = facts.map(({ slots: count, full, ...rest }, index) =>
        seat(`${["one", "two", "three"][index]}-gpu`, { ...rest, lane: { slots: count, full } }),
      );
      const id = ids[which] ?? "";
      const { each, short } = await why(id, seats);
      const { type, workspace } = await taskOf(core, id);
      const hasRoomAnywhere = seats.some(
        ({ lane, rests, unable: reason }) =>
          !rests &&
          reason === null &&
          lane.full !== true &&
          lane.slots[type] > 0 &&
          (workspace === null || workspace === lane.executor),
      );
      if (hasRoomAnywhere) expect([undefined, "behind_others"]).toContain(short?.code);
      else expect([short?.code, seats.length]).not.toContain("behind_others");
      expect(each.length === seats.length || hasRoomAnywhere).toBe(true);
      if (short === null) expect(hasRoomAnywhere || seats.length === 0).toBe(true);
    });
    await fc.assert(property, { seed: 20_260_305 });
  });
});
