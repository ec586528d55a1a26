// The cheapest real work that an installation declares: smallest size, fewest steps and frames of a model that it can run.
import { randomInt } from "node:crypto";
import type { GenerateAnswer, Models, Status } from "@safelight/contract";
import { must, type Probe, shapeOf } from "./probe.ts";

export type Work = Readonly<Record<string, unknown>> & { readonly prompt: string };

/** What the pictures of a check show; general enough for any model. */
const prompt = "a red boat on the sea";

/** A request for the default mode of the first available model of the type. Complains when there is none. */
export async function smallWork(probe: Probe, type: "image" | "video", longest = false): Promise<Work> {
  const { models } = shapeOf<Models>("listModels", await probe.ask("listModels"), 200);
  const ours = models.filter((model) => model.type === type);
  const model = ours.find((candidate) => candidate.available);
  const reasons = ours.map(
    (candidate) => `${candidate.id}: ${candidate.unavailable_reason?.detail ?? "no reason given"}`,
  );
  must(model !== undefined, `no ${type} model can run here (${reasons.join("; ")})`);
  const facts = Object.entries(model.parameters_schema);
  const limits = facts.flatMap(([name, { min, max, locked, modes }]) => {
    if (locked || min === undefined || !modes.includes(model.default_mode)) return [];
    if (["width", "height", "steps"].includes(name)) return [[name, min]];
    return name === "num_frames" ? [[name, longest ? (max ?? min) : min]] : [];
  });
  return { model: model.id, mode: model.default_mode, prompt, seed: randomInt(2 ** 31), ...Object.fromEntries(limits) };
}

/** Submits and checks the answer: 202, pending, five addresses. */
export async function submit(probe: Probe, work: Work, idempotencyKey?: string): Promise<GenerateAnswer> {
  const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
  const answer = shapeOf<GenerateAnswer>("generate", await probe.ask("generate", { body: work, headers }), 202);
  for (const url of [answer.status_url, answer.result_url, answer.preview_url, answer.cancel_url, answer.events_url]) {
    must(url.includes(answer.task_id), `POST /generate answered the address ${url}, which is not the task's`);
  }
  return answer;
}

/** Follows a task by long polling until it has ended; complains when it goes back on its way. */
export async function waitForEnd(probe: Probe, id: string): Promise<{ last: Status; seen: readonly Status[] }> {
  const seen: Status[] = [];
  const order = ["pending", "processing", "done", "failed"];
  for (;;) {
    const search = seen.length === 0 ? "" : "?wait=10";
    const answer = await probe.ask("getStatus", { path: { id }, search });
    const status = shapeOf<Status>("getStatus", answer, 200);
    const before = seen.at(-1);
    must(status.task_id === id, `GET /status/{id} answered the task ${status.task_id}`);
    if (before !== undefined) {
      must(
        order.indexOf(status.status) >= order.indexOf(before.status),
        `status went from ${before.status} to ${status.status}`,
      );
      must(status.progress >= before.progress, `progress fell from ${before.progress} to ${status.progress}`);
    }
    seen.push(status);
    if (status.status === "done" || status.status === "failed") return { last: status, seen };
  }
}

/** Waits for a result; a task that failed is a broken part. */
export async function waitForResult(probe: Probe, id: string): Promise<{ last: Status; seen: readonly Status[] }> {
  const { last, seen } = await waitForEnd(probe, id);
  must(last.status === "done", `the task failed with ${last.error?.code}: ${last.error?.detail}`);
  must(last.progress === 100, `the task is done at ${last.progress} %`);
  must(last.error === null, "the task is done and has an error");
  must(last.result_url !== null && last.result !== null, "the task is done and names no result");
  must(last.started_at !== null && last.finished_at !== null, "the task is done and was never started or finished");
  return { last, seen };
}
