/** How much is done, and who goes first: the queue, statistics and metrics, for operators. */
import Type from "typebox";
import { endpoints } from "../endpoints.ts";
import { TaskPath } from "../schemas/fields.ts";
import { FrontRequest, QueueState, Statistics, StatisticsQuery, Storage, TaskFront } from "../schemas/operations.ts";
import { cookie, door, json, jsonBody, machine, oneTask, origin } from "./error-sets.ts";

export const operationsRoutes = {
  getQueue: {
    name: "getQueue",
    ...endpoints.getQueue,
    group: "admin",
    access: "admin",
    summary: "Look at the queue",
    description: "Whether it is paused, how many tasks wait and run, and for how long the first of them has waited.",
    responses: { 200: { description: "How it stands.", content_type: json, schema: QueueState } },
    errors: [...door, ...machine],
  },
  pauseQueue: {
    name: "pauseQueue",
    ...endpoints.pauseQueue,
    group: "admin",
    access: "admin",
    summary: "Pause the queue",
    description:
      "No task is started until the queue is resumed, not even after a restart. What runs goes on, and tasks are accepted and wait.",
    responses: { 200: { description: "How it stands now.", content_type: json, schema: QueueState } },
    errors: [...door, ...machine],
  },
  resumeQueue: {
    name: "resumeQueue",
    ...endpoints.resumeQueue,
    group: "admin",
    access: "admin",
    summary: "Resume the queue",
    description: "Tasks are started again. A queue that is not paused stays as it is.",
    responses: { 200: { description: "How it stands now.", content_type: json, schema: QueueState } },
    errors: [...door, ...machine],
  },
  frontTask: {
    name: "frontTask",
    ...endpoints.frontTask,
    group: "admin",
    access: "admin",
    summary: "Put a task to the front",
    description:
      "A task that waits goes before all others, or back into its turn; of several at the front the earliest goes first. One that has started or ended is answered unchanged.",
    path_parameters: TaskPath,
    body: { content_type: json, schema: FrontRequest, required: true },
    responses: { 200: { description: "How it is marked now.", content_type: json, schema: TaskFront } },
    errors: [...door, ...jsonBody, ...oneTask, ...machine],
  },
  getStatistics: {
    name: "getStatistics",
    ...endpoints.getStatistics,
    group: "admin",
    access: "admin",
    summary: "Read statistics",
    description:
      "Throughput, waiting and run times over the last hours in equal buckets, by executor, and what is stored.",
    query: StatisticsQuery,
    responses: { 200: { description: "The figures.", content_type: json, schema: Statistics } },
    errors: [...door, "validation_failed", ...machine],
  },
  getStorage: {
    name: "getStorage",
    ...endpoints.getStorage,
    group: "admin",
    access: "admin",
    summary: "Look at the storage",
    description:
      "What is stored, the room that is left, what accepted tasks will need of it, the quota, and what is removed by itself and when.",
    responses: { 200: { description: "How it stands.", content_type: json, schema: Storage } },
    errors: [...door, ...machine],
  },
  getMetrics: {
    name: "getMetrics",
    ...endpoints.getMetrics,
    group: "admin",
    access: "metrics",
    summary: "Read metrics",
    description:
      "Queue, waits, runs, outcomes, worker accounts, HTTP, storage and process in the text format of Prometheus, for an admin session or the METRICS_TOKEN as bearer. Counters and histograms begin at 0 with every start of the server.",
    responses: { 200: { description: "The metrics.", content_type: "text/plain", schema: Type.String() } },
    errors: ["rate_limited", ...origin, "invalid_api_key", ...cookie, ...machine],
  },
} as const;
