import { afterEach, describe, expect, test } from "vitest";
import { ScriptedExecutor, ScriptedMachine, type ScriptStep } from "../executors/scripted.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { type Core, ended, gate, namesIn, openCore, requestFor, submit, taskOf, until } from "../testing/core.ts";
import { allTasks, brokenPromises } from "../testing/invariants.ts";
import { type Dispatcher, startDispatcher } from "./dispatcher.ts";
import { sweepOrphans } from "./sweep.ts";

let core: Core | undefined;
let dispatcher: Dispatcher | undefined;

afterEach(async () => {
  await dispatcher?.stop();
  await core?.close();
  core = undefined;
  dispatcher = undefined;
});

/** Steps that give a run several writes of its own, each of which the process may die after. */
const lively = (): ScriptStep[] => [
  { do: "report", update: { stage: "denoise", step: 1, steps: 2, progress: 30 } },
  { do: "preview" },
  { do: "report", update: { stage: "decode", progress: 80 } },
];

async function settle(opened: Core): Promise<void> {
  await until(opened, async () =>
    (await allTasks(opened)).every((task) => task.status === "done" || task.status === "failed"),
  );
  await sweepOrphans(opened.context);
}

/** Dies after one more write each time, takes everything up again, and ends when the scenario ran without dying. */
async function dieAtEveryWrite(options: { survivesRestart: boolean; cancels?: boolean }): Promise<number> {
  for (let writes = 1; ; writes += 1) {
    let opened = await openCore();
    core = opened;
    const machine = new ScriptedMachine(lively);
    const executor = () => [new ScriptedExecutor({ machine, survivesRestart: options.survivesRestart })];
    opened.die(writes);
    const acknowledged: string[] = [];
    const scenario = (async () => {
      acknowledged.push(await submit(opened, requestFor({ seed: 1 })), await submit(opened, requestFor({ seed: 2 })));
      // Never stopped: a process that is killed hands nothing back.
      void startDispatcher({ context: opened.context, executors: executor() });
      if (options.cancels) await cancelTask(opened.context, acknowledged[1] ?? "");
      for (const id of acknowledged) await ended(opened, id);
    })();
    scenario.catch(() => undefined);
    const died = await Promise.race([opened.dead.then(() => true), scenario.then(() => false)]);
    if (!options.survivesRestart) machine.forget();
    opened = await opened.reopen();
    core = opened;
    dispatcher = await startDispatcher({ context: opened.context, executors: executor() });
    await settle(opened);
    for (const id of acknowledged) {
      const task = await taskOf(opened, id);
      if (task.errorCode !== "cancelled")
        expect(task, `died after ${writes} writes`).toMatchObject({ status: "done", attempt: 1 });
    }
    expect(await brokenPromises(opened), `died after ${writes} writes`).toEqual([]);
    await dispatcher.stop();
    await opened.close();
    core = undefined;
    dispatcher = undefined;
    if (!died) return writes;
  }
}

describe("FR-006: killed after every single write", () => {
  test("embedded runs start again in the same attempt; nothing is lost, nothing is there twice", async () => {
    expect(await dieAtEveryWrite({ survivesRestart: false })).toBeGreaterThan(8);
  });

  test("runs that outlive us are picked up again", async () => {
    expect(await dieAtEveryWrite({ survivesRestart: true })).toBeGreaterThan(8);
  });

  test("a cancel that was acknowledged stays one", async () => {
    expect(await dieAtEveryWrite({ survivesRestart: false, cancels: true })).toBeGreaterThan(6);
  });
});

