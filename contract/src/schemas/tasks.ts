import Type, { type Static } from "typebox";
import { choice, nullableString, taskIdExample } from "./fields.ts";
import { taskFields, taskStatuses } from "./status.ts";

export const TaskItem = Type.Object(
  {
    id: Type.String({ examples: [taskIdExample] }),
    workspace: nullableString({ description: "The worker account it was pinned to; null for any." }),
    prompt: Type.String(),
    negative_prompt: Type.String({ description: "Empty when there is none." }),
    parameters: Type.Record(Type.String(), Type.Unknown(), {
      description: "All that were in force, defaults included.",
    }),
    width: Type.Integer(),
    height: Type.Integer(),
    catalog_version: Type.String(),
    result_missing: Type.Boolean({ description: "Done, but the file is gone." }),
    ...taskFields,
  },
  { description: "A task of the history." },
);
export type TaskItem = Static<typeof TaskItem>;

export const TasksPage = Type.Object(
  {
    items: Type.Array(TaskItem),
    total: Type.Integer({ minimum: 0, description: "All that match, counted up to 10,000." }),
    total_is_exact: Type.Boolean({ description: "False when there are more than total." }),
    page: Type.Integer({ minimum: 1 }),
    per_page: Type.Integer({ minimum: 1, maximum: 100 }),
    has_more: Type.Boolean(),
    next_cursor: nullableString({ description: "Gives the next page, in the same order; null at the end." }),
  },
  { description: "One page of the history." },
);
export type TasksPage = Static<typeof TasksPage>;

const when = { format: "date-time" };

export const TasksQuery = Type.Object({
  page: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: 1, description: "Further pages are reached by cursor." }),
  ),
  per_page: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 500,
      description: "next_cursor of the page before; then page is not looked at.",
    }),
  ),
  sort: Type.Optional(choice(["created_at"], { default: "created_at" })),
  order: Type.Optional(choice(["desc", "asc"], { default: "desc" })),
  status: Type.Optional(choice(taskStatuses)),
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "A model id or alias." })),
  type: Type.Optional(choice(["image", "video"])),
  mode: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  q: Type.Optional(Type.String({ maxLength: 200, description: "Words of the prompt." })),
  from: Type.Optional(Type.String({ ...when, description: "Submitted at this time or later." })),
  to: Type.Optional(Type.String({ ...when, description: "Submitted at this time or earlier." })),
});
export type TasksQuery = Static<typeof TasksQuery>;
