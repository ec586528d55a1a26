/** Results and previews inside workspaces: passed on as they come, with our headers and none of the worker's. */
import { fileExtensionOf } from "@safelight/contract";
import type { FastifyReply } from "fastify";
import { SafelightError } from "../errors.ts";
import { createTurnstile } from "../media/turnstile.ts";
import type { FinishedInside, InsideTask } from "../proxy/workspace-tasks.ts";
import type { Installation } from "./installation.ts";
import { type MediaDescription, prepareAnswer, readWhole, sendBytes, sendStream } from "./media-answer.ts";
import type { Call } from "./register.ts";
import { whileCalled } from "./while-called.ts";

interface MediaQuery {
  readonly download?: "0" | "1";
  readonly metadata?: "0" | "1";
}

/** A copy without its recipe is made in memory: one at a time, and of files up to this many bytes. */
const stripping = createTurnstile(1);
const largestStripped = 512 * 1024 * 1024;

/** The result or a part of it: 200, 206 or 304. HEAD gets the headers of the same answer. */
export async function sendResultInside(
  installation: Installation,
  call: Call<MediaQuery>,
  task: InsideTask,
): Promise<FastifyReply> {
  const { workspaceTasks } = installation;
  const finished = await whileCalled(installation, call, (signal) => workspaceTasks.finished(task, signal));
  const { content_type: type, sha256, bytes } = finished.result;
  const description: MediaDescription = {
    type,
    etag: `"${sha256}"`,
    cacheControl: "private, no-cache",
    fileName: fileNameOf(task, type),
    asAttachment: call.query.download === "1",
  };
  if (call.query.metadata === "0") return sendStripped(installation, call, task, finished, description);
  const range = prepareAnswer(call, description, bytes);
  if (range === "unchanged" || call.request.method === "HEAD") return call.reply.send();
  const content = await whileCalled(installation, call, (signal) => workspaceTasks.read(task, finished, range, signal));
  return sendStream(installation, call, content);
}

/** The newest step picture, which no cache may keep. */
export async function sendPreviewInside(
  installation: Installation,
  call: Call<MediaQuery & { readonly thumbnail?: "0" | "1" }>,
  task: InsideTask,
): Promise<FastifyReply> {
  if (call.query.thumbnail === "1") {
    throw new SafelightError("not_found", "There are no thumbnails of tasks inside a workspace.");
  }
  const { workspaceTasks } = installation;
  const picture = await whileCalled(installation, call, (signal) => workspaceTasks.preview(task, signal));
  return sendBytes(call, picture.bytes, {
    type: picture.contentType,
    etag: `"${task.id}-preview-${picture.version}"`,
    cacheControl: "no-store",
    fileName: fileNameOf(task, picture.contentType, "preview"),
    asAttachment: call.query.download === "1",
  });
}

async function sendStripped(
  installation: Installation,
  call: Call,
  task: InsideTask,
  finished: FinishedInside,
  description: MediaDescription,
): Promise<FastifyReply> {
  const { workspaceTasks, engine } = installation;
  if (finished.result.bytes > largestStripped) {
    const message = "A file of this size is sent with its recipe only.";
    const fields = [{ field: "metadata", code: "too_large", message }];
    throw new SafelightError("validation_failed", message, { fields });
  }
  const bytes = await stripping.pass(() =>
    whileCalled(installation, call, async (signal) => {
      const whole = await readWhole(await workspaceTasks.read(task, finished, null, signal));
      return engine.stripRecipe(whole, description.type);
    }),
  );
  return sendBytes(call, bytes, { ...description, etag: `"${finished.result.sha256}-plain"` });
}

/** `attic-gpu-4b9f11aa.png`: the prompt, which names our own files, is not told by a worker. */
function fileNameOf({ account, id }: InsideTask, type: string, suffix?: "preview"): string {
  const parts = [account.workspace, id.slice(-8), ...(suffix === undefined ? [] : [suffix])];
  return `${parts.join("-")}.${fileExtensionOf(type)}`;
}
