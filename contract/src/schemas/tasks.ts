import Type, { type Static } from "typebox";
import { choice, nullableInteger, nullableString, taskIdExample } from "./fields.ts";
import { taskFields, taskStatuses } from "./status.ts";

/** Fields that the items of /tasks and of /gallery have in common. */
export const itemFields = {
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
  favourite: Type.Boolean({ description: "Marked by somebody of this installation." }),
  thumbnail_url: nullableString({
    description:
      "A small still picture, for grids; null where there is nothing to make it from. May be kept by caches.",
  }),
  result_type: nullableString({ description: "Content type of the result; null until it is there." }),
  result_bytes: nullableInteger({ description: "Length of the result; null until it is there." }),
  frames: nullableInteger({ description: "Frames of the result, 1 for pictures; null until it is there." }),
  fps: nullableInteger({ description: "Frames per second of the result; null for pictures and until it is there." }),
} as const;

export const TaskItem = Type.Object(
  {
    ...itemFields,
    ...taskFields,
  },
  { description: "A task of the history." },
);
export type TaskItem = Static<typeof TaskItem>;

/** What every page of a list says beside its items. */
export const pageFacts = {
  total: Type.Integer({ minimum: 0, description: "All that match, counted up to 10,000." }),
  total_is_exact: Type.Boolean({ description: "False when there are more than total." }),
  page: Type.Integer({ minimum: 1 }),
  per_page: Type.Integer({ minimum: 1, maximum: 100 }),
  has_more: Type.Boolean(),
  next_cursor: nullableString({ description: "Gives the next page, in the same order; null at the end." }),
} as const;

export const TasksPage = Type.Object(
  { items: Type.Array(TaskItem), ...pageFacts },
  { description: "One page of the history." },
);
export type TasksPage = Static<typeof TasksPage>;

const when = { format: "date-time" };

/** What lists are narrowed down by; all that are given must hold. */
export const filterFields = {
  model: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "A model id or alias." })),
  type: Type.Optional(choice(["image", "video"])),
  mode: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  q: Type.Optional(
    Type.String({
      maxLength: 200,
      description: "Words that all stand in the prompt, in any order and case; the beginning of a word is enough.",
    }),
  ),
  from: Type.Optional(Type.String({ ...when, description: "Submitted at this time or later." })),
  to: Type.Optional(Type.String({ ...when, description: "Submitted at this time or earlier." })),
  favourite: Type.Optional(Type.Boolean({ description: "Only favourites, or only the others." })),
} as const;

/** Which page of a list, and in which order. */
export const pageFields = {
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
} as const;

export const TasksQuery = Type.Object({
  ...pageFields,
  status: Type.Optional(choice(taskStatuses)),
  ...filterFields,
});
export type TasksQuery = Static<typeof TasksQuery>;
