/** Streams of events. */
import Type from "typebox";
import { endpoints } from "../endpoints.ts";
import { EventsHeaders } from "../schemas/events.ts";
import { TaskPath } from "../schemas/fields.ts";
import { client, machine, oneTask, origin } from "./error-sets.ts";

const stream = {
  description:
    "Server-sent events: task.updated, task.preview, task.deleted, task.favourite, stream.reset. Ids are whole numbers that count through the installation; the data of each is one of the Event schemas.",
  content_type: "text/event-stream",
  schema: Type.String(),
  headers: { "Cache-Control": "no-store." },
};

export const eventRoutes = {
  taskEvents: {
    name: "taskEvents",
    ...endpoints.taskEvents,
    group: "events",
    access: "client",
    summary: "Follow one task",
    description:
      "Begins with the task's state, replays what came after Last-Event-ID, follows it live and ends after its last event.",
    path_parameters: TaskPath,
    headers: EventsHeaders,
    responses: { 200: stream },
    errors: [...origin, ...client, ...oneTask, ...machine],
  },
  allEvents: {
    name: "allEvents",
    ...endpoints.allEvents,
    group: "events",
    access: "client",
    summary: "Follow every task",
    description:
      "Begins with what has not ended, replays what came after Last-Event-ID and follows live. The log reaches back 24 hours or 100,000 events.",
    headers: EventsHeaders,
    responses: { 200: stream },
    errors: [...origin, ...client, ...machine],
  },
} as const;
