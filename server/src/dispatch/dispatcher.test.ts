import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { StartFailed } from "../executors/executor.ts";
import { ScriptedExecutor, ScriptedMachine, type ScriptStep } from "../executors/scripted.ts";
import { diskFileSystem } from "../media/media-file-system.ts";
import { reapStale } from "../queue/reap.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { getTask } from "../tasks/get.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import { timeLimits } from "../tasks/time-limits.ts";
import {
  type Core,
  ended,
  gate,
  namesIn,
  openCore,
  requestFor,
  submit,
  taskOf,
  until,
  videoRequest,
} from "../testing/core.ts";
import { type Dispatcher, startDispatcher } from "./dispatcher.ts";

const opened: { core: Core; dispatcher: Dispatcher }[] = [];

afterEach(async () => {
  for (const { core, dispatcher } of opened.splice(0)) {
    core.faults.broken = false;
    await dispatcher.stop();
    await core.close();
  }
});

interface Stage {
  core: Core;
  machine: ScriptedMachine;
  dispatcher: Dispatcher;
}

async function stage(
  script?: ScriptedMachine["script"],
  executors?: (machine: ScriptedMachine) => ScriptedExecutor[],
): Promise<Stage> {
  const core = await openCore();
  const machine = new ScriptedMachine(script);
  const dispatcher = await startDispatcher({
    context: core.context,
    executors: executors?.(machine) ?? [new ScriptedExecutor({ machine })],
  });
  opened.push({ core, dispatcher });
  return { core, machine, dispatcher };
}

/** Never answers one of its calls. */
class Silent extends ScriptedExecutor {
  asked = false;

  constructor(options: ConstructorParameters<typeof ScriptedExecutor>[0], call: "result" | "release") {
    super(options);
    this[call] = () => {
      this.asked = true;
      return new Promise<never>(() => undefined);
    };
  }
}

async function filesOf(core: Core, prefix: string): Promise<string[]> {
  return namesIn(core.context.media.list(prefix));
}

/** Distinct states that listeners heard of a task, in order. */
function statesHeard(core: Core, id: string): TaskRecord["status"][] {
  const states: TaskRecord["status"][] = [];
  core.context.hub.subscribe((event) => {
    if (event.taskId !== id || event.type !== "task.updated") return;
    const { status } = JSON.parse(event.data) as { status: TaskRecord["status"] };
    if (states.at(-1) !== status) states.push(status);
  });
  return states;
}

