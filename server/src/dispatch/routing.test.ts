import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../context/clock.ts";
import type { RunRequest } from "../executors/executor.ts";
import type { Script } from "../executors/scripted.ts";
import { storeUpload, uploadName } from "../media/uploads.ts";
import { pauseQueue } from "../queue/pause.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { pausedSetting } from "../tasks/paused.ts";
import { type Core, ended, gate, openCore, requestFor, submit, taskOf, until } from "../testing/core.ts";
import { holdReads } from "../testing/held-database.ts";
import { picture } from "../testing/pictures.ts";
import { addWorker, type RoutedCore, startRouting } from "../testing/routed-core.ts";
import { type ScriptedWorker, type ScriptedWorkerOptions, startScriptedWorker } from "../testing/scripted-worker.ts";
import { standInFront } from "../testing/worker-front.ts";
import { disableAccount, drainAccount, rotateCredentials, updateAccount } from "../worker-accounts/change-account.ts";
import { checkAccount } from "../worker-accounts/check-account.ts";
import { deleteAccount, purgeDeletedAccounts } from "../worker-accounts/delete-account.ts";
import { getAccount } from "../worker-accounts/describe-account.ts";

let core: Core;
let routed: RoutedCore;
const workers: ScriptedWorker[] = [];

beforeEach(async () => {
  core = await openCore({ clock: createSystemClock() });
  routed = await startRouting(core);
});

afterEach(async () => {
  await routed.stop();
  await core.close();
  await Promise.all(workers.splice(0).map((worker) => worker.close()));
});

const quick: Script = () => [{ do: "preview" }];
const hang: Script = () => [{ do: "report", update: { stage: "denoise", progress: 20 } }, { do: "hang" }];

async function startWorker(name: string, options: ScriptedWorkerOptions = {}, slots = options.slots ?? 2) {
  const worker = await startScriptedWorker({ script: quick, slots, ...options });
  workers.push(worker);
  await addWorker(routed, name, worker, { image: slots, video: slots });
  return worker;
}

const describeOf = (name: string) => getAccount(core.context, routed.registry, name);
const runningAt = (id: string, executor: string) =>
  until(
    core,
    async () => (await taskOf(core, id)).runHandle !== null && (await taskOf(core, id)).executor === executor,
  );

describe("an account that is removed or switched off", () => {
  const changes = {
    removed: () => deleteAccount(core.context, routed.registry, "attic-gpu", false),
    "switched off": () => disableAccount(core.context, routed.registry, "attic-gpu", false),
  };
  const offersIt = () => routed.executors.find("attic-gpu")?.offer("flux", "txt2img").able ?? false;

  test.each(Object.entries(changes))("is given nothing that is claimed after it was %s", async (_, change) => {
    await startWorker("attic-gpu", { script: hang });
    // Whoever would read of it after the change has to wait for that.
    const held = holdReads(core.context.database, "FROM worker_account");
    const changing = change();
    const id = await submit(core);
    // Behind the claim that the new task asked for, and what followed from it.
    for (let write = 0; write < 3; write += 1) await core.context.database.write(() => undefined);
    expect(await taskOf(core, id)).toMatchObject({ leaseOwner: null, runHandle: null });
    held.release();
    await changing;
    expect(offersIt()).toBe(false);
  });

  test.each(Object.entries(changes))("counts as %s at once, though nothing can be read after it", async (_, change) => {
    await startWorker("attic-gpu");
    expect(offersIt()).toBe(true);
    const held = holdReads(core.context.database, "FROM worker_account");
    held.fail();
    await change();
    expect([offersIt(), routed.registry.standings.of("flux")]).toEqual([false, expect.not.stringMatching("ready")]);
    held.release();
  });
});

test("an account that a run failed on while a claim waited for its turn is checked before it is given the task", async () => {
  await startWorker("attic-gpu");
  await pauseQueue(core.context);
  await submit(core);
  // Behind the claim that the new task asked for.
  for (let write = 0; write < 3; write += 1) await core.context.database.write(() => undefined);
  const standings: string[] = [];
  const started = gate();
  core.context.hub.subscribe(({ id }) => {
    // Where it stands in the queue may be told before.
    if (id === null) return;
    standings.push(routed.executors.standing("attic-gpu"));
    started.open();
  });
  const turn = gate();
  const before = core.context.database.write(async (tx) => {
    await tx.prepare("DELETE FROM settings WHERE key = ?").run(pausedSetting);
    await turn.opened;
  });
  core.context.hub.queueChanged();
  routed.executors.begin("attic-gpu").end("bad");
  turn.open();
  await before;
  await started.opened;
  expect(standings[0]).toBe("ready");
});

