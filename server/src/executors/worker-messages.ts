/** Between the executors' terms and the messages of the worker protocol. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Notice } from "@safelight/contract";
import { type WorkerMedia, type WorkerTask, type WorkerTaskRequest, workerLimits } from "@safelight/contract/worker";
import type { OpenMedia } from "../worker-client/worker-client.ts";
import { WorkerError } from "../worker-client/worker-error.ts";
import { type RunErrorCode, type RunReference, type RunRequest, type RunUpdate, StartFailed } from "./executor.ts";

const mostWarnings = 50;
const longestText = 500;
// Nobody reads more of it, and every change of a task is written with them.
const longestWarnings = 16 * 1024;

/** The task as the worker is told it, and how its pictures are opened. Rejects when a picture cannot be read. */
export async function taskRequestOf(request: RunRequest): Promise<{ body: WorkerTaskRequest; open: OpenMedia }> {
  const paths = new Map(request.references.map((reference) => [mediaIdOf(reference), reference.path]));
  const media = await Promise.all(
    [...new Map(request.references.map((reference) => [mediaIdOf(reference), reference])).values()].map(mediaOf),
  );
  const { seed: _seed, ...parameters } = request.parameters;
  return {
    open: ({ id }) => createReadStream(paths.get(id) ?? ""),
    body: {
      task_id: request.taskId,
      attempt: request.attempt,
      model: request.model,
      mode: request.mode,
      prompt: request.prompt,
      negative_prompt: request.negativePrompt,
      parameters: { ...parameters, ...picturesOf(request.references) },
      seed: request.seed,
      deadline_s: Math.min(workerLimits.deadlineSeconds, Math.max(0.1, request.deadlineMs / 1000)),
      media,
      recipe: { ...request.recipe },
    },
  };
}

function mediaIdOf({ media, path }: RunReference): string {
  return media?.id ?? basename(path);
}

async function mediaOf(reference: RunReference): Promise<WorkerMedia> {
  const { size } = await stat(reference.path);
  const contentType = (reference.media?.contentType ?? "image/png") as WorkerMedia["content_type"];
  return { id: mediaIdOf(reference), content_type: contentType, bytes: size };
}

/** Reference pictures in the places that the catalog gives them. */
function picturesOf(references: readonly RunReference[]): Record<string, unknown> {
  const pictures: Record<string, unknown> = {};
  const frames: unknown[] = [];
  for (const reference of references.toSorted((one, other) => one.position - other.position)) {
    const { parameter, frameIndex, strength } = reference;
    if (parameter !== "arbitrary_frames") pictures[parameter] = mediaIdOf(reference);
    else frames.push({ frame_index: frameIndex ?? 0, image: mediaIdOf(reference), strength });
  }
  return frames.length === 0 ? pictures : { ...pictures, arbitrary_frames: frames };
}

/** What a worker says of its run, in bounds: its texts reach people. `secret` is struck out of them. */
export function updateOf(task: WorkerTask, secret: string): RunUpdate {
  return {
    state: task.state,
    stage: task.stage === "cancelling" ? "save" : task.stage,
    stageDetail: task.stage_detail === null ? null : plain(task.stage_detail, secret),
    step: task.step,
    steps: task.steps,
    progress: task.progress,
    previewVersion: task.preview_version,
    warnings: warningsOf(task, secret),
    ...(task.error === null ? {} : { error: errorOf(task.error, secret) }),
  };
}

function warningsOf({ warnings }: WorkerTask, secret: string): Notice[] {
  const few = warnings.slice(0, mostWarnings);
  const text = JSON.stringify(few);
  return text.length > longestWarnings || holds(text, secret) ? [] : few;
}

const codes: Readonly<Record<NonNullable<WorkerTask["error"]>["code"], RunErrorCode>> = {
  // Nobody here asked for it: whoever did took the worker's run away.
  cancelled: "worker_lost",
  timed_out: "timed_out",
  out_of_memory: "out_of_memory",
  engine_failed: "engine_failed",
  worker_lost: "worker_lost",
  storage_failed: "storage_failed",
  content_refused: "content_refused",
  invalid_media: "engine_failed",
};

function errorOf({ code, detail, retryable }: NonNullable<WorkerTask["error"]>, secret: string) {
  return { code: codes[code], detail: plain(detail, secret), again: retryable };
}

/** A text of the worker that may be shown: short, one line, without the key that it was sent. */
export function plain(text: string, secret: string): string {
  if (holds(text, secret)) return "The worker gave no usable reason.";
  return text.slice(0, longestText).replaceAll(/\p{Cc}+/gu, " ");
}

function holds(text: string, secret: string): boolean {
  return secret !== "" && text.includes(secret);
}

/** A failed call in the terms of `start`. */
export function startFailureOf(error: unknown): StartFailed {
  if (!(error instanceof WorkerError)) return new StartFailed("unreachable", "The worker could not be asked.", error);
  const reason = startReasonOf(error);
  return new StartFailed(reason, error.message, error);
}

function startReasonOf({ kind, problem }: WorkerError): StartFailed["reason"] {
  if (problem?.code === "model_unavailable" || problem?.code === "stopping") return "unavailable";
  switch (kind) {
    case "busy":
      return "busy";
    case "task_refused":
      return "refused";
    // A later attempt is known there than the one we want to start; it is not ours to take.
    case "task_unknown":
      return "unavailable";
    case "unreachable":
    case "timeout":
    case "key_refused":
    case "broken_protocol":
    case "worker_fault":
      return "unreachable";
  }
}