describe("the way of a task", () => {
  test("a picture is started, watched, stored, verified and done", async () => {
    const { core, machine } = await stage(() => [
      { do: "report", update: { stage: "denoise", step: 1, steps: 2, progress: 40 } },
      { do: "preview" },
      { do: "report", update: { warnings: [{ code: "unknown_words", words: ["zeppelin"], detail: "Unknown." }] } },
    ]);
    const id = await submit(core);
    const task = await ended(core, id);
    expect(task).toMatchObject({
      status: "done",
      progress: 100,
      attempt: 1,
      executor: "scripted",
      engine: "scripted",
      errorCode: null,
      resultType: "image/png",
      width: 512,
      height: 512,
      frames: 1,
      leaseOwner: null,
    });
    expect(task.warnings).toEqual([{ code: "unknown_words", words: ["zeppelin"], detail: "Unknown." }]);
    expect(await filesOf(core, "results/")).toEqual([task.resultPath]);
    expect(task.resultPath).toMatch(new RegExp(`^results/${id}-1\\d*\\.png$`));
    expect(await filesOf(core, "previews/")).toEqual([task.previewPath]);
    await until(core, () => machine.runs.size === 0);
  });

  test("a clip is looked into before it counts", async () => {
    const { core } = await stage();
    const task = await ended(core, await submit(core, videoRequest()));
    expect(task).toMatchObject({ status: "done", resultType: "video/mp4", frames: 49, fps: 16 });
  });

  test("FR-004: progress moves during the run, never falls, and stays below 100 until the result is stored", async () => {
    const hold = gate();
    const { core } = await stage(() => [
      { do: "report", update: { progress: 30 } },
      { do: "report", update: { progress: 60 } },
      { do: "wait", until: hold.opened },
      { do: "report", update: { progress: 10 } },
      { do: "report", update: { progress: 400 } },
    ]);
    const seen: number[] = [];
    core.context.hub.subscribe(({ type, data }) => {
      if (type === "task.updated") seen.push((JSON.parse(data) as { progress: number }).progress);
    });
    const id = await submit(core);
    await until(core, async () => (await taskOf(core, id)).progress === 60);
    hold.open();
    await ended(core, id);
    expect(seen).toEqual(seen.toSorted((one, other) => one - other));
    expect(seen.filter((progress) => progress === 100)).toHaveLength(1);
  });

  test("tasks run in the order of their arrival, one at a time on one slot", async () => {
    const { core, machine } = await stage();
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await submit(core));
    for (const id of ids) await ended(core, id);
    expect(machine.started.map(({ taskId }) => taskId)).toEqual(ids);
  });

  test("an executor draws on while a result is taken in, and waits when results pile up", async () => {
    const disk = gate();
    const core = await openCore({
      mediaFiles: {
        ...diskFileSystem,
        rename: async (from, to) => {
          if (to.includes("results")) await disk.opened;
          return diskFileSystem.rename(from, to);
        },
      },
    });
    const machine = new ScriptedMachine(() => []);
    const executors = [new ScriptedExecutor({ machine })];
    opened.push({ core, dispatcher: await startDispatcher({ context: core.context, executors }) });
    const ids = [await submit(core), await submit(core), await submit(core)];
    const storing = async () =>
      (await core.context.database.prepareRead("SELECT sum(storing) AS count FROM tasks").get())?.count;
    await until(core, async () => (await storing()) === 2);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(machine.started).toHaveLength(2);
    disk.open();
    for (const id of ids) expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(await storing()).toBe(0);
  });

  test("an executor learns the whole request and the pictures of it", async () => {
    const { core, machine } = await stage();
    await core.context.database.write(async (tx) => {
      await tx
        .prepare(
          "INSERT INTO uploads VALUES ('sha256-a', 'image/png', 1, 1, 1, 0, 0, 0), ('sha256-b', 'image/webp', 1, 1, 1, 0, 0, 0)",
        )
        .run();
    });
    await core.context.media.put("uploads/sha256-a.png", Buffer.from("a picture"));
    const request = videoRequest({
      mode: "i2v",
      reference_image: `sha256-${"a".repeat(64)}`,
      reference_strength: 0.5,
      seed: 7,
    });
    const withUpload = { ...request, parameters: { ...request.parameters, reference_image: "sha256-a" } };
    await ended(core, await submit(core, withUpload));
    const [run] = machine.started;
    expect(run).toMatchObject({ attempt: 1, model: "anisora", mode: "i2v", seed: 7 });
    expect(run?.parameters).toMatchObject({ num_frames: 49, fps: 16, steps: 8 });
    expect(run?.parameters).not.toHaveProperty("reference_image");
    expect(run?.references).toMatchObject([
      { parameter: "reference_image", position: 0, frameIndex: null, strength: 0.5 },
    ]);
    expect(run?.references[0]?.path).toMatch(/uploads\/sha256-a\.png$/);
    expect(run?.deadlineMs).toBeLessThan(30 * 60_000);
  });
});

test("a task whose reference picture has gone ends with a reason, and no executor is blamed", async () => {
  const { core, machine } = await stage();
  await core.context.database.write(async (tx) => {
    await tx.prepare("INSERT INTO uploads VALUES ('sha256-a', 'image/png', 1, 1, 1, 0, 0, 0)").run();
  });
  const request = videoRequest({ mode: "i2v", reference_image: `sha256-${"a".repeat(64)}` });
  const withUpload = { ...request, parameters: { ...request.parameters, reference_image: "sha256-a" } };
  expect(await ended(core, await submit(core, withUpload))).toMatchObject({
    status: "failed",
    errorCode: "engine_failed",
    errorMessage: "A reference picture of the task is no longer there.",
  });
  expect(machine.started).toHaveLength(0);
});

describe("what is written of a run", () => {
  test("a handle whose own write failed is written with the next report", async () => {
    const hold = gate();
    const { core, machine } = await stage(() => [
      { do: "wait", until: hold.opened },
      { do: "report", update: { progress: 50 } },
      { do: "hang" },
    ]);
    const { script } = machine;
    machine.script = (request) => {
      core.faults.broken = true;
      return script(request);
    };
    const id = await submit(core);
    await until(core, () => core.logged.some((line) => line.includes("handle of a run could not be stored")));
    core.faults.broken = false;
    expect((await taskOf(core, id)).runHandle).toBeNull();
    hold.open();
    await until(core, async () => (await taskOf(core, id)).progress === 50);
    expect((await taskOf(core, id)).runHandle).toBe(JSON.stringify({ key: `${id}-1` }));
  });

  test("a report that says nothing new is not written again", async () => {
    const again = gate();
    const { core } = await stage(() => [
      { do: "report", update: { progress: 30 } },
      { do: "wait", until: again.opened },
      { do: "report", update: { progress: 30 } },
      { do: "hang" },
    ]);
    const id = await submit(core);
    await until(core, async () => (await taskOf(core, id)).progress === 30);
    const { version } = await taskOf(core, id);
    again.open();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await taskOf(core, id)).version).toBe(version);
  });
});