describe("accounts run tasks", () => {
  test("FR-011: a task goes to the worker, its result and preview come to us, and the worker forgets it", async () => {
    const worker = await startWorker("attic-gpu");
    const task = await ended(core, await submit(core));
    expect(task).toMatchObject({ status: "done", executor: "attic-gpu", engine: "scripted", attempt: 1 });
    expect(task.resultSha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await core.context.media.stat(task.resultPath ?? "")).toMatchObject({ bytes: task.resultBytes });
    expect(await describeOf("attic-gpu")).toMatchObject({ use_count: 1, running: { image: 0, video: 0 } });
    expect((await describeOf("attic-gpu")).last_used).not.toBeNull();
    await expect.poll(() => keptTasks(worker)).toBe(0);
  });

  test("least loaded first, then the one that has rested longest", async () => {
    const free = gate();
    const held: Script = () => [{ do: "wait", until: free.opened }];
    await startWorker("attic-gpu", { script: held, slots: 4 });
    await startWorker("cellar-gpu", { script: held, slots: 2 });
    const ids: string[] = [];
    for (let index = 0; index < 6; index += 1) {
      ids.push(await submit(core));
      await until(core, async () => (await taskOf(core, ids.at(-1) ?? "")).runHandle !== null);
    }
    // Load is running ÷ slots: 0/4 0/2 → attic, 1/4 0/2 → cellar, 1/4 1/2 → attic, 2/4 1/2 → cellar rested longer, then attic twice.
    const tasks = await Promise.all(ids.map((id) => taskOf(core, id)));
    expect(tasks.map(({ executor }) => executor?.slice(0, 1)).join("")).toBe("acacaa");
    expect((await describeOf("attic-gpu")).running).toEqual({ image: 4, video: 0 });
    free.open();
    for (const id of ids) expect(await ended(core, id)).toMatchObject({ status: "done" });
    expect([(await describeOf("attic-gpu")).use_count, (await describeOf("cellar-gpu")).use_count]).toEqual([4, 2]);
  });

  test("disabled and draining accounts get no work; what runs there finishes", async () => {
    const free = gate();
    await startWorker("attic-gpu", { script: () => [{ do: "wait", until: free.opened }], slots: 1 });
    await startWorker("cellar-gpu", { script: () => [{ do: "wait", until: free.opened }], slots: 1 });
    const ids = [await submit(core), await submit(core)];
    for (const id of ids) await until(core, async () => (await taskOf(core, id)).runHandle !== null);
    await disableAccount(core.context, routed.registry, "attic-gpu", false);
    await drainAccount(core.context, routed.registry, "cellar-gpu", true);
    const waiting = await submit(core);
    free.open();
    for (const id of ids) expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 1 });
    await sleep(50);
    expect((await taskOf(core, waiting)).status).toBe("pending");
    await drainAccount(core.context, routed.registry, "cellar-gpu", false);
    expect(await ended(core, waiting)).toMatchObject({ status: "done", executor: "cellar-gpu" });
  });

  test("a deleted account's run finishes with its credentials, which go afterwards", async () => {
    const free = gate();
    await startWorker("attic-gpu", { script: () => [{ do: "wait", until: free.opened }] });
    const id = await submit(core);
    await runningAt(id, "attic-gpu");
    await deleteAccount(core.context, routed.registry, "attic-gpu", false);
    free.open();
    expect(await ended(core, id)).toMatchObject({ status: "done", executor: "attic-gpu", attempt: 1 });
    expect(await purgeDeletedAccounts(core.context)).toBe(1);
    await routed.executors.refresh();
    expect(routed.executors.find("attic-gpu")).toBeUndefined();
  });

  test("credentials that are replaced in the middle of a run do not lose it", async () => {
    const free = gate();
    const worker = await startWorker("attic-gpu", { script: () => [{ do: "wait", until: free.opened }] });
    const front = await standInFront(worker.url);
    await updateAccount(core.context, routed.registry, "attic-gpu", { base_url: front.url });
    await checkAccount(core.context, routed.registry, "attic-gpu", "by_hand");
    const id = await submit(core);
    await runningAt(id, "attic-gpu");
    // The worker takes another key from now on; ours follows a moment later.
    const key = "another-key-of-the-worker";
    front.key = (given) => `Bearer ${given === `Bearer ${key}` ? worker.key : "of-somebody-else"}`;
    await sleep(200);
    await rotateCredentials(core.context, routed.registry, "attic-gpu", { worker_key: key });
    free.open();
    expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 1 });
    await front.close();
  });
});

