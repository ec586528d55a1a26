import type { Prepare } from "../database/database.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

export type { Prepare };

/** The task as it is on that connection, or undefined. */
export async function readTask(prepare: Prepare, id: string): Promise<TaskRecord | undefined> {
  const row = await prepare("SELECT * FROM tasks WHERE id = ?").get(id);
  return row === undefined ? undefined : toTaskRecord(row);
}
