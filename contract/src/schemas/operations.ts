import Type, { type Static } from "typebox";
import { nullable, nullableInteger, nullableString, nullableTime, taskIdExample, time } from "./fields.ts";

export const QueueState = Type.Object(
  {
    paused: Type.Boolean({ description: "Nothing is started while it is; what runs goes on, and tasks are accepted." }),
    paused_at: nullableTime("Since when it is paused."),
    paused_by: nullableString({ description: "Which operator paused it, as in the audit log." }),
    pending: Type.Integer({ minimum: 0, description: "Tasks that wait." }),
    processing: Type.Integer({ minimum: 0, description: "Tasks that run." }),
    oldest_pending_at: nullableTime("When the task that has waited longest was submitted."),
    limit: Type.Integer({ minimum: 1, description: "How many tasks may wait." }),
  },
  { description: "How the queue stands." },
);
export type QueueState = Static<typeof QueueState>;

export const FrontRequest = Type.Object(
  { front: Type.Boolean({ description: "true puts the task before all others, false back into its turn." }) },
  { description: "Puts a task that waits to the front of the queue, or takes it back.", additionalProperties: false },
);
export type FrontRequest = Static<typeof FrontRequest>;

export const TaskFront = Type.Object(
  { id: Type.String({ examples: [taskIdExample] }), front: Type.Boolean() },
  { description: "How a task is marked now." },
);
export type TaskFront = Static<typeof TaskFront>;

export const StatisticsQuery = Type.Object({
  hours: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 168, default: 24, description: "How far back, up to a week." }),
  ),
});
export type StatisticsQuery = Static<typeof StatisticsQuery>;

const seconds = (description: string) =>
  nullable(Type.Object({ p50: Type.Number({ minimum: 0 }), p95: Type.Number({ minimum: 0 }) }), {
    description: `${description} Half of the tasks took at most p50 seconds, 95 in 100 at most p95; null without any.`,
  });
const count = (description: string) => Type.Integer({ minimum: 0, description });
const runSeconds = seconds("How long tasks ran that were done, over all their attempts.");

export const Statistics = Type.Object(
  {
    from: time("The beginning of the first bucket."),
    to: time("Now; the last bucket may not be full."),
    step_seconds: Type.Integer({ minimum: 1, description: "Length of a bucket." }),
    buckets: Type.Array(
      Type.Object({
        at: time("Its beginning."),
        submitted: count("Tasks that were submitted in this time."),
        done: count("Tasks that ended with a result in this time."),
        failed: count("Tasks that ended without, other than by being cancelled."),
        cancelled: count("Tasks that were cancelled."),
        wait_seconds: seconds("From submit to the first start, of tasks that ended in this time."),
        run_seconds: runSeconds,
      }),
      { description: "Oldest first, without gaps; at most 300." },
    ),
    by_executor: Type.Array(
      Type.Object({
        executor: Type.String({ description: "embedded, or a workspace." }),
        done: count("Tasks that ended with a result."),
        failed: count("Tasks that ended without, other than by being cancelled."),
        run_seconds: runSeconds,
      }),
      { description: "Where tasks ran that ended in this time, by name." },
    ),
    storage: Type.Object(
      {
        media_bytes: count("Results, previews and uploads."),
        media_files: count("How many files these are."),
        database_bytes: count("The database with its log."),
        free_bytes: nullableInteger({ minimum: 0, description: "Room where they lie; null where it cannot be told." }),
      },
      { description: "What is stored, as of the last minutes." },
    ),
  },
  { description: "How much was done and how long it took. Tasks that were deleted since are not counted." },
);
export type Statistics = Static<typeof Statistics>;
