import Type, { type Static } from "typebox";
import {
  choice,
  nullable,
  nullableChoice,
  nullableInteger,
  nullableString,
  nullableTime,
  taskIdExample,
  time,
} from "./fields.ts";

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

export const Storage = Type.Object(
  {
    accepting: Type.Boolean({ description: "Whether there is room for new tasks." }),
    short_of: nullableChoice(["disk", "quota"], {
      description: "What keeps new tasks out: the reserve on the disk or the quota; null while they are accepted.",
    }),
    media_bytes: count("Results, previews and uploads."),
    media_files: count("How many files these are."),
    database_bytes: count("The database with its log."),
    free_bytes: nullableInteger({ minimum: 0, description: "Room where they lie; null where it cannot be told." }),
    reserve_bytes: count("Room that is kept free (MEDIA_RESERVE); 0 where nobody looks."),
    expected_bytes: count("What accepted tasks are expected to write."),
    needed_bytes: count("Room that must be free for a task to be accepted: the reserve and what is expected."),
    quota_bytes: nullableInteger({
      minimum: 0,
      description: "What media may take in all (MEDIA_QUOTA); null without.",
    }),
    over_quota: choice(["refuse", "remove"], {
      description: "What happens over the quota: new tasks are refused, or the oldest results go.",
    }),
    retention_days: nullableInteger({
      minimum: 1,
      description: "Days after which what has ended is removed (MEDIA_RETENTION_DAYS); null keeps everything.",
    }),
    favourites: Type.Object(
      { tasks: count("How many."), bytes: count("Their results.") },
      { description: "What is never removed by itself." },
    ),
    next_removal: nullable(
      Type.Object({
        reason: choice(["age", "quota"]),
        at: nullableTime("When its days are over; null where it goes as soon as room is wanted."),
        task_id: Type.String({ description: "The task that goes first.", examples: [taskIdExample] }),
      }),
      { description: "What will be removed next; null where nothing is removed by itself." },
    ),
    last_removal: nullable(
      Type.Object({
        reason: choice(["age", "quota"]),
        at: time("When."),
        tasks: count("How many tasks went."),
        bytes: count("What their results took."),
      }),
      { description: "What was removed last, by itself; null where nothing ever was." },
    ),
  },
  { description: "How much is stored, how much room there is, and what is removed by itself." },
);
export type Storage = Static<typeof Storage>;
