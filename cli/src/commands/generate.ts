// `safelight generate`: from a prompt to a file.
import { randomUUID } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { GenerateRequest, Status } from "@safelight/contract";
import type { Connection } from "../connection/connect.ts";
import { withRetry } from "../connection/retry.ts";
import { CommandError, exitCodes, usageError } from "../failure.ts";
import type { PictureSlot, PreparedRequest } from "../flags/request.ts";
import { onInterrupt } from "../interrupt.ts";
import { outputPath, writeWhole } from "../output-file.ts";
import { openProgress } from "../progress.ts";
import { followTask } from "./follow.ts";
import { notesOf } from "./tasks.ts";

export interface GenerateOptions {
  output: string | undefined;
  wait: boolean;
  json: boolean;
}

/** Largest picture the server takes, in bytes; a larger one is told before anything is sent. */
const largestPicture = 20_000_000;
/** Before there is a task nothing is lost by giving up; in milliseconds. */
const firstPatience = 5000;

/** Checks that every picture is a readable file. Throws a usage error that names the first that is not. */
export async function checkPictures(pictures: readonly PictureSlot[]): Promise<void> {
  for (const { file } of pictures) {
    const found = await stat(file).catch((error: NodeJS.ErrnoException) => error.code ?? "unknown");
    if (typeof found === "string") throw usageError(`The picture ${file} cannot be read (${found}).`);
    if (!found.isFile()) throw usageError(`The picture ${file} is not a file.`);
    if (found.size > largestPicture) throw usageError(`The picture ${file} has more than 20 MB.`);
  }
}

/** Submits, follows, saves and tells. Resolves with the exit code. */
export async function generate(
  connection: Connection,
  request: PreparedRequest,
  options: GenerateOptions,
): Promise<number> {
  if (!options.wait && connection.embedded) {
    throw usageError(
      "--no-wait needs a running server: nothing would go on once this command ends. Try safelight serve.",
    );
  }
  await uploadPictures(connection, request.pictures);
  const answer = await submit(connection, request.body);
  if (!options.wait) {
    process.stdout.write(`${options.json ? JSON.stringify(answer) : answer.task_id}\n`);
    return 0;
  }
  const { status, interrupted } = await followOrCancel(connection, answer.task_id, options.json);
  if (status.status === "done") return await save(connection, status, options);
  if (options.json) process.stdout.write(`${JSON.stringify(status)}\n`);
  if (interrupted) throw new CommandError(exitCodes.interrupted, "cancelled", "The task was cancelled.");
  throw taskFailure(status);
}

async function uploadPictures(connection: Connection, pictures: readonly PictureSlot[]): Promise<void> {
  for (const { file, put } of pictures) {
    const blob = new Blob([await readFile(file)]);
    const upload = await withRetry(connection, (client) => client.upload(blob, basename(file)), firstPatience);
    put(upload.id);
  }
}

// With one idempotency key for all tries, a submit whose answer was lost does not become two tasks.
function submit(connection: Connection, body: Record<string, unknown>) {
  const headers = { "idempotency-key": randomUUID() };
  const request = { body: body as GenerateRequest, headers };
  return withRetry(connection, (client) => client.generate(request), firstPatience);
}

async function followOrCancel(
  connection: Connection,
  id: string,
  quiet: boolean,
): Promise<{ status: Status; interrupted: boolean }> {
  const progress = openProgress(process.stderr, quiet);
  let interrupted = false;
  const release = onInterrupt({
    first: () => {
      interrupted = true;
      connection.client.cancelTask({ path: { id } }).catch(() => process.exit(exitCodes.interrupted));
    },
    second: () => process.exit(exitCodes.interrupted),
  });
  try {
    return { status: await followTask(connection, id, (status) => progress.show(status)), interrupted };
  } finally {
    release();
    progress.end();
  }
}

async function save(connection: Connection, status: Status, options: GenerateOptions): Promise<number> {
  const id = status.task_id;
  const response = await withRetry(connection, (client) => client.getResult({ path: { id } }));
  if (options.output === "-") {
    process.stdout.write(new Uint8Array(await response.arrayBuffer()));
    if (!options.json) tell(status);
    return 0;
  }
  const path = await outputPath(options.output, id, response.headers.get("content-type") ?? "");
  const bytes = await writeWhole(path, response);
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ ...status, file: path, bytes })}\n`);
    return 0;
  }
  process.stdout.write(`${path}\n`);
  tell(status);
  return 0;
}

/** What a person should know about the result, on standard error so that standard output stays for programs. */
function tell(status: Status): void {
  const { result } = status;
  const length = result === null || result.fps === null ? "" : `, ${result.frames} frames at ${result.fps} fps`;
  const size = result === null ? "" : `${result.width}×${result.height}${length}, `;
  process.stderr.write(`${size}seed ${status.seed}, engine ${status.engine ?? "unknown"}\n`);
  if (status.completed_prompt !== null) process.stderr.write(`prompt as drawn: ${status.completed_prompt}\n`);
  for (const { code, detail } of notesOf(status)) process.stderr.write(`note: ${code}: ${detail}\n`);
}

function taskFailure(status: Status): CommandError {
  const code = status.error?.code ?? "task_failed";
  const text = [status.error?.detail ?? status.error_msg ?? "The task failed.", status.error?.user_action ?? ""];
  return new CommandError(exitCodes.failed, code, text.filter(Boolean).join(" "));
}
