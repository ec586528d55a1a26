import { routes } from "@safelight/contract";
import type { FastifyReply } from "fastify";
import { SafelightError } from "../errors.ts";
import { fileNameFor } from "../gallery/file-name.ts";
import { findThumbnail } from "../gallery/thumbnail.ts";
import { createTurnstile } from "../media/turnstile.ts";
import { getTask } from "../tasks/get.ts";
import type { TaskRecord } from "../tasks/task-record.ts";
import type { Installation } from "./installation.ts";
import { type MediaDescription, missingIs, readWhole, sendBytes, sendFile } from "./media-answer.ts";
import { sendPreviewInside, sendResultInside } from "./proxy-media.ts";
import { type Call, type Registrar, register } from "./register.ts";
import { readTaskAddress } from "./task-id.ts";

interface MediaQuery {
  readonly download?: "0" | "1";
  readonly metadata?: "0" | "1";
}

interface PreviewQuery extends MediaQuery {
  readonly thumbnail?: "0" | "1";
}

/** Seconds after which someone who asked too early may ask again. */
const retrySoon = 2;
// A stripped copy is made in memory, so only a few are made at one time.
const stripping = createTurnstile(2);

export function registerMediaRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  register<MediaQuery>(registrar, routes.getResult, (call) => sendResult(installation, call), { head: "handler" });
  register<PreviewQuery>(registrar, routes.getPreview, (call) => sendPreview(installation, call), { head: "handler" });
}

async function sendResult(installation: Installation, call: Call<MediaQuery>): Promise<FastifyReply> {
  const address = await readTaskAddress(call.context, call.id, routes.getResult.path);
  if (address.account !== null) return sendResultInside(installation, call, address);
  const task = await getTask(call.context, address.id);
  if (task.status === "failed") {
    throw new SafelightError("task_failed", task.errorMessage ?? "The task failed and has no result.");
  }
  if (task.status !== "done" || task.resultPath === null) {
    throw new SafelightError("task_not_ready", "The task has not finished yet.", { retryAfter: retrySoon });
  }
  const name = task.resultPath;
  const gone = new SafelightError("result_gone", "The task is done, but its file is no longer there.");
  const description: MediaDescription = {
    type: task.resultType ?? "application/octet-stream",
    etag: `"${task.resultSha256 ?? task.id}"`,
    // Always asked for again, and then mostly answered 304: a deleted result must not live on in a cache.
    cacheControl: "private, no-cache",
    fileName: fileNameFor(task),
    asAttachment: call.query.download === "1",
  };
  if (call.query.metadata !== "0") {
    return sendFile(installation, call, { ...description, name, whenMissing: gone, large: true });
  }
  const bytes = await stripping.pass(async () => {
    const original = await readWhole(await call.context.media.open(name).catch(missingIs(gone)));
    return installation.engine.stripRecipe(original, description.type);
  });
  return sendBytes(call, bytes, { ...description, etag: `"${task.resultSha256 ?? task.id}-plain"` });
}

async function sendPreview(installation: Installation, call: Call<PreviewQuery>): Promise<FastifyReply> {
  const address = await readTaskAddress(call.context, call.id, routes.getPreview.path);
  if (address.account !== null) return sendPreviewInside(installation, call, address);
  const { id } = address;
  const task = await getTask(call.context, id);
  if (call.query.thumbnail === "1") return sendThumbnail(installation, call, task);
  try {
    return await sendPreviewOf(installation, call, task);
  } catch (error) {
    // While a task runs its pictures replace each other; the one just read about may be gone, and a newer one there.
    const newer =
      error instanceof SafelightError && error.code === "not_found" ? await getTask(call.context, id) : task;
    if (newer.previewVersion === task.previewVersion && newer.previewPath === task.previewPath) throw error;
    return sendPreviewOf(installation, call, newer);
  }
}

async function sendThumbnail(installation: Installation, call: Call, task: TaskRecord): Promise<FastifyReply> {
  if (task.status === "pending" || task.status === "processing") {
    throw new SafelightError("task_not_ready", "There is a thumbnail when the task is done.", {
      retryAfter: retrySoon,
    });
  }
  const none = new SafelightError("not_found", "There is nothing to make a thumbnail from.");
  const name = task.status === "done" ? await findThumbnail(call.context, task) : null;
  if (name === null) throw none;
  return sendFile(installation, call, {
    name,
    type: "image/webp",
    etag: `"${task.resultSha256 ?? task.id}-thumbnail"`,
    // A grid of thousands would ask again for each at every visit; its address changes with the result.
    cacheControl: "private, max-age=86400",
    fileName: fileNameFor({ ...task, previewType: "image/webp" }, "preview"),
    whenMissing: none,
  });
}

async function sendPreviewOf(
  installation: Installation,
  call: Call<MediaQuery>,
  task: TaskRecord,
): Promise<FastifyReply> {
  const running = task.status === "pending" || task.status === "processing";
  if (task.previewPath === null) {
    if (running) throw new SafelightError("task_not_ready", "There is no preview yet.", { retryAfter: retrySoon });
    throw new SafelightError("not_found", "The task ended without a preview.");
  }
  return sendFile(installation, call, {
    name: task.previewPath,
    type: task.previewType ?? "image/webp",
    etag: `"${task.id}-preview-${task.previewVersion}"`,
    cacheControl: running ? "no-store" : "private, no-cache",
    fileName: fileNameFor(task, "preview"),
    asAttachment: call.query.download === "1",
    whenMissing: new SafelightError("not_found", "The preview is no longer there."),
  });
}