describe("failing over (FR-011)", () => {
  test("a worker that is gone does not start it: another does, in the same attempt, and the account is checked at once", async () => {
    const dead = await startWorker("attic-gpu");
    await startWorker("cellar-gpu");
    await dead.close();
    const ids = await Promise.all(Array.from({ length: 4 }, () => submit(core)));
    for (const id of ids)
      expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 1, executor: "cellar-gpu" });
    await expect.poll(async () => (await describeOf("attic-gpu")).status).toBe("failed");
  });

  test("a worker that dies in the middle loses its runs to another, which makes the one result", async () => {
    const dying = await startWorker("attic-gpu", { script: hang, slots: 2 });
    const ids = [await submit(core), await submit(core)];
    for (const id of ids) await runningAt(id, "attic-gpu");
    await startWorker("cellar-gpu", { slots: 2 });
    await dying.close();
    for (const id of ids) {
      expect(await ended(core, id)).toMatchObject({
        status: "done",
        attempt: 2,
        executor: "cellar-gpu",
        avoided: ["attic-gpu"],
      });
    }
  });

  test("a worker that was restarted does not know its runs: they begin anew, elsewhere where somebody is able", async () => {
    const worker = await startWorker("attic-gpu", { script: hang, slots: 2 });
    const id = await submit(core);
    await runningAt(id, "attic-gpu");
    const other = await startWorker("cellar-gpu", { slots: 1 });
    // The only slot of the other is taken: the task waits for it though the one that lost it is free.
    const filled = gate();
    other.machine.script = () => [{ do: "wait", until: filled.opened }];
    const filling = await submit(core);
    await runningAt(filling, "cellar-gpu");
    await worker.restart();
    filled.open();
    expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 2, executor: "cellar-gpu" });
  });

  test("a worker that falls silent in mid-run is checked at once, before its run is given up", async () => {
    const worker = await startWorker("attic-gpu");
    worker.machine.script = hang;
    const id = await submit(core);
    await runningAt(id, "attic-gpu");
    await worker.stop();
    await expect.poll(async () => (await describeOf("attic-gpu")).status).toBe("failed");
    expect(await taskOf(core, id)).toMatchObject({ status: "processing", attempt: 1, executor: "attic-gpu" });
  });

  test("with one worker alone a task waits for it to come back and uses up one attempt at most", async () => {
    const worker = await startWorker("attic-gpu");
    await worker.stop();
    const id = await submit(core);
    await expect.poll(async () => (await describeOf("attic-gpu")).status).toBe("failed");
    const before = await taskOf(core, id);
    expect(before).toMatchObject({ leaseOwner: null });
    expect(before.attempt).toBeLessThanOrEqual(2);
    await worker.restart();
    await checkAccount(core.context, routed.registry, "attic-gpu", "by_hand");
    expect(await ended(core, id)).toMatchObject({ status: "done", executor: "attic-gpu" });
  });

  test("three failed runs open the circuit; the status of the account stays as its checks say", async () => {
    const worker = await startWorker("attic-gpu", { slots: 1 });
    worker.machine.script = () => [{ do: "fail", code: "worker_lost", detail: "The engine died." }];
    const id = await submit(core);
    expect(await ended(core, id)).toMatchObject({ status: "failed", errorCode: "worker_lost", attempt: 3 });
    expect(await describeOf("attic-gpu")).toMatchObject({ status: "ready", circuit: { state: "open", failures: 3 } });
    const waiting = await submit(core);
    await sleep(100);
    expect((await taskOf(core, waiting)).status).toBe("pending");
  });

  test.each([
    ["out_of_memory", "failed"],
    ["engine_failed", "failed"],
    ["content_refused", "failed"],
  ] as const)("%s says nothing about the worker", async (code, status) => {
    const worker = await startWorker("attic-gpu", { slots: 1 });
    worker.machine.script = () => [{ do: "fail", code, detail: "It does not fit." }];
    for (let time = 0; time < 4; time += 1) {
      expect(await ended(core, await submit(core))).toMatchObject({ status, errorCode: code, attempt: 1 });
    }
    expect((await describeOf("attic-gpu")).circuit).toEqual({ state: "closed", failures: 0, until: null });
  });

  test("a cancelled run is stopped on its worker and frees the slot", async () => {
    const worker = await startWorker("attic-gpu", { script: hang, slots: 1 });
    const id = await submit(core);
    await runningAt(id, "attic-gpu");
    await cancelTask(core.context, id);
    expect(await ended(core, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
    expect(worker.machine.running()).toEqual([]);
    worker.machine.script = quick;
    expect(await ended(core, await submit(core))).toMatchObject({ status: "done" });
    expect((await describeOf("attic-gpu")).circuit.failures).toBe(0);
  });
});

