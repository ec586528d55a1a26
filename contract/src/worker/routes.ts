/**
 * The route table of the worker protocol: what a gateway and a worker say to each other. The document
 * `worker-openapi.json` is written from it; a worker in another language reads that.
 */
import { json } from "../routes/error-sets.ts";
import { Media } from "../schemas/media.ts";
import { type WorkerRouteName, workerEndpoints } from "./endpoints.ts";
import type { WorkerErrorCode } from "./errors.ts";
import { workerMediaTypes, workerResultTypes } from "./protocol.ts";
import type { WorkerRoute } from "./route.ts";
import { WorkerHealth } from "./schemas/health.ts";
import { WorkerMediaPath, WorkerMediaStored, WorkerRangeHeaders } from "./schemas/media.ts";
import { WorkerStatusQuery, WorkerTask, WorkerTaskPath, WorkerTaskQuery } from "./schemas/task.ts";
import { WorkerTaskRequest } from "./schemas/task-request.ts";

const access = ["invalid_worker_key", "protocol_unsupported"] as const satisfies readonly WorkerErrorCode[];
const machine = ["storage_unavailable", "internal"] as const satisfies readonly WorkerErrorCode[];
const oneAttempt = [
  ...access,
  "validation_failed",
  "task_not_found",
  "attempt_superseded",
] as const satisfies readonly WorkerErrorCode[];

const fileHeaders = {
  "Content-Length": "Bytes of this answer.",
  "Accept-Ranges": "bytes.",
  "Safelight-Sha256": "SHA-256 of the whole file in hex.",
  "Safelight-Size": "Bytes of the whole file.",
} as const;
const [firstType, ...otherTypes] = workerResultTypes;
const resultFile = { content_type: firstType, other_content_types: otherTypes, schema: Media };

export const workerRoutes = {
  getHealth: {
    name: "getHealth",
    ...workerEndpoints.getHealth,
    summary: "Ask who the worker is and what it can run",
    description: "Cheap: asked every few seconds. It loads nothing and wakes nothing up.",
    responses: { 200: { description: "The worker answers.", content_type: json, schema: WorkerHealth } },
    errors: [...access, "internal"],
  },
  putMedia: {
    name: "putMedia",
    ...workerEndpoints.putMedia,
    summary: "Send a reference picture",
    description:
      "Idempotent. The bytes are hashed while they arrive and kept only when they have the hash of the address. They stay at least a day after they were last sent or named by a task.",
    path_parameters: WorkerMediaPath,
    body: { content_types: workerMediaTypes, schema: Media },
    responses: {
      201: { description: "Stored.", content_type: json, schema: WorkerMediaStored },
      200: { description: "Known already.", content_type: json, schema: WorkerMediaStored },
    },
    errors: [
      ...access,
      "validation_failed",
      "unsupported_media_type",
      "payload_too_large",
      "media_mismatch",
      ...machine,
    ],
  },
  createTask: {
    name: "createTask",
    ...workerEndpoints.createTask,
    summary: "Start an attempt of a task",
    description:
      "Idempotent on (task_id, attempt): the first body counts, repeating it changes nothing. A later attempt takes the place of an earlier one, which is stopped and forgotten. Nothing is started by a request that is refused.",
    body: { content_types: [json], schema: WorkerTaskRequest },
    responses: {
      202: { description: "Accepted: a slot is taken.", content_type: json, schema: WorkerTask },
      200: { description: "This attempt is known already.", content_type: json, schema: WorkerTask },
    },
    errors: [
      ...access,
      "payload_too_large",
      "unsupported_media_type",
      "malformed_json",
      "validation_failed",
      "unknown_model",
      "unsupported_mode",
      "parameter_locked",
      "attempt_superseded",
      "stopping",
      "model_unavailable",
      "busy",
      "media_missing",
      ...machine,
    ],
  },
  getTask: {
    name: "getTask",
    ...workerEndpoints.getTask,
    summary: "Ask where a task stands",
    description:
      "With wait and after the answer is held until something has changed. Changes that follow each other quickly may be told as one.",
    path_parameters: WorkerTaskPath,
    query: WorkerStatusQuery,
    responses: { 200: { description: "Its state.", content_type: json, schema: WorkerTask } },
    errors: [...oneAttempt, "internal"],
  },
  getPreview: {
    name: "getPreview",
    ...workerEndpoints.getPreview,
    summary: "Read the newest step picture",
    description: "A small still picture, or an animation for video. It can be read at any time once there is one.",
    path_parameters: WorkerTaskPath,
    query: WorkerTaskQuery,
    responses: {
      200: {
        description: "The picture.",
        content_type: "image/webp",
        other_content_types: ["image/png", "image/jpeg"],
        schema: Media,
        headers: { "Safelight-Preview-Version": "Its number.", "Cache-Control": "no-store." },
      },
    },
    errors: [...oneAttempt, "preview_not_found", ...machine],
  },
  getResult: {
    name: "getResult",
    ...workerEndpoints.getResult,
    summary: "Read the result",
    description: "The finished file, as often as wanted until it is deleted; single byte ranges are served.",
    path_parameters: WorkerTaskPath,
    query: WorkerTaskQuery,
    headers: WorkerRangeHeaders,
    responses: {
      200: { description: "The file.", ...resultFile, headers: fileHeaders },
      206: {
        description: "The bytes asked for.",
        ...resultFile,
        headers: { "Content-Range": "Which bytes these are, and of how many.", ...fileHeaders },
      },
    },
    errors: [...oneAttempt, "task_not_ended", "task_failed", "result_gone", "range_not_satisfiable", ...machine],
  },
  cancelTask: {
    name: "cancelTask",
    ...workerEndpoints.cancelTask,
    summary: "Stop a task",
    description:
      "Answers once the run has stopped and its slot is free, or after 10 seconds with the state as it is then. An ended task answers unchanged.",
    path_parameters: WorkerTaskPath,
    query: WorkerTaskQuery,
    responses: { 200: { description: "Its state.", content_type: json, schema: WorkerTask } },
    errors: [...oneAttempt, "internal"],
  },
  deleteTask: {
    name: "deleteTask",
    ...workerEndpoints.deleteTask,
    summary: "Forget an ended task and its files",
    description: "Done by the gateway once it has stored the result.",
    path_parameters: WorkerTaskPath,
    query: WorkerTaskQuery,
    responses: { 204: { description: "Forgotten." } },
    errors: [...oneAttempt, "task_not_ended", ...machine],
  },
} as const satisfies { readonly [Name in WorkerRouteName]: WorkerRoute & { readonly name: Name } };

export type WorkerRoutes = typeof workerRoutes;
