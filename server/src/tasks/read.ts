import type { Statement } from "../database/database.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

/** Prepares a statement, on the read connection or inside a transaction. */
export type Prepare = (sql: string) => Statement;

/** The task as it is on that connection, or undefined. */
export function readTask(prepare: Prepare, id: string): TaskRecord | undefined {
  const row = prepare("SELECT * FROM tasks WHERE id = ?").get(id);
  return row === undefined ? undefined : toTaskRecord(row);
}
