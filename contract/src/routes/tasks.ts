/** The way of a task: what can be asked for, submitting, watching, cancelling, listing. */
import { endpoints } from "../endpoints.ts";
import { TaskPath } from "../schemas/fields.ts";
import { GenerateAnswer, GenerateBody, GenerateHeaders } from "../schemas/generate.ts";
import { Models } from "../schemas/models.ts";
import { Status, StatusQuery } from "../schemas/status.ts";
import { TaskItem, TasksPage, TasksQuery } from "../schemas/tasks.ts";
import { anyTask, client, json, jsonBody, machine, oneTask, origin } from "./error-sets.ts";

export const taskRoutes = {
  listModels: {
    name: "listModels",
    ...endpoints.listModels,
    group: "models",
    access: "client",
    summary: "List the models",
    description:
      "The whole catalog: models, modes, every parameter with type, limits and default, presets and licences; and for each model whether it can run here now, by what, and why not.",
    responses: { 200: { description: "The models.", content_type: json, schema: Models } },
    errors: [...origin, ...client, "internal"],
  },
  generate: {
    name: "generate",
    ...endpoints.generate,
    group: "tasks",
    access: "client",
    summary: "Submit a task",
    description:
      "Checks the request against the catalog, stores the task and answers its id. When the answer arrives the task is safe: it ends done or failed even if the server is stopped in between. Every parameter stands at the top level of the body; unknown ones, those of another mode and locked ones with another value are refused.",
    headers: GenerateHeaders,
    body: { content_type: json, schema: GenerateBody, required: true, judged_by_catalog: true },
    responses: {
      202: {
        description: "The task is stored.",
        content_type: json,
        schema: GenerateAnswer,
        headers: {
          Location: "The task's status.",
          "Idempotency-Replayed": "true when this is the answer to an earlier request.",
        },
      },
    },
    errors: [
      ...origin,
      ...client,
      ...jsonBody,
      "unknown_model",
      "unsupported_mode",
      "parameter_locked",
      "invalid_image",
      "content_refused",
      "idempotency_conflict",
      "proxy_target_invalid",
      "no_workers",
      "queue_full",
      ...machine,
    ],
  },
  getStatus: {
    name: "getStatus",
    ...endpoints.getStatus,
    group: "tasks",
    access: "client",
    summary: "Read a task's status",
    description:
      "Where the task stands. With wait the answer is held until something changes or the time is over, so that polling costs little. A task inside a workspace (`workspace::id`) is asked for there: its newest attempt, by the worker's clock, seed -1 where the worker does not tell it.",
    path_parameters: TaskPath,
    query: StatusQuery,
    responses: { 200: { description: "The status.", content_type: json, schema: Status } },
    errors: [...origin, ...client, "validation_failed", ...anyTask, ...machine],
  },
  cancelTask: {
    name: "cancelTask",
    ...endpoints.cancelTask,
    group: "tasks",
    access: "client",
    summary: "Cancel a task",
    description:
      "A pending task ends at once, a running one is told to stop; both end failed with the code cancelled. A task that has ended is answered unchanged. A task inside a workspace (`workspace::id`) is stopped there.",
    path_parameters: TaskPath,
    responses: { 200: { description: "The status after the request.", content_type: json, schema: Status } },
    errors: [...origin, ...client, ...anyTask, ...machine],
  },
  listTasks: {
    name: "listTasks",
    ...endpoints.listTasks,
    group: "tasks",
    access: "client",
    summary: "List tasks",
    description:
      "The history of every state, newest first. Pages by number reach 100 deep, by cursor to the end; a cursor keeps its place while tasks are added.",
    query: TasksQuery,
    responses: { 200: { description: "One page.", content_type: json, schema: TasksPage } },
    errors: [...origin, ...client, "validation_failed", ...machine],
  },
  getTask: {
    name: "getTask",
    ...endpoints.getTask,
    group: "tasks",
    access: "client",
    summary: "Read a task",
    description: "Everything about one task, whatever its state: what was asked for, how it went, what came of it.",
    path_parameters: TaskPath,
    responses: { 200: { description: "The task.", content_type: json, schema: TaskItem } },
    errors: [...origin, ...client, ...oneTask, ...machine],
  },
} as const;
