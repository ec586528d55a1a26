import Type, { type Static } from "typebox";
import { taskIdExample } from "../../schemas/fields.ts";
import { workerLimits, workerMediaTypes } from "../protocol.ts";

export const taskIdPattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";
export const sha256Pattern = "^[0-9a-f]{64}$";

export const WorkerMedia = Type.Object(
  {
    id: Type.String({
      pattern: "^sha256-[0-9a-f]{64}$",
      description: "sha256- and the hash in hex, as parameters name it.",
    }),
    content_type: Type.Unsafe<(typeof workerMediaTypes)[number]>({ type: "string", enum: [...workerMediaTypes] }),
    bytes: Type.Integer({ minimum: 1, maximum: workerLimits.mediaBytes }),
  },
  { description: "A picture that the parameters name." },
);
export type WorkerMedia = Static<typeof WorkerMedia>;

export const WorkerTaskRequest = Type.Object(
  {
    task_id: Type.String({ pattern: taskIdPattern, examples: [taskIdExample], description: "The gateway's id." }),
    attempt: Type.Integer({ minimum: 1, maximum: 1_000_000, description: "Which try to run the task this is." }),
    model: Type.String({ description: "Id in the catalog; aliases are not taken." }),
    mode: Type.String(),
    prompt: Type.String(),
    negative_prompt: Type.String({ description: 'Empty ("") when there is none.' }),
    parameters: Type.Record(Type.String(), Type.Unknown(), {
      description:
        "Parameters of this model and mode under their catalog names, without prompts and seed. What is left out has its default. Pictures are named sha256-<hex> and listed in media.",
    }),
    seed: Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: "Drawn by the gateway: never -1." }),
    deadline_s: Type.Number({
      minimum: 0.1,
      maximum: workerLimits.deadlineSeconds,
      description: "Seconds from arrival, after which the run is stopped and fails with timed_out.",
    }),
    media: Type.Array(WorkerMedia, { maxItems: 64, description: "Every picture that the parameters name, once." }),
    recipe: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description:
          "Embedded in the file as it is, with engine, engine_version and completed_prompt added. Without one the worker makes it of the request.",
      }),
    ),
  },
  { description: "One attempt at a task. Fields that are not known are passed over." },
);
export type WorkerTaskRequest = Static<typeof WorkerTaskRequest>;