describe("what a start takes up", () => {
  async function killedWhile(script: ScriptedMachine["script"], survivesRestart: boolean) {
    const opened = await openCore();
    core = opened;
    const machine = new ScriptedMachine(script);
    const executors = () => [new ScriptedExecutor({ machine, survivesRestart })];
    void startDispatcher({ context: opened.context, executors: executors() });
    const id = await submit(opened);
    await until(opened, async () => (await taskOf(opened, id)).runHandle !== null);
    return { opened, machine, executors, id };
  }

  test("a run that finished while we were away is not made again", async () => {
    const hold = gate();
    const { opened, machine, executors, id } = await killedWhile(() => [{ do: "wait", until: hold.opened }], true);
    const again = await opened.reopen();
    core = again;
    hold.open();
    await until(again, () => machine.running().length === 0);
    dispatcher = await startDispatcher({ context: again.context, executors: executors() });
    expect(await ended(again, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(machine.started).toHaveLength(1);
  });

  test("a worker that was restarted too has lost the run: one attempt is used up", async () => {
    let held = true;
    const { opened, machine, executors, id } = await killedWhile(() => (held ? [{ do: "hang" }] : []), true);
    const again = await opened.reopen();
    core = again;
    held = false;
    machine.forget();
    dispatcher = await startDispatcher({ context: again.context, executors: executors() });
    expect(await ended(again, id)).toMatchObject({ status: "done", attempt: 2 });
  });

  test("a task whose executor is gone starts elsewhere in the same attempt", async () => {
    const { opened, id } = await killedWhile(() => [{ do: "hang" }], true);
    const again = await opened.reopen();
    core = again;
    dispatcher = await startDispatcher({
      context: again.context,
      executors: [new ScriptedExecutor({ name: "other" })],
    });
    expect(await ended(again, id)).toMatchObject({ status: "done", attempt: 1, executor: "other" });
  });

  test("a cancel asked for before the crash is carried out, even when nothing can run the task any more", async () => {
    const { opened, executors, id } = await killedWhile(() => [{ do: "hang" }], true);
    opened.die(1);
    void cancelTask(opened.context, id);
    await opened.dead;
    const again = await opened.reopen();
    core = again;
    dispatcher = await startDispatcher({ context: again.context, executors: [] });
    expect(await ended(again, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
    expect(executors()).toHaveLength(1);
  });

  test("FR-013: the time between death and start does not count", async () => {
    const { opened, executors, id, machine } = await killedWhile(() => [{ do: "hang" }], false);
    const again = await opened.reopen();
    core = again;
    again.clock.advance(24 * 60 * 60 * 1000);
    machine.script = () => [];
    machine.forget();
    dispatcher = await startDispatcher({ context: again.context, executors: executors() });
    expect(await ended(again, id)).toMatchObject({ status: "done" });
  });

  test("files without a record are swept, records without a file never", async () => {
    const opened = await openCore();
    core = opened;
    dispatcher = await startDispatcher({ context: opened.context, executors: [new ScriptedExecutor()] });
    const kept = await submit(opened);
    const gone = await submit(opened);
    const keptTask = await ended(opened, kept);
    const goneTask = await ended(opened, gone);
    await opened.context.media.remove(goneTask.resultPath ?? "");
    await opened.context.media.put(`results/${kept}-3.png`, new Uint8Array(3));
    await opened.context.media.put("previews/0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11-4.webp", new Uint8Array(3));
    expect(await sweepOrphans(opened.context)).toBe(2);
    expect(await namesIn(opened.context.media.list("results/"))).toEqual([keptTask.resultPath]);
    expect(await taskOf(opened, gone)).toMatchObject({ status: "done", resultPath: goneTask.resultPath });
  });

  test("the sweep leaves alone what a running task may be about to commit", async () => {
    const opened = await openCore();
    core = opened;
    dispatcher = await startDispatcher({
      context: opened.context,
      executors: [new ScriptedExecutor({ machine: new ScriptedMachine(() => [{ do: "hang" }]) })],
    });
    const id = await submit(opened);
    await until(opened, async () => (await taskOf(opened, id)).status === "processing");
    await opened.context.media.put(`results/${id}-1.png`, new Uint8Array(3));
    expect(await sweepOrphans(opened.context)).toBe(0);
  });
});