describe("failures", () => {
  test.each(["engine_failed", "out_of_memory", "content_refused", "timed_out", "storage_failed"] as const)(
    "%s ends the task with the executor's words",
    async (code) => {
      const { core, machine } = await stage(() => [{ do: "fail", code, detail: "A reason a creator can read." }]);
      const task = await ended(core, await submit(core));
      expect(task).toMatchObject({
        status: "failed",
        errorCode: code,
        errorMessage: "A reason a creator can read.",
        attempt: 1,
      });
      expect(machine.started).toHaveLength(1);
    },
  );

  test("a crash uses up one attempt and the next one finishes; progress keeps its maximum", async () => {
    const { core, machine } = await stage(({ attempt }) =>
      attempt === 1
        ? [
            { do: "report", update: { progress: 70 } },
            { do: "fail", code: "worker_lost", detail: "died" },
          ]
        : [{ do: "report", update: { progress: 20 } }],
    );
    const id = await submit(core);
    const states = statesHeard(core, id);
    const task = await ended(core, id);
    expect(task).toMatchObject({ status: "done", attempt: 2 });
    expect(task.resultPath).toMatch(new RegExp(`^results/${id}-2\\d*\\.png$`));
    expect(machine.started.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(states).toEqual(["processing", "done"]);
  });

  test("three crashes end the task as worker_lost", async () => {
    const { core, machine } = await stage(() => [{ do: "fail", code: "worker_lost", detail: "died" }]);
    const task = await ended(core, await submit(core));
    expect(task).toMatchObject({ status: "failed", errorCode: "worker_lost", attempt: 3 });
    expect(machine.started).toHaveLength(3);
  });

  test.each(["sha256", "bytes", "content", "size", "frames", "type", "stream"] as const)(
    "a result that lies about its %s is never done and leaves no file",
    async (about) => {
      const { core, machine } = await stage(() => [{ do: "lie", about }]);
      const task = await ended(core, await submit(core));
      expect(task.status).toBe("failed");
      expect(task.errorCode).toBe(about === "stream" ? "worker_lost" : "result_invalid");
      expect(machine.started).toHaveLength(3);
      await until(core, async () => (await filesOf(core, "results/")).length === 0);
    },
  );

  test("a result that lies once is made again", async () => {
    const { core } = await stage(({ attempt }) => (attempt === 1 ? [{ do: "lie", about: "content" }] : []));
    const task = await ended(core, await submit(core));
    expect(task).toMatchObject({ status: "done", attempt: 2 });
    await until(core, async () => (await filesOf(core, "results/")).length === 1);
  });

  test("a clip that is cut off is not done", async () => {
    const { core } = await stage(() => [{ do: "lie", about: "content" }]);
    expect(await ended(core, await submit(core, videoRequest()))).toMatchObject({ errorCode: "result_invalid" });
  });

  test("storage that cannot take the result fails the task as storage_failed and keeps the executor free", async () => {
    let full = true;
    const core = await openCore({
      mediaFiles: {
        ...diskFileSystem,
        rename: (from, to) =>
          full && to.includes("results")
            ? Promise.reject(Object.assign(new Error(), { code: "ENOSPC" }))
            : diskFileSystem.rename(from, to),
      },
    });
    const executors = [new ScriptedExecutor()];
    const dispatcher = await startDispatcher({ context: core.context, executors, storagePauses: [0, 1] });
    opened.push({ core, dispatcher });
    expect(await ended(core, await submit(core))).toMatchObject({ status: "failed", errorCode: "storage_failed" });
    full = false;
    expect(await ended(core, await submit(core))).toMatchObject({ status: "done" });
  });
});

describe("failing over (FR-011)", () => {
  test("an executor that does not start a run is passed over within the same attempt", async () => {
    const dead = new ScriptedMachine();
    dead.startFailures.push(new StartFailed("unreachable", "no route"));
    const { core, machine } = await stage(undefined, (good) => [
      new ScriptedExecutor({ name: "dead", machine: dead }),
      new ScriptedExecutor({ name: "good", machine: good }),
    ]);
    const task = await ended(core, await submit(core));
    expect(task).toMatchObject({ status: "done", attempt: 1, executor: "good" });
    expect(machine.started).toHaveLength(1);
  });

  test("at most three further executors are tried, and then the attempt is lost", async () => {
    const machines = Array.from({ length: 6 }, () => {
      const machine = new ScriptedMachine();
      for (let index = 0; index < 50; index += 1)
        machine.startFailures.push(new StartFailed("unreachable", "no route"));
      return machine;
    });
    const { core } = await stage(undefined, () =>
      machines.map((machine, index) => new ScriptedExecutor({ name: `dead-${index}`, machine })),
    );
    const task = await ended(core, await submit(core));
    expect(task).toMatchObject({ status: "failed", errorCode: "worker_lost", attempt: 3 });
    const starts = machines.reduce((sum, machine) => sum + 50 - machine.startFailures.length, 0);
    expect(starts).toBe(3 * 4);
  });

  test("an executor that says it is busy gets the task again a moment later, without an attempt used up", async () => {
    const { core, machine } = await stage();
    machine.startFailures.push(new StartFailed("busy", "not now"), new StartFailed("busy", "not now"));
    expect(await ended(core, await submit(core))).toMatchObject({ status: "done", attempt: 1 });
  });

  test("of two executors the least loaded is chosen, then the one that rested longer", async () => {
    const hold = gate();
    const script = (): ScriptStep[] => [{ do: "wait", until: hold.opened }];
    const slots = { image: 2, video: 2, total: 2 };
    const { core } = await stage(undefined, () => [
      new ScriptedExecutor({ name: "one", machine: new ScriptedMachine(script), slots }),
      new ScriptedExecutor({ name: "two", machine: new ScriptedMachine(script), slots }),
    ]);
    const ids: string[] = [];
    for (let index = 0; index < 5; index += 1) ids.push(await submit(core));
    const tasks = () => Promise.all(ids.map((id) => taskOf(core, id)));
    await until(core, async () => (await tasks()).filter(({ status }) => status === "processing").length === 4);
    const places = (await tasks()).map(({ executor }) => executor);
    expect(places).toEqual(["one", "two", "one", "two", null]);
    hold.open();
    for (const id of ids) await ended(core, id);
  });

  test("a task pinned to a workspace runs there and nowhere else", async () => {
    const { core } = await stage(undefined, () => [
      new ScriptedExecutor({ name: "first-studio" }),
      new ScriptedExecutor({ name: "second-studio" }),
    ]);
    const id = await submit(core, requestFor({ workspace: "second-studio" }));
    expect(await ended(core, id)).toMatchObject({ status: "done", executor: "second-studio" });
  });
});

describe("cancelling", () => {
  test("a waiting task ends at once and never starts", async () => {
    const hold = gate();
    const { core, machine } = await stage(() => [{ do: "wait", until: hold.opened }]);
    const running = await submit(core);
    const waiting = await submit(core);
    const task = await cancelTask(core.context, waiting);
    expect(task).toMatchObject({ status: "failed", errorCode: "cancelled", startedAt: null, attempt: 0 });
    hold.open();
    await ended(core, running);
    expect(machine.started.map(({ taskId }) => taskId)).toEqual([running]);
  });

  test("a running task is told to stop, ends as cancelled, and its slot is free for the next", async () => {
    const { core, machine } = await stage((request) => (request.seed === 1 ? [{ do: "hang" }] : []));
    const hanging = await submit(core, requestFor({ seed: 1 }));
    const next = await submit(core, requestFor({ seed: 2 }));
    await until(core, () => machine.started.length === 1);
    const told = await cancelTask(core.context, hanging);
    expect(told).toMatchObject({ status: "processing", stage: "cancelling" });
    expect(await ended(core, hanging)).toMatchObject({ status: "failed", errorCode: "cancelled" });
    expect(await ended(core, next)).toMatchObject({ status: "done" });
  });

  test("cancelling an ended task changes nothing", async () => {
    const { core } = await stage();
    const id = await submit(core);
    const before = await ended(core, id);
    const after = await cancelTask(core.context, id);
    expect(after.version).toBe(before.version);
    expect(after.status).toBe("done");
  });

  test("whatever the moment, a cancelled task ends cancelled and leaves no result", async () => {
    for (let delay = 0; delay < 12; delay += 1) {
      const { core } = await stage(() => [{ do: "preview" }]);
      const id = await submit(core);
      for (let turn = 0; turn < delay * 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      const answer = await cancelTask(core.context, id);
      const task = await ended(core, id);
      if (answer.status === "done") expect(task.status).toBe("done");
      else expect(task.errorCode).toBe("cancelled");
      await until(core, async () => (await filesOf(core, "results/")).length === (task.status === "done" ? 1 : 0));
    }
  });

  test("a run that fails in the moment of its cancel ends as cancelled", async () => {
    const { core, machine } = await stage(() => [{ do: "hang" }]);
    const id = await submit(core);
    await until(core, async () => (await taskOf(core, id)).runHandle !== null);
    const told = cancelTask(core.context, id);
    const error = { code: "engine_failed", detail: "Broke." } as const;
    for (const run of machine.runs.values()) run.board.post({ state: "failed", error });
    await told;
    expect(await ended(core, id)).toMatchObject({ errorCode: "cancelled" });
  });

  test("an executor that does not answer a cancel keeps neither the creator nor the task waiting", async () => {
    const core = await openCore();
    const executor = new ScriptedExecutor({ machine: new ScriptedMachine(() => [{ do: "hang" }]) });
    executor.cancel = () => new Promise(() => {});
    const { deriveTimeLimits } = await import("../tasks/time-limits.ts");
    const limits = { ...deriveTimeLimits({ image: 600_000, video: 600_000 }), cancel: 50 };
    const dispatcher = await startDispatcher({ context: core.context, executors: [executor], limits });
    opened.push({ core, dispatcher });
    const id = await submit(core);
    await until(core, async () => (await taskOf(core, id)).runHandle !== null);
    await cancelTask(core.context, id);
    expect(await ended(core, id)).toMatchObject({ errorCode: "cancelled" });
  });
});

describe("time limits (FR-013)", () => {
  test("a run past its limit is ended by the timer's check, its executor is freed, and the system's row tells why", async () => {
    const { core, machine } = await stage((request) => (request.seed === 1 ? [{ do: "hang" }] : []));
    const id = await submit(core, requestFor({ seed: 1 }));
    await until(core, async () => (await taskOf(core, id)).runHandle !== null);
    for (let minute = 0; minute < 10; minute += 1) {
      core.clock.advance(20_000);
      await core.context.database.write(async (tx) => {
        // Stands for the renewals that real time would have brought.
        await tx
          .prepare("UPDATE tasks SET leased_ms = leased_ms + 61000, lease_renewed_at = ?")
          .run(core.clock.steady());
      });
    }
    expect(await reapStale(core.context)).toBe(1);
    expect(await taskOf(core, id)).toMatchObject({ status: "failed", errorCode: "timed_out" });
    await until(core, () => machine.runs.size === 0);
    const audit = await core.context.database.prepareRead("SELECT * FROM audit_events").get();
    expect(audit).toMatchObject({ actor_type: "system", action: "task_stale", target: id, outcome: "success" });
    expect(JSON.parse(String(audit?.details))).toMatchObject({ type: "image", limit_seconds: 600 });
    expect(await ended(core, await submit(core, requestFor({ seed: 2 })))).toMatchObject({ status: "done" });
  });

  test("a look at the task ends it as well", async () => {
    const { core, machine } = await stage(() => [{ do: "hang" }]);
    const id = await submit(core);
    await until(core, async () => (await taskOf(core, id)).runHandle !== null);
    await core.context.database.write((tx) => tx.prepare("UPDATE tasks SET leased_ms = 600001").run());
    expect(await getTask(core.context, id)).toMatchObject({ status: "failed", errorCode: "timed_out" });
    await until(core, () => machine.runs.size === 0);
  });
});

describe("stopping", () => {
  test("running tasks are handed back, stay processing, and use up no attempt", async () => {
    const { core, machine, dispatcher } = await stage(() => [{ do: "hang" }]);
    const running = await submit(core);
    const waiting = await submit(core);
    await until(core, async () => (await taskOf(core, running)).runHandle !== null);
    await dispatcher.stop();
    expect(await taskOf(core, running)).toMatchObject({
      status: "processing",
      leaseOwner: null,
      released: true,
      attempt: 1,
      runHandle: null,
    });
    expect(await taskOf(core, waiting)).toMatchObject({ status: "pending" });
    expect(machine.runs.size).toBe(0);
    machine.script = () => [];
    const again = await startDispatcher({ context: core.context, executors: [new ScriptedExecutor({ machine })] });
    expect(await ended(core, waiting)).toMatchObject({ status: "done" });
    expect(await ended(core, running)).toMatchObject({ status: "done", attempt: 1 });
    expect(machine.started.map(({ taskId }) => taskId)).toEqual([running, running, waiting]);
    await again.stop();
  });

  test("runs that outlive us go on, and are picked up with what they reached meanwhile", async () => {
    const hold = gate();
    const { core, machine, dispatcher } = await stage(
      () => [
        { do: "wait", until: hold.opened },
        { do: "report", update: { progress: 80 } },
      ],
      (shared) => [new ScriptedExecutor({ machine: shared, survivesRestart: true })],
    );
    const id = await submit(core);
    await until(core, async () => (await taskOf(core, id)).runHandle !== null);
    await dispatcher.stop();
    expect(await taskOf(core, id)).toMatchObject({ status: "processing", leaseOwner: null });
    expect((await taskOf(core, id)).runHandle).not.toBeNull();
    hold.open();
    const again = await startDispatcher({
      context: { ...core.context, instance: "another start" },
      executors: [new ScriptedExecutor({ machine, survivesRestart: true })],
    });
    expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(machine.started).toHaveLength(1);
    await again.stop();
  });

  test("an executor that hangs while it hands over its result keeps nobody; the next start asks it again", async () => {
    const silent = new Silent({ survivesRestart: true }, "result");
    const { core, dispatcher } = await stage(undefined, () => [silent]);
    const id = await submit(core);
    await until(core, () => silent.asked);
    await dispatcher.stop();
    expect(await taskOf(core, id)).toMatchObject({ status: "processing", leaseOwner: null, attempt: 1 });
    expect((await taskOf(core, id)).runHandle).not.toBeNull();
  });

  test("an executor that hangs when it is to let go keeps nobody longer than the limit for a stop", async () => {
    const core = await openCore();
    const silent = new Silent({ survivesRestart: true }, "release");
    const dispatcher = await startDispatcher({
      context: core.context,
      executors: [silent],
      limits: { ...timeLimits, cancel: 60_000, stop: 100 },
    });
    opened.push({ core, dispatcher });
    const task = await ended(core, await submit(core));
    await until(core, () => silent.asked);
    await dispatcher.stop();
    expect(core.logged.filter((line) => line.includes("did not end in time") && line.includes(task.id))).toHaveLength(
      1,
    );
  });

  test("nothing is claimed once it has stopped", async () => {
    const { core, machine, dispatcher } = await stage();
    await dispatcher.stop();
    const id = await submit(core);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await taskOf(core, id)).status).toBe("pending");
    expect(machine.started).toHaveLength(0);
  });
});

