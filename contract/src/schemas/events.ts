/**
 * Events of the stream (text/event-stream). `id:` of each is one whole number that counts through the whole
 * installation; `Last-Event-ID` asks for what came after it. A comment every 15 seconds shows that the line is open.
 */
import Type, { type Static } from "typebox";
import { Status } from "./status.ts";

export const TaskPreviewEvent = Type.Object(
  {
    task_id: Type.String(),
    version: Type.Integer({ minimum: 1, description: "Counts the previews of the task." }),
    preview_url: Type.String(),
  },
  { description: "There is a new preview picture." },
);
export type TaskPreviewEvent = Static<typeof TaskPreviewEvent>;

export const TaskDeletedEvent = Type.Object(
  { task_id: Type.String() },
  { description: "A task was deleted; nothing else about it will come." },
);
export type TaskDeletedEvent = Static<typeof TaskDeletedEvent>;

export const TaskFavouriteEvent = Type.Object(
  { task_id: Type.String(), favourite: Type.Boolean() },
  { description: "A task was made a favourite, or is one no longer." },
);
export type TaskFavouriteEvent = Static<typeof TaskFavouriteEvent>;

export const StreamResetEvent = Type.Object(
  {},
  { description: "What was missed is no longer kept: read the lists again. A snapshot of what has not ended follows." },
);
export type StreamResetEvent = Static<typeof StreamResetEvent>;

export const eventSchemas = {
  "task.updated": Status,
  "task.preview": TaskPreviewEvent,
  "task.deleted": TaskDeletedEvent,
  "task.favourite": TaskFavouriteEvent,
  "stream.reset": StreamResetEvent,
} as const;

export type EventType = keyof typeof eventSchemas;

/** One event as a client reads it. `id` is null for events that are not in the log, such as a snapshot. */
export type ServerEvent = {
  [Name in EventType]: { id: number | null; type: Name; data: Static<(typeof eventSchemas)[Name]> };
}[EventType];

export const EventsHeaders = Type.Object({
  "last-event-id": Type.Optional(
    Type.String({ description: "Id of the last event seen; an id that is no longer kept gets stream.reset." }),
  ),
});
