import Type, { type Static } from "typebox";
import {
  choice,
  Notice,
  nullable,
  nullableInteger,
  nullableString,
  nullableTime,
  taskIdExample,
  time,
} from "../../schemas/fields.ts";
import { type WorkerTaskErrorCode, workerTaskErrorCodes } from "../errors.ts";
import { workerLimits, workerResultTypes } from "../protocol.ts";
import { sha256Pattern, taskIdPattern } from "./task-request.ts";

export const workerTaskStates = ["running", "succeeded", "failed"] as const;
export type WorkerTaskState = (typeof workerTaskStates)[number];

export const workerStages = ["starting", "load", "encode", "denoise", "decode", "mux", "save", "cancelling"] as const;
export type WorkerStage = (typeof workerStages)[number];

export const WorkerTaskErrorCodeSchema = Type.Unsafe<WorkerTaskErrorCode>({
  type: "string",
  enum: Object.keys(workerTaskErrorCodes).sort(),
  description: "Every code a task can fail with.",
});

export const WorkerTaskError = Type.Object(
  {
    code: WorkerTaskErrorCodeSchema,
    detail: Type.String({ description: "What happened, for creators: no paths, no stack." }),
    retryable: Type.Boolean({ description: "Another attempt, here or elsewhere, has a chance." }),
  },
  { description: "Why a task failed." },
);
export type WorkerTaskError = Static<typeof WorkerTaskError>;

export const WorkerResult = Type.Object(
  {
    content_type: choice(workerResultTypes),
    bytes: Type.Integer({ minimum: 1 }),
    sha256: Type.String({ pattern: sha256Pattern }),
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
    frames: Type.Integer({ minimum: 1, description: "1 for a picture." }),
    fps: Type.Number({ minimum: 0, description: "0 for a picture." }),
    engine: Type.String(),
    engine_version: Type.String(),
    completed_prompt: nullableString({ description: "The prompt as the engine completed it." }),
  },
  { description: "What GET /tasks/{id}/result delivers, exactly." },
);
export type WorkerResult = Static<typeof WorkerResult>;

export const WorkerTask = Type.Object(
  {
    task_id: Type.String({ pattern: taskIdPattern, examples: [taskIdExample] }),
    attempt: Type.Integer({ minimum: 1 }),
    model: Type.String(),
    mode: Type.String(),
    seed: Type.Optional(Type.Integer({ description: "As it was sent; a worker may leave it out." })),
    state: choice(workerTaskStates, { description: "Leaves running once; an ended task never changes again." }),
    version: Type.Integer({ minimum: 1, description: "Rises with every change of this attempt." }),
    stage: choice(workerStages),
    stage_detail: nullableString(),
    step: nullableInteger({ minimum: 0, description: "Denoising steps done." }),
    steps: nullableInteger({ minimum: 0, description: "Denoising steps that run in all." }),
    progress: Type.Integer({
      minimum: 0,
      maximum: 100,
      description: "Never falls within an attempt; 100 only at success.",
    }),
    preview_version: Type.Integer({ minimum: 0, description: "0 without a preview; rises with every new one." }),
    warnings: Type.Array(Notice, { description: "Such as parameters that had no effect." }),
    error: nullable(WorkerTaskError),
    result: nullable(WorkerResult),
    accepted_at: time("When the attempt was accepted, by the worker's clock."),
    ended_at: nullableTime("When it ended, by the worker's clock."),
  },
  { description: "Where an attempt stands. error is set when it failed, result when it succeeded, and only then." },
);
export type WorkerTask = Static<typeof WorkerTask>;

const attempt = Type.Optional(
  Type.Integer({ minimum: 1, description: "The attempt that is meant; without it the newest one." }),
);

export const WorkerTaskPath = Type.Object({ id: Type.String({ examples: [taskIdExample] }) });

export const WorkerTaskQuery = Type.Object({ attempt });

export const WorkerStatusQuery = Type.Object({
  attempt,
  wait: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: workerLimits.waitSeconds,
      description: "Seconds to hold the answer until version is above after, or the task has ended.",
    }),
  ),
  after: Type.Optional(Type.Integer({ minimum: 0, description: "The version that is known already; 0 without it." })),
});
