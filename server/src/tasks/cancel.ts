import type { Context } from "../context/context.ts";
import type { TaskRecord } from "./task-record.ts";

export function cancelTask(_context: Context, _id: string): Promise<TaskRecord> {
  throw new Error("not built yet");
}
