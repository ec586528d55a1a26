import type { TaskErrorCode } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { changeTask } from "./change.ts";
import { mayFailWith } from "./lifecycle.ts";
import { taskErrorText } from "./task-errors.ts";
import type { TaskRecord } from "./task-record.ts";

/** Ends the task as failed. `detail` is for creators; without it the code's own text is used. */
export async function failTask(
  context: Context,
  tx: Transaction,
  task: TaskRecord,
  code: TaskErrorCode,
  detail: string = taskErrorText(code),
): Promise<TaskRecord> {
  if (!mayFailWith(task.status, code)) throw new Error(`a ${task.status} task cannot fail with ${code}`);
  return changeTask(context, tx, task, {
    transition: "fail",
    columns: { error_code: code, error_msg: detail, stage_detail: null },
  });
}
