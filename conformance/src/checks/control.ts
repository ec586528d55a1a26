// Runs that are stopped, by wish or by their deadline, and slots that are taken.
import type { WorkerTask, WorkerTaskRequest } from "@safelight/contract/worker";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { must, mustRefuse, shapeOf } from "../probe.ts";

type Type = "image" | "video";

function cancelled(type: Type): Check {
  return {
    name: `control: cancel (${type})`,
    run: async (bench) => {
      const request = bench.request(bench.pairFor(type), "largest");
      await bench.start(request);
      const limit = bench.stopSecondsFor(await bench.untilDrawing(request));
      const began = performance.now();
      const answer = await bench.cancel(request);
      const seconds = (performance.now() - began) / 1000;
      const task = shapeOf<WorkerTask>("cancelTask", answer, 200);
      must(task.state === "failed", `a cancelled task is ${task.state}`);
      must(task.error?.code === "cancelled" && !task.error.retryable, `it failed with ${JSON.stringify(task.error)}`);
      must(seconds <= limit, `it took ${seconds.toFixed(1)} s to stop, more than ${limit.toFixed(1)} s`);
      await mustBeOver(bench, request, task);
      return `stopped in ${Math.round(seconds * 1000)} ms`;
    },
  };
}

/** Nothing of it goes on, nothing of it can be had, and its slot is free at once. */
async function mustBeOver(bench: Bench, request: WorkerTaskRequest, task: WorkerTask): Promise<void> {
  const path = { id: request.task_id };
  mustRefuse(await bench.probe.ask("getResult", { path }), "task_failed");
  const again = shapeOf<WorkerTask>("cancelTask", await bench.cancel(request), 200);
  must(JSON.stringify(again) === JSON.stringify(task), "cancelling an ended task changes it");
  const next = bench.request(bench.pairFor(typeOf(bench, request)));
  await bench.start(next);
  const later = await bench.status(request);
  must(JSON.stringify(later) === JSON.stringify(task), "a stopped task still changes");
  await bench.finish(next);
}

function typeOf(bench: Bench, { model }: WorkerTaskRequest): Type {
  return bench.pairs.find((pair) => pair.model.id === model)?.type ?? "image";
}

function deadline(type: Type): Check {
  return {
    name: `control: deadline (${type})`,
    run: async (bench) => {
      const probe = bench.request(bench.pairFor(type), "largest");
      await bench.start(probe);
      const limit = bench.stopSecondsFor(await bench.untilDrawing(probe));
      await bench.tidy();
      const request = bench.request(bench.pairFor(type), "largest", { deadline_s: 0.5 });
      const began = performance.now();
      await bench.start(request);
      const last = (await bench.follow(request, 0.5 + limit + 5)).at(-1);
      const seconds = (performance.now() - began) / 1000;
      must(last?.error?.code === "timed_out", `past its deadline the task is ${last?.state} (${last?.error?.code})`);
      must(seconds >= 0.3, `a deadline of 0.5 s ended the task after ${seconds.toFixed(1)} s`);
      must(seconds <= 0.5 + limit, `a deadline of 0.5 s ended the task only after ${seconds.toFixed(1)} s`);
      await mustBeOver(bench, request, last);
      return `0.5 s ended it after ${seconds.toFixed(1)} s`;
    },
  };
}

function full(type: Type): Check {
  return {
    name: `control: every slot taken (${type})`,
    run: async (bench) => {
      const { slots } = await bench.mustBeIdle();
      const pair = bench.pairFor(type);
      const running: WorkerTaskRequest[] = [];
      for (let slot = 0; slot < Math.min(slots[type], slots.total); slot += 1) {
        const request = bench.request(pair, "largest");
        await bench.start(request);
        running.push(request);
      }
      const [first] = running;
      must(first !== undefined, `health says that there is no slot for ${type}`);
      const refused = bench.request(pair);
      mustRefuse(await bench.post(refused), "busy");
      mustRefuse(await bench.probe.ask("getTask", { path: { id: refused.task_id } }), "task_not_found");
      shapeOf("createTask", await bench.post(first), 200);
      const { busy } = await bench.health();
      must(busy[type] === running.length, `${running.length} ${type} tasks run, health says ${busy[type]}`);
      // A later attempt does not need a further slot.
      shapeOf("createTask", await bench.post({ ...first, attempt: 2 }), 202);
      await bench.cancel({ ...first, attempt: 2 });
      const after = shapeOf<WorkerTask>("createTask", await bench.post(refused), 202);
      must(after.state === "running", "a slot that is free is not given to the next task");
      return `${running.length} taken, the next is refused`;
    },
  };
}

/** The checks for the types that a worker offers. */
export function controlChecks(types: readonly Type[]): readonly Check[] {
  return types.flatMap((type) => [cancelled(type), deadline(type), full(type)]);
}
