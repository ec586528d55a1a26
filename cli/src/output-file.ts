// Where a result goes: decided and checked before the work begins, written so that a half file never carries the name.
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { MediaType } from "@safelight/catalog";
import { fileExtensionOf } from "@safelight/contract";
import { CommandError, exitCodes, usageError } from "./failure.ts";

const formats: Readonly<Record<string, { format: string; type: MediaType }>> = {
  ".png": { format: "png", type: "image" },
  ".jpg": { format: "jpeg", type: "image" },
  ".jpeg": { format: "jpeg", type: "image" },
  ".webp": { format: "webp", type: "image" },
  ".mp4": { format: "mp4", type: "video" },
  ".webm": { format: "webm", type: "video" },
};

/** The format that a file name asks for; undefined where it says nothing. */
export function formatOf(file: string | undefined): { format: string; type: MediaType } | undefined {
  return file === undefined ? undefined : formats[extname(file).toLowerCase()];
}

/** Throws a usage error when nothing could be written there. "-" is standard output; undefined and folders get a name later. */
export async function checkOutput(output: string | undefined): Promise<void> {
  if (output === "-") return;
  const folder = (await isFolder(output ?? ".")) ? (output ?? ".") : dirname(output ?? ".");
  if (!(await isFolder(folder))) throw usageError(`The folder ${folder} does not exist.`);
}

/** The path to write: the name as given, or one made from the task where only a folder, or nothing, was given. */
export async function outputPath(output: string | undefined, taskId: string, contentType: string): Promise<string> {
  const made = `${taskId}.${fileExtensionOf(contentType.split(";")[0]?.trim() ?? "")}`;
  if (output === undefined) return made;
  return (await isFolder(output)) ? join(output, made) : output;
}

/** Writes the body under another name, flushes it and gives it its name; checks the length where the server said one. */
export async function writeWhole(path: string, response: Response): Promise<number> {
  if (response.body === null) throw new CommandError(exitCodes.failed, "empty_result", "The server sent no file.");
  const folder = dirname(resolve(path));
  const partial = join(folder, `.${basename(path)}.${randomBytes(4).toString("hex")}.part`);
  try {
    await pipeline(Readable.fromWeb(response.body), createWriteStream(partial, { flags: "wx" }));
    const { size } = await stat(partial);
    const announced = response.headers.get("content-length");
    if (announced !== null && Number(announced) !== size) {
      throw new CommandError(exitCodes.failed, "result_cut", `The file ended after ${size} of ${announced} bytes.`);
    }
    await flush(partial);
    await rename(partial, path);
    return size;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

async function flush(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
