import Type, { type Static } from "typebox";
import { type TaskErrorCode, taskErrorCodes } from "../errors.ts";
import {
  choice,
  Notice,
  nullable,
  nullableChoice,
  nullableInteger,
  nullableString,
  nullableTime,
  taskIdExample,
  time,
} from "./fields.ts";

export const taskStatuses = ["pending", "processing", "done", "failed"] as const;
export type TaskStatus = (typeof taskStatuses)[number];

export const taskStages = [
  "queued",
  "starting",
  "load",
  "encode",
  "denoise",
  "decode",
  "mux",
  "save",
  "cancelling",
] as const;
export type TaskStage = (typeof taskStages)[number];

export const TaskErrorCodeSchema = Type.Unsafe<TaskErrorCode>({
  type: "string",
  enum: Object.keys(taskErrorCodes).sort(),
  description: "Every code a failed task can carry.",
});

export const TaskProblem = Type.Object(
  {
    code: TaskErrorCodeSchema,
    detail: Type.String({ description: "What happened." }),
    user_action: Type.String({ description: "What the person can do about it." }),
  },
  { description: "Why a task failed." },
);
export type TaskProblem = Static<typeof TaskProblem>;

export const ResultFacts = Type.Object(
  {
    content_type: Type.String(),
    bytes: Type.Integer({ minimum: 1 }),
    width: Type.Integer({ minimum: 1 }),
    height: Type.Integer({ minimum: 1 }),
    frames: Type.Integer({ minimum: 1, description: "1 for pictures." }),
    fps: nullableInteger({ description: "Frames per second; null for pictures." }),
  },
  { description: "What the result file holds." },
);
export type ResultFacts = Static<typeof ResultFacts>;

/** Fields that /status and the items of /tasks have in common. */
export const taskFields = {
  model: Type.String({ description: "Model id; aliases are answered as the id they stand for." }),
  type: choice(["image", "video"]),
  mode: Type.String(),
  seed: Type.Integer({ description: "As drawn when -1 was asked for." }),
  status: choice(taskStatuses, { description: "Never goes back; done and failed are final." }),
  progress: Type.Integer({ minimum: 0, maximum: 100, description: "Percent; never falls." }),
  attempt: Type.Integer({ minimum: 0, description: "0 until it has started once." }),
  engine: nullableString({ description: "What made or makes the result; sketch is the bundled miniature." }),
  completed_prompt: nullableString({
    description: "The prompt as the engine completed it; null when it was used as sent.",
  }),
  warnings: Type.Array(Notice, { description: "What the engine did not know or could not honour." }),
  /** Why it has not started yet; null unless it is pending, and while it is simply next. */
  waiting_reason: nullable(Notice),
  error: nullable(TaskProblem),
  error_msg: nullableString({ description: "The detail of error once more, for older clients." }),
  result: nullable(ResultFacts),
  result_url: nullableString({ description: "Null until the result is there." }),
  preview_url: nullableString({ description: "Null until there is a picture; changes with every new one." }),
  created_at: time("When it was submitted."),
  updated_at: time("When anything of it last changed."),
  started_at: nullableTime("When it first started."),
  finished_at: nullableTime("When it ended."),
} as const;

export const Status = Type.Object(
  {
    task_id: Type.String({ examples: [taskIdExample] }),
    ...taskFields,
    stage: nullableChoice(taskStages, { description: "What is being done now; null once it has ended." }),
    stage_detail: nullableString({ description: "More about the stage, like: key frame 3 of 8." }),
    step: nullableInteger({ description: "Steps done in this stage." }),
    steps: nullableInteger({ description: "Steps this stage runs in all, after the strength was applied." }),
    queue_position: nullableInteger({ description: "1 is next; null once it was claimed." }),
    eta_seconds: nullableInteger({
      description: "Estimated seconds to the end; null while there is nothing to go by.",
    }),
  },
  { description: "Where a task stands." },
);
export type Status = Static<typeof Status>;

export const StatusQuery = Type.Object({
  wait: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 60,
      description: "Seconds to hold the answer until something about the task changes.",
    }),
  ),
});
