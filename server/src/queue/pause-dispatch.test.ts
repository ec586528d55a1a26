// The switch of the queue with the dispatcher that it stops and wakes.
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Dispatcher, startDispatcher } from "../dispatch/dispatcher.ts";
import { ScriptedExecutor, ScriptedMachine } from "../executors/scripted.ts";
import { timeLimits } from "../tasks/time-limits.ts";
import { type Core, gate, openCore, submit, taskOf, until } from "../testing/core.ts";
import { pauseQueue, resumeQueue, setFront } from "./pause.ts";

let core: Core;
let machine: ScriptedMachine;
let dispatcher: Dispatcher;

let open: ReturnType<typeof gate>;

beforeEach(async () => {
  core = await openCore();
  open = gate();
  machine = new ScriptedMachine(() => [{ do: "wait", until: () => open.opened }]);
  dispatcher = await start();
});
afterEach(async () => {
  open.open();
  await dispatcher.stop();
  await core.close();
});

/** Its own timer comes no sooner than a test gives up: what begins was woken. */
const limits = { ...timeLimits, reaper: 600_000 };
const start = () => startDispatcher({ context: core.context, executors: [new ScriptedExecutor({ machine })], limits });
const started = () => machine.started.map(({ taskId }) => taskId);

test("what runs goes on to its end, nothing else starts, and a resumed queue starts at once", async () => {
  const first = await submit(core);
  await until(core, () => started().length === 1);
  await pauseQueue(core.context);
  const second = await submit(core);
  const third = await submit(core);
  await setFront(core.context, third, true);
  open.open();
  await until(core, async () => (await taskOf(core, first)).status === "done");
  // The dispatcher has looked for the next one by now: the end of a run wakes it.
  await new Promise((resolve) => setTimeout(resolve, 300));
  const waiting = await Promise.all([second, third].map((id) => taskOf(core, id)));
  expect(waiting.map(({ status }) => status)).toEqual(["pending", "pending"]);
  await resumeQueue(core.context);
  await until(core, () => started().length >= 2);
  await until(core, async () => (await taskOf(core, second)).status === "done");
  expect(started()).toEqual([first, third, second]);
});

test("a restart in the middle leaves it paused: what ran waits to run again until it is resumed", async () => {
  const first = await submit(core);
  await until(core, () => started().length === 1);
  await pauseQueue(core.context);
  await dispatcher.stop();
  core = await core.reopen();
  machine.runs.clear();
  dispatcher = await start();
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(await taskOf(core, first)).toMatchObject({ status: "processing", leaseOwner: null });
  open.open();
  await resumeQueue(core.context);
  await until(core, async () => (await taskOf(core, first)).status === "done");
});
