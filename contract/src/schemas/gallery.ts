/** The gallery: done tasks, and what is done with tasks that have ended. */
import Type, { type Static } from "typebox";
import { choice, Notice, nullableString, time } from "./fields.ts";
import { ErrorCodeSchema } from "./problem.ts";
import { filterFields, itemFields, pageFacts, pageFields } from "./tasks.ts";

export const GalleryItem = Type.Object(
  {
    ...itemFields,
    model: Type.String({ description: "Model id; aliases are answered as the id they stand for." }),
    type: choice(["image", "video"]),
    mode: Type.String(),
    seed: Type.Integer({ description: "As drawn when -1 was asked for." }),
    engine: nullableString({ description: "What made the result; sketch is the bundled miniature." }),
    completed_prompt: nullableString({
      description: "The prompt as the engine completed it; null when it was used as sent.",
    }),
    warnings: Type.Array(Notice, { description: "What the engine did not know or could not honour." }),
    result_url: Type.String({ description: "Answers 410 when the file is gone." }),
    preview_url: nullableString({ description: "The last preview; animated for video." }),
    created_at: time("When it was submitted."),
    finished_at: time("When it was done."),
  },
  { description: "A done task: what was asked for and what came of it." },
);
export type GalleryItem = Static<typeof GalleryItem>;

export const GalleryPage = Type.Object(
  { items: Type.Array(GalleryItem), ...pageFacts },
  { description: "One page of the gallery." },
);
export type GalleryPage = Static<typeof GalleryPage>;

export const GalleryQuery = Type.Object({ ...pageFields, ...filterFields });
export type GalleryQuery = Static<typeof GalleryQuery>;

export const SelectionFilters = Type.Object(
  {
    status: Type.Optional(
      choice(["done", "failed"], { default: "done", description: "The gallery holds done tasks." }),
    ),
    ...filterFields,
  },
  { additionalProperties: false, description: "Which tasks; all that are given must hold." },
);
export type SelectionFilters = Static<typeof SelectionFilters>;

const ids = Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 10_000 });

export const Selection = Type.Unsafe<
  { readonly ids: readonly string[] } | { readonly all: true; readonly filters?: SelectionFilters }
>({
  type: "object",
  properties: {
    ids: { ...ids, description: "These tasks." },
    all: { type: "boolean", const: true, description: "Every task that the filters let through." },
    filters: SelectionFilters,
  },
  additionalProperties: false,
  oneOf: [{ required: ["ids"] }, { required: ["all"] }],
  description: "Tasks by their ids, or all of a filter. Tasks that have not ended are never part of all.",
});
export type Selection = Static<typeof Selection>;

export const SelectionForm = Type.Unsafe<{ selection: string }>({
  type: "object",
  properties: { selection: { type: "string", description: "The selection as JSON text." } },
  required: ["selection"],
  description: "The same from an HTML form, so that a page can start a download that the browser writes to disk.",
});

export const TaskDeleted = Type.Object(
  { deleted: Type.Literal(true), id: Type.String() },
  { description: "The task is gone, with its files." },
);
export type TaskDeleted = Static<typeof TaskDeleted>;

export const TasksDeleted = Type.Object(
  {
    deleted: Type.Array(Type.String(), { description: "Ids of those that are gone." }),
    failed: Type.Array(Type.Object({ id: Type.String(), code: ErrorCodeSchema }), {
      description: "Those that are still there, or never were, and why.",
    }),
  },
  { description: "What became of each task that was to be deleted." },
);
export type TasksDeleted = Static<typeof TasksDeleted>;

export const FavouriteRequest = Type.Object(
  { favourite: Type.Boolean() },
  { additionalProperties: false, description: "Whether the task is to be a favourite." },
);
export type FavouriteRequest = Static<typeof FavouriteRequest>;

export const Favourite = Type.Object(
  { id: Type.String(), favourite: Type.Boolean() },
  { description: "The task as it is marked now." },
);
export type Favourite = Static<typeof Favourite>;
