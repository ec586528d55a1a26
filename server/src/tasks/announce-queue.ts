import type { Context } from "../context/context.ts";
import { statusBody } from "./describe.ts";
import { outlookOf } from "./outlook.ts";
import { foremost } from "./turns.ts";

// Who waits further back is told when it matters: nobody watches place 800 become 799.
const TOLD = 20;

/**
 * Tells those who listen where the foremost waiting tasks stand now. A place in the queue changes with what happens to
 * other tasks, so nothing of it is written or kept in the event log: it is news without an id.
 */
export function announceQueue(context: Context): void {
  const prepare = context.database.prepareRead;
  for (const { task, turn } of foremost(prepare, TOLD)) {
    const data = JSON.stringify(statusBody(context, prepare, task, outlookOf(context, prepare, task, turn)));
    context.hub.publish({ id: null, taskId: task.id, type: "task.updated", data, signal: "none" });
  }
}
