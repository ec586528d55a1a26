import type { Context } from "../context/context.ts";
import type { TaskRecord } from "./task-record.ts";

/** Resolves when the task's version differs from `version`, at the latest after `timeoutMs`, with the newest record. */
export function waitForChange(
  _context: Context,
  _id: string,
  _version: number,
  _timeoutMs: number,
  _signal: AbortSignal,
): Promise<TaskRecord> {
  throw new Error("not built yet");
}
