import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Prepare } from "../database/database.ts";
import { fixedExecutors } from "../executors/executor-set.ts";
import { ScriptedExecutor } from "../executors/scripted.ts";
import { pauseQueue } from "../queue/pause.ts";
import { pausedSetting } from "../tasks/paused.ts";
import { type Core, gate, openCore, submit, taskOf } from "../testing/core.ts";
import { Seats } from "./seats.ts";

let core: Core;
let ask: (prepare: Prepare) => Promise<string | null>;

beforeEach(async () => {
  core = await openCore();
  const seats = new Seats(core.context, fixedExecutors([new ScriptedExecutor()]));
  const task = await taskOf(core, await submit(core));
  ask = async (prepare) => (await seats.explainWaiting(prepare, task)).short?.code ?? null;
});
afterEach(() => core.close());

describe("why a task waits", () => {
  test("what a transaction sees before its commit is told to nobody else, and to nobody when it is taken back", async () => {
    const { prepareRead } = core.context.database;
    const [asked, over] = [gate(), gate()];
    const takenBack = core.context.database.write(async (tx) => {
      await tx.prepare("INSERT INTO settings (key, value) VALUES (?, ?)").run(pausedSetting, '{"at":0,"by":"nobody"}');
      const inside = await ask(tx.prepare);
      asked.open();
      await over.opened;
      throw new Error(`taken back: ${inside}`);
    });
    await asked.opened;
    const outside = await ask(prepareRead);
    over.open();
    await expect(takenBack).rejects.toThrow("taken back: queue_paused");
    expect([outside, await ask(prepareRead)]).toEqual([null, null]);
  });

  test("what a reading sees of an older state is told to nobody else", async () => {
    await core.context.database.read(async ({ prepare }) => {
      expect(await ask(prepare)).toBeNull();
      await pauseQueue(core.context);
      expect(await ask(prepare)).toBeNull();
    });
    expect(await ask(core.context.database.prepareRead)).toBe("queue_paused");
  });
});