test("a run that could not be stopped is stopped once its worker answers again", async () => {
  const worker = await startScriptedWorker({ script: hang, slots: 1 });
  workers.push(worker);
  const front = await standInFront(worker.url);
  await addWorker(routed, "attic-gpu", { url: front.url, key: worker.key }, { image: 1, video: 1 });
  const id = await submit(core);
  await runningAt(id, "attic-gpu");
  front.takeOver = () => true;
  await cancelTask(core.context, id);
  expect(await ended(core, id)).toMatchObject({ status: "failed", errorCode: "cancelled" });
  expect(worker.machine.running()).toHaveLength(1);
  front.takeOver = null;
  // It is given up on a moment after the task has ended.
  await expect
    .poll(async () => {
      await checkAccount(core.context, routed.registry, "attic-gpu", "by_hand");
      return worker.machine.running().length;
    })
    .toBe(0);
  await front.close();
});

describe("pictures", () => {
  test("travel to the worker once, and stand there in the places they were given", async () => {
    const worker = await startScriptedWorker({ script: quick, slots: 1 });
    workers.push(worker);
    const front = await standInFront(worker.url);
    await addWorker(routed, "attic-gpu", { url: front.url, key: worker.key }, { image: 1, video: 1 });
    const images: string[] = [];
    for (const format of ["png", "jpeg", "webp"] as const) {
      images.push((await storeUpload(core.context, await picture(format), null)).upload.id);
    }
    const [first = "", second = "", third = ""] = images;
    const keyframes = [
      { frame_index: 0, image: second, strength: 0.5 },
      { frame_index: 20, image: first, strength: 1 },
      { frame_index: 48, image: third, strength: 0.85 },
    ];
    const film = { model: "anisora", width: 512, height: 512, num_frames: 49 };
    const requests = [
      requestFor({ mode: "img2img", reference_image: first, denoising_strength: 0.4 }),
      requestFor({ ...film, mode: "arbitrary_frame", arbitrary_frames: keyframes }),
      requestFor({
        ...film,
        mode: "first_last_frame",
        first_frame_image: second,
        last_frame_image: third,
        last_strength: 0.6,
      }),
    ];
    for (const request of requests) {
      expect(await ended(core, await submit(core, request))).toMatchObject({ status: "done", attempt: 1 });
    }
    const told = worker.machine.started.map(({ references }) =>
      references.map(({ parameter, frameIndex, strength }) => [parameter, frameIndex, strength]),
    );
    expect(told[0]).toEqual([["reference_image", null, 1]]);
    expect(told[1]).toEqual(keyframes.map(({ frame_index, strength }) => ["arbitrary_frames", frame_index, strength]));
    expect(told[2]).toEqual([
      ["first_frame_image", 0, 1],
      ["last_frame_image", 48, 0.6],
    ]);
    expect(worker.machine.started.map(({ recipe }) => recipe)).toEqual(
      requests.map(({ model, mode, prompt }) => expect.objectContaining({ model, mode, prompt })),
    );
    const sent = front.passed
      .filter(({ method }) => method === "PUT")
      .map(({ path }) => path.replace("/media/", "sha256-"));
    expect(sent.sort()).toEqual(images.sort());
    await front.close();
  });

  test("that are gone end their task, and say nothing about the worker", async () => {
    await startWorker("attic-gpu");
    const { upload } = await storeUpload(core.context, await picture("png"), null);
    await core.context.media.remove(uploadName(upload));
    const task = await ended(core, await submit(core, requestFor({ mode: "img2img", reference_image: upload.id })));
    expect(task).toMatchObject({ status: "failed", errorCode: "engine_failed" });
    expect((await describeOf("attic-gpu")).circuit.failures).toBe(0);
  });
});

describe("FR-006: after a restart", () => {
  test("runs on workers are picked up again in the same attempt; one that finished meanwhile is kept", async () => {
    const free = gate();
    await startWorker("attic-gpu", { script: () => [{ do: "wait", until: free.opened }], slots: 2 });
    const ids = [await submit(core), await submit(core)];
    for (const id of ids) await runningAt(id, "attic-gpu");
    core.die();
    await routed.executors.close();
    free.open();
    await sleep(100);
    const old = routed;
    core = await core.reopen();
    routed = await startRouting(core);
    for (const id of ids)
      expect(await ended(core, id)).toMatchObject({ status: "done", attempt: 1, executor: "attic-gpu" });
    expect(workers[0]?.machine.started).toHaveLength(2);
    old.registry.circuits.close();
  });
});

async function keptTasks(worker: ScriptedWorker): Promise<number> {
  const known = await Promise.all(
    worker.machine.started.map(async ({ taskId }: RunRequest) => {
      const headers = { authorization: `Bearer ${worker.key}`, "safelight-protocol": "1" };
      return (await fetch(`${worker.url}/tasks/${taskId}`, { headers })).status;
    }),
  );
  return known.filter((status) => status === 200).length;
}
