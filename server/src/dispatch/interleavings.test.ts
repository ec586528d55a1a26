import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ScriptedExecutor, ScriptedMachine, type ScriptStep } from "../executors/scripted.ts";
import { reapStale, reapUnable } from "../queue/reap.ts";
import { reclaimExpired } from "../queue/reclaim.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { getTask } from "../tasks/get.ts";
import { type Core, openCore, requestFor, submit, until } from "../testing/core.ts";
import { allTasks, brokenPromises } from "../testing/invariants.ts";
import { type Dispatcher, startDispatcher } from "./dispatcher.ts";
import { sweepOrphans } from "./sweep.ts";

// The same values in every run, so that a red build is red again.
fc.configureGlobal({ seed: 20_260_301 });

type Operation =
  | { do: "submit"; behaviour: number }
  | { do: "cancel" | "look"; which: number }
  | { do: "turns"; count: number }
  | { do: "stop" | "kill" | "reap" | "expire" | "clockBack" };

const behaviours: readonly ((attempt: number) => ScriptStep[])[] = [
  () => [{ do: "report", update: { progress: 40 } }, { do: "preview" }],
  (attempt) => (attempt < 2 ? [{ do: "preview" }, { do: "fail", code: "worker_lost", detail: "died" }] : []),
  (attempt) => (attempt < 3 ? [{ do: "lie", about: "content" }] : []),
  () => [{ do: "fail", code: "out_of_memory", detail: "Too large." }],
  () => [{ do: "fail", code: "worker_lost", detail: "died" }],
  () => [
    { do: "report", update: { progress: 90 } },
    { do: "wait", until: new Promise((resolve) => setTimeout(resolve, 5)) },
  ],
];

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("submit" as const), behaviour: fc.nat(behaviours.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("cancel" as const, "look" as const), which: fc.nat(9) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant("turns" as const), count: fc.nat(60) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("stop", "kill", "reap", "expire", "clockBack") as fc.Arbitrary<"stop">,
    }),
  },
);

class World {
  core: Core;
  readonly machine: ScriptedMachine;
  readonly survivesRestart: boolean;
  readonly acknowledged: string[] = [];
  dispatcher: Dispatcher | undefined;

  constructor(core: Core, survivesRestart: boolean) {
    this.core = core;
    this.survivesRestart = survivesRestart;
    this.machine = new ScriptedMachine(({ seed, attempt }) => behaviours[seed % behaviours.length]?.(attempt) ?? []);
  }

  executors(): ScriptedExecutor[] {
    const { machine, survivesRestart } = this;
    return [new ScriptedExecutor({ machine, survivesRestart, slots: { image: 2, video: 1, total: 2 } })];
  }

  async start(): Promise<void> {
    this.dispatcher = await startDispatcher({ context: this.core.context, executors: this.executors() });
  }

  async apply(operation: Operation): Promise<void> {
    const { context } = this.core;
    switch (operation.do) {
      case "submit":
        this.acknowledged.push(await submit(this.core, requestFor({ seed: operation.behaviour })));
        return;
      case "cancel":
      case "look": {
        const id = this.acknowledged[operation.which % Math.max(1, this.acknowledged.length)];
        if (id !== undefined) await (operation.do === "cancel" ? cancelTask : getTask)(context, id);
        return;
      }
      case "turns":
        for (let turn = 0; turn < operation.count; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return;
      case "stop":
        await this.dispatcher?.stop();
        return this.start();
      case "kill":
        // The old dispatcher is left as it is; nothing that it still does reaches the disk.
        this.core = await this.core.reopen();
        if (!this.survivesRestart) this.machine.forget();
        return this.start();
      case "reap":
        await reapStale(context);
        await reapUnable(context, [], 1000);
        return;
      case "expire":
        this.core.clock.advance(31_000);
        await reclaimExpired(context);
        return;
      case "clockBack":
        this.core.clock.setWall(this.core.clock.now() - 3_600_000);
    }
  }
}

describe("random interleavings", () => {
  test(
    "whatever happens in whatever order: every acknowledged task ends, once, and every promise holds",
    async () => {
      const runs = process.env.SAFELIGHT_TEST_LONG === "1" ? 600 : 40;
      const lives = fc.array(operation, { minLength: 4, maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(lives, fc.boolean(), async (operations, survivesRestart) => {
          const world = new World(await openCore(), survivesRestart);
          try {
            await world.start();
            for (const next of operations) await world.apply(next);
            await until(world.core, async () =>
              (await allTasks(world.core)).every(({ finishedAt }) => finishedAt !== null),
            );
            await world.dispatcher?.stop();
            await sweepOrphans(world.core.context);
            expect(await brokenPromises(world.core)).toEqual([]);
            expect((await allTasks(world.core)).map(({ id }) => id)).toEqual(world.acknowledged);
          } finally {
            await world.core.close();
          }
        }),
        { numRuns: runs, interruptAfterTimeLimit: 10 * 60_000 },
      );
    },
    15 * 60_000,
  );
});
