import Type, { type Static } from "typebox";
import { choice, Notice, nullable, nullableInteger } from "../../schemas/fields.ts";

export const weightStates = ["in_place", "missing", "fetching"] as const;

export const WorkerMode = Type.Object(
  {
    id: Type.String({ description: "As in the catalog." }),
    available: Type.Boolean({ description: "A task for it would be taken, given a free slot." }),
    reason: nullable(Notice),
  },
  { description: "A mode of a model. What is not available says why in reason." },
);
export type WorkerMode = Static<typeof WorkerMode>;

export const WorkerModel = Type.Object(
  {
    id: Type.String({ description: "As in the catalog." }),
    type: choice(["image", "video"]),
    available: Type.Boolean({ description: "At least one mode is available." }),
    weights: choice(weightStates, { description: "Whether everything it needs lies on this machine." }),
    reason: nullable(Notice),
    warm: Type.Boolean({ description: "Its weights are loaded: a task begins without waiting for them." }),
    modes: Type.Array(WorkerMode),
    limits: Type.Array(Notice, {
      description: "Options that cannot be honoured here, such as a file type without an encoder; they are refused.",
    }),
  },
  { description: "A model the worker knows. Models it has nothing to do with are left out." },
);
export type WorkerModel = Static<typeof WorkerModel>;

const counts = {
  image: Type.Integer({ minimum: 0 }),
  video: Type.Integer({ minimum: 0 }),
  total: Type.Integer({ minimum: 0 }),
};

export const WorkerSlots = Type.Object(counts, {
  description: "How many tasks fit at once: of each type, and in all.",
});
export type WorkerSlots = Static<typeof WorkerSlots>;

export const WorkerGpu = Type.Object({
  name: Type.String({ examples: ["NVIDIA L40S"] }),
  memory_bytes: Type.Integer({ minimum: 0 }),
  memory_free_bytes: nullableInteger({ minimum: 0 }),
});
export type WorkerGpu = Static<typeof WorkerGpu>;

export const WorkerHealth = Type.Object(
  {
    protocol: Type.Integer({ minimum: 1, description: "Version of the protocol that is spoken here." }),
    worker: Type.Object(
      { name: Type.String({ description: "For people; need not be unique." }), version: Type.String() },
      { description: "The program that answers." },
    ),
    engine: Type.Object(
      {
        name: Type.String({ description: "What makes the results; sketch is the bundled miniature." }),
        version: Type.String(),
        notice: nullable(Notice),
      },
      { description: "What creators are told about who made their picture." },
    ),
    instance: Type.String({
      description: "Drawn anew at each start. Another value means: runs that had not ended are lost.",
    }),
    uptime_s: Type.Number({ minimum: 0, description: "Seconds since the start." }),
    ready: Type.Boolean({ description: "Takes tasks; false while it stops or when nothing at all can run." }),
    models: Type.Array(WorkerModel),
    slots: WorkerSlots,
    busy: Type.Object(counts, { description: "How many of the slots are taken." }),
    gpus: Type.Array(WorkerGpu, { description: "Empty without one, or while the machine that has it sleeps." }),
    memory: nullable(
      Type.Object({ total_bytes: Type.Integer({ minimum: 0 }), free_bytes: Type.Integer({ minimum: 0 }) }),
    ),
    results_kept_s: Type.Integer({ minimum: 60, description: "How long an ended task is kept unless it is deleted." }),
  },
  { description: "Who the worker is, what it can run, and what it is doing." },
);
export type WorkerHealth = Static<typeof WorkerHealth>;
