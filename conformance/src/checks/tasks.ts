// The life of a task apart from its picture: names, attempts, repetition, deletion.
import { randomUUID } from "node:crypto";
import type { WorkerTask, WorkerTaskRequest } from "@safelight/contract/worker";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { must, mustAnswer, mustRefuse, type Question, shapeOf } from "../probe.ts";

const oneTaskRoutes = ["getTask", "getPreview", "getResult", "cancelTask", "deleteTask"] as const;

const unknown: Check = {
  name: "tasks: unknown ones",
  run: async (bench) => {
    for (const id of [randomUUID(), "not-an-id", "a".repeat(200), "..%2f..%2fetc"]) {
      for (const name of oneTaskRoutes) {
        mustRefuse(await bench.probe.ask(name, { path: { id } }), "task_not_found");
      }
    }
    const request = bench.request(bench.pairFor());
    await bench.start(request);
    for (const name of oneTaskRoutes) {
      const question: Question = { path: { id: request.task_id }, query: { attempt: 2 } };
      mustRefuse(await bench.probe.ask(name, question), "task_not_found");
    }
    for (const query of [{ wait: "long" }, { wait: 9999 }, { after: -1 }, { attempt: "first" }]) {
      mustRefuse(await bench.probe.ask("getTask", { path: { id: request.task_id }, query }), "validation_failed");
    }
    return "404 on every route";
  },
};

const repeated: Check = {
  name: "tasks: the same attempt sent again",
  run: async (bench) => {
    const request = bench.request(bench.pairFor());
    const first = await bench.start(request);
    const same = (task: WorkerTask) => {
      must(task.attempt === 1 && task.accepted_at === first.accepted_at, "the same attempt was started twice");
    };
    same(shapeOf<WorkerTask>("createTask", await bench.post(request), 200));
    same(shapeOf<WorkerTask>("createTask", await bench.post({ ...request, deadline_s: 99, seed: 8 }), 200));
    const done = await bench.finish(request);
    const again = shapeOf<WorkerTask>("createTask", await bench.post(request), 200);
    must(JSON.stringify(again) === JSON.stringify(done), "an ended task sent again is not answered as it is");
    return "200 while it runs and afterwards";
  },
};

const racing: Check = {
  name: "tasks: the same attempt racing",
  run: async (bench) => {
    const request = bench.request(bench.pairFor(), "largest");
    if (request.media.length > 0) await bench.putMedia();
    const answers = await Promise.all(Array.from({ length: 8 }, () => bench.post(request)));
    const accepted = answers.filter(({ status }) => status === 202).length;
    const tasks = answers.map((answer) => shapeOf<WorkerTask>("createTask", answer, 200, 202));
    must(accepted === 1, `of 8 that race ${accepted} were answered 202`);
    must(new Set(tasks.map(({ accepted_at }) => accepted_at)).size === 1, "racing starts made several runs");
    const { busy } = await bench.health();
    must(busy.total === 1, `one task was started 8 times, health says that ${busy.total} slots are busy`);
    return "1 of 8 answered 202";
  },
};

const superseded: Check = {
  name: "tasks: a later attempt takes the place of an earlier",
  run: async (bench) => {
    const pair = bench.pairFor();
    const first = bench.request(pair, "largest");
    await bench.start(first);
    await bench.untilDrawing(first);
    const second: WorkerTaskRequest = { ...bench.request(pair), task_id: first.task_id, attempt: 2 };
    await bench.start(second);
    await mustBeStale(bench, first);
    await bench.finish(second);
    await mustBeStale(bench, first);
    const newest = await bench.probe.ask("getTask", { path: { id: first.task_id } });
    must(shapeOf<WorkerTask>("getTask", newest, 200).attempt === 2, "without a number not the newest attempt is meant");
    await bench.mustBeIdle();
    return "410 for the earlier one";
  },
};

async function mustBeStale(bench: Bench, { task_id: id, attempt, ...rest }: WorkerTaskRequest): Promise<void> {
  mustRefuse(await bench.post({ task_id: id, attempt, ...rest }), "attempt_superseded");
  for (const name of oneTaskRoutes) {
    mustRefuse(await bench.probe.ask(name, { path: { id }, query: { attempt } }), "attempt_superseded");
  }
}

const deleted: Check = {
  name: "tasks: deletion",
  run: async (bench) => {
    const running = bench.request(bench.pairFor(), "largest");
    await bench.start(running);
    const path = { id: running.task_id };
    mustRefuse(await bench.probe.ask("deleteTask", { path }), "task_not_ended");
    mustRefuse(await bench.probe.ask("getResult", { path }), "task_not_ended");
    await bench.tidy();
    const request = bench.request(bench.pairFor());
    await bench.start(request);
    await bench.finish(request);
    const ended = { path: { id: request.task_id }, query: { attempt: 1 } };
    mustAnswer(await bench.probe.ask("deleteTask", ended), 204);
    for (const name of oneTaskRoutes) mustRefuse(await bench.probe.ask(name, ended), "task_not_found");
    return "204, then 404 on every route";
  },
};

const waiting: Check = {
  name: "tasks: waiting for a change",
  run: async (bench) => {
    const request = bench.request(bench.pairFor(), "largest");
    await bench.start(request);
    await bench.untilDrawing(request);
    // Ten changes asked for one by one: without waiting this is a storm of the same answer.
    let task = await bench.status(request);
    let same = 0;
    for (let count = 0; count < 10 && task.state === "running"; count += 1) {
      const next = await bench.status(request, 5, task.version);
      if (next.version === task.version) same += 1;
      task = next;
    }
    must(same <= 3, `wait was not heeded: ${same} of 10 answers brought no change`);
    await bench.cancel(request);
    const ended = await bench.status(request);
    const began = performance.now();
    await bench.status(request, 10, ended.version);
    must(performance.now() - began < 3000, "the state of an ended task is held back although nothing can change");
    return "answers come with changes";
  },
};

export const taskChecks: readonly Check[] = [unknown, repeated, racing, superseded, deleted, waiting];
