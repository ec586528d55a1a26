import { afterEach, describe, expect, test } from "vitest";
import type { WriteOperation } from "../database/sqlite/sqlite-connection.ts";
import { SafelightError } from "../errors.ts";
import { ScriptedExecutor, ScriptedMachine } from "../executors/scripted.ts";
import { diskFileSystem, type MediaFileSystem } from "../media/media-file-system.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { type Core, ended, openCore, requestFor, submit, taskOf, until } from "../testing/core.ts";
import { allTasks, brokenPromises } from "../testing/invariants.ts";
import { type Dispatcher, startDispatcher } from "./dispatcher.ts";
import { sweepOrphans } from "./sweep.ts";

let core: Core | undefined;
let dispatcher: Dispatcher | undefined;

afterEach(async () => {
  if (core !== undefined) core.faults.broken = false;
  await dispatcher?.stop();
  await core?.close();
  core = undefined;
  dispatcher = undefined;
});

const machine = (): ScriptedMachine =>
  new ScriptedMachine(({ seed, attempt }) =>
    seed === 2 && attempt === 1
      ? [{ do: "preview" }, { do: "fail", code: "worker_lost", detail: "died" }]
      : [{ do: "report", update: { progress: 50 } }, { do: "preview" }],
  );

/** Submits as a client would: what is refused for the storage's sake was not taken, and is sent again. */
async function submitUntilTaken(opened: Core, seed: number): Promise<{ id: string; refused: number }> {
  for (let refused = 0; ; refused += 1) {
    try {
      return { id: await submit(opened, requestFor({ seed })), refused };
    } catch (error) {
      expect(error).toBeInstanceOf(SafelightError);
      expect(error).toMatchObject({ code: "storage_unavailable" });
    }
  }
}

/** Two tasks and a cancelled one, with the Nth database operation failing. Returns whether the fault happened. */
async function scenario(nth: number, kind: WriteOperation): Promise<boolean> {
  const opened = await openCore();
  core = opened;
  opened.faults.failNth(nth, kind);
  const executors = [new ScriptedExecutor({ machine: machine() })];
  // A start that meets the fault fails as a whole and is tried again, as the person at the terminal would.
  dispatcher = await startDispatcher({ context: opened.context, executors }).catch((error: unknown) => {
    expect(error).toMatchObject({ code: "storage_unavailable" });
    return startDispatcher({ context: opened.context, executors });
  });
  const first = await submitUntilTaken(opened, 1);
  const second = await submitUntilTaken(opened, 2);
  const third = await submitUntilTaken(opened, 3);
  const cancel = () => cancelTask(opened.context, third.id);
  await cancel().catch(cancel);
  expect(await ended(opened, first.id), `${kind} ${nth}`).toMatchObject({ status: "done", attempt: 1 });
  expect(await ended(opened, second.id), `${kind} ${nth}`).toMatchObject({ status: "done", attempt: 2 });
  expect(await ended(opened, third.id), `${kind} ${nth}`).toMatchObject({ errorCode: "cancelled" });
  expect(await allTasks(opened)).toHaveLength(3);
  await dispatcher.stop();
  await sweepOrphans(opened.context);
  expect(await brokenPromises(opened), `${kind} ${nth}`).toEqual([]);
  const { happened } = opened.faults;
  await opened.close();
  core = undefined;
  dispatcher = undefined;
  return happened;
}

describe("every single write of the database failing in turn", () => {
  test.each(["begin", "statement", "commit"] as const)(
    "the Nth %s, N = 1, 2, … until the scenario passes",
    async (kind) => {
      // Statements are many: the long run fails each of them, the quick one every third.
      const stride = kind === "statement" && process.env.SAFELIGHT_TEST_LONG !== "1" ? 3 : 1;
      let nth = 1;
      while (await scenario(nth, kind)) nth += stride;
      expect(nth).toBeGreaterThan(10);
    },
  );

  test("a disk that is full for a while delays, and loses nothing", async () => {
    const opened = await openCore();
    core = opened;
    const running = new ScriptedMachine(() => [{ do: "hang" }]);
    dispatcher = await startDispatcher({
      context: opened.context,
      executors: [new ScriptedExecutor({ machine: running })],
    });
    const id = await submit(opened);
    await until(opened, async () => (await taskOf(opened, id)).runHandle !== null);
    opened.faults.broken = true;
    for (const run of running.runs.values()) run.board.post({ state: "succeeded", progress: 100 });
    await expect(submit(opened)).rejects.toMatchObject({ code: "storage_unavailable" });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await taskOf(opened, id)).status).toBe("processing");
    opened.faults.broken = false;
    expect(await ended(opened, id)).toMatchObject({ status: "done", attempt: 1 });
    expect(await brokenPromises(opened)).toEqual([]);
  });
});

/** A disk whose Nth call fails with the given errno, once or from then on. */
function faultyDisk(nth: number, code: string, forGood: boolean): { files: MediaFileSystem; happened: () => boolean } {
  let calls = 0;
  const fault = (): void => {
    calls += 1;
    if (calls === nth || (forGood && calls > nth)) throw Object.assign(new Error(`${code}: injected`), { code });
  };
  const faulty =
    <Arguments extends unknown[], Result>(call: (...values: Arguments) => Promise<Result>) =>
    async (...values: Arguments): Promise<Result> => {
      fault();
      return call(...values);
    };
  const files: MediaFileSystem = {
    ...diskFileSystem,
    rename: faulty((from, to) => diskFileSystem.rename(from, to)),
    open: async (path, flags, mode) => {
      fault();
      const handle = await diskFileSystem.open(path, flags, mode);
      const write = faulty(
        handle.write.bind(handle) as (...values: unknown[]) => Promise<unknown>,
      ) as typeof handle.write;
      return {
        write,
        sync: faulty(handle.sync.bind(handle)),
        read: handle.read.bind(handle),
        close: handle.close.bind(handle),
        createReadStream: handle.createReadStream.bind(handle),
      };
    },
  };
  return { files, happened: () => calls >= nth };
}

describe("every single call to the disk failing in turn", () => {
  test.each([
    ["ENOSPC", false],
    ["EIO", true],
  ] as const)("%s on the Nth call, from then on: %s", async (code, forGood) => {
    for (let nth = 1; ; nth += 1) {
      // The folders are made before; the fault is for what the server does with them.
      const disk = faultyDisk(Number.POSITIVE_INFINITY, code, forGood);
      const late = { current: disk };
      const opened = await openCore({
        mediaFiles: {
          ...diskFileSystem,
          open: (...values) => late.current.files.open(...values),
          rename: (...values) => late.current.files.rename(...values),
        },
      });
      core = opened;
      late.current = faultyDisk(nth, code, forGood);
      dispatcher = await startDispatcher({
        context: opened.context,
        executors: [new ScriptedExecutor({ machine: machine() })],
        storagePauses: [0, 1, 1],
      });
      const task = await ended(opened, await submit(opened, requestFor({ seed: 1 })));
      if (task.status === "failed") expect(task).toMatchObject({ errorCode: "storage_failed" });
      else expect(task.status).toBe("done");
      if (!forGood) expect(task.status, `${code} ${nth}`).toBe("done");
      await dispatcher.stop();
      const { happened } = late.current;
      late.current = disk;
      await sweepOrphans(opened.context);
      expect(await brokenPromises(opened), `${code} ${nth}`).toEqual([]);
      await opened.close();
      core = undefined;
      dispatcher = undefined;
      if (!happened()) {
        expect(nth).toBeGreaterThan(5);
        return;
      }
    }
  });
});