describe("those who wait", () => {
  test("hear of their new place when the queue moves, without a change of the task or of the event log", async () => {
    const hold = gate();
    const { core } = await stage(({ seed }) => (seed === 1 ? [{ do: "wait", until: hold.opened }] : [{ do: "hang" }]));
    await submit(core, requestFor({ seed: 1 }));
    await submit(core, requestFor({ seed: 2 }));
    const last = await submit(core, requestFor({ seed: 3 }));
    const heard: (number | null)[] = [];
    core.context.hub.subscribe(({ id, taskId, data }) => {
      if (taskId === last && id === null) heard.push((JSON.parse(data) as { queue_position: number }).queue_position);
    });
    await until(core, () => heard.at(-1) === 2);
    const { version } = await taskOf(core, last);
    hold.open();
    await until(core, () => heard.at(-1) === 1);
    expect((await taskOf(core, last)).version).toBe(version);
    await cancelTask(core.context, last);
  });
});

describe("the log", () => {
  test("tells of dispatch and end, never of prompts", async () => {
    const { core } = await stage();
    const secret = `lighthouse ${randomBytes(8).toString("hex")}`;
    const id = await submit(core, requestFor({ prompt: secret, negative_prompt: secret }));
    await ended(core, id);
    const lines = core.logged.filter((line) => line.includes(id));
    expect(lines.some((line) => line.includes("task dispatched") && line.includes("scripted"))).toBe(true);
    expect(lines.some((line) => line.includes("task ended") && line.includes("done"))).toBe(true);
    expect(core.logged.join("")).not.toContain(secret);
  });
});
