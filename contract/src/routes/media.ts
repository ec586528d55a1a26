/** Files: reference pictures, results, previews. */
import { endpoints } from "../endpoints.ts";
import { TaskPath } from "../schemas/fields.ts";
import { Media, MediaQuery, PreviewQuery, RangeHeaders } from "../schemas/media.ts";
import { Upload, UploadForm, UploadPath } from "../schemas/upload.ts";
import { anyTask, client, json, machine, origin } from "./error-sets.ts";

const fileHeaders = {
  "Content-Length": "Length of the body in bytes.",
  "Accept-Ranges": "bytes.",
  ETag: "Changes when the bytes change.",
  "Content-Disposition": "inline, or attachment with a file name when download=1.",
} as const;
const partialHeaders = { "Content-Range": "Which bytes these are, and of how many.", ...fileHeaders } as const;

/** The three answers of a route that serves a file: whole, in part, unchanged. */
function file<const T extends readonly [string, ...string[]]>(what: string, types: T, cache: string) {
  const [content_type, ...other_content_types] = types;
  const body = { content_type, other_content_types, schema: Media };
  return {
    200: { description: what, ...body, headers: { ...fileHeaders, "Cache-Control": cache } },
    206: { description: "The bytes asked for.", ...body, headers: { ...partialHeaders, "Cache-Control": cache } },
    304: { description: "Unchanged since the ETag given in If-None-Match." },
  };
}

export const mediaRoutes = {
  createUpload: {
    name: "createUpload",
    ...endpoints.createUpload,
    group: "uploads",
    access: "client",
    summary: "Upload a reference picture",
    description:
      "Takes one picture, decodes it to make sure that it is intact, and answers its id for use in picture parameters. The id is made from the bytes, so the same picture has the same id.",
    body: { content_type: "multipart/form-data", schema: UploadForm, required: true },
    responses: {
      201: { description: "Stored.", content_type: json, schema: Upload },
      200: { description: "Known already.", content_type: json, schema: Upload },
    },
    errors: [
      ...origin,
      ...client,
      "payload_too_large",
      "unsupported_media_type",
      "validation_failed",
      "invalid_image",
      ...machine,
    ],
  },
  getUpload: {
    name: "getUpload",
    ...endpoints.getUpload,
    group: "uploads",
    access: "client",
    summary: "Read a reference picture",
    description: "The picture as it was uploaded. Its bytes never change.",
    path_parameters: UploadPath,
    headers: RangeHeaders,
    responses: file("The picture.", ["image/png", "image/jpeg", "image/webp"], "private, immutable."),
    errors: [...origin, ...client, "not_found", "range_not_satisfiable", ...machine],
  },
  getResult: {
    name: "getResult",
    ...endpoints.getResult,
    group: "media",
    access: "client",
    summary: "Read a task's result",
    description:
      "The finished file, for media elements and downloads; single byte ranges are served. The recipe is embedded in the file unless metadata=0. A result inside a workspace (`workspace::id`) is passed on as it comes; one that breaks off there breaks off here, too.",
    path_parameters: TaskPath,
    query: MediaQuery,
    headers: RangeHeaders,
    responses: {
      ...file("The file.", ["image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm"], "private."),
      302: {
        description:
          "Only where MEDIA_DELIVERY is signed, and to requests without an X-API-Key header: the file is at this address for five minutes, in parts too.",
        headers: { Location: "Address in the bucket; whoever has it can read the file." },
      },
    },
    errors: [
      ...origin,
      ...client,
      "validation_failed",
      ...anyTask,
      "task_failed",
      "result_gone",
      "range_not_satisfiable",
      "task_not_ready",
      ...machine,
    ],
  },
  getPreview: {
    name: "getPreview",
    ...endpoints.getPreview,
    group: "media",
    access: "client",
    summary: "Read a task's preview",
    description:
      "The newest step picture while the task runs, animated for video, not to be stored by caches; afterwards the last one. A task that ended without any has none (404). With thumbnail=1 a small still picture of a done task, which caches may keep. Of a task inside a workspace (`workspace::id`) there is no thumbnail, and nothing is stored by caches.",
    path_parameters: TaskPath,
    query: PreviewQuery,
    headers: RangeHeaders,
    responses: file("The picture.", ["image/webp", "image/png", "image/jpeg"], "no-store while the task runs."),
    errors: [
      ...origin,
      ...client,
      "validation_failed",
      ...anyTask,
      "not_found",
      "range_not_satisfiable",
      "task_not_ready",
      ...machine,
    ],
  },
} as const;
