import type { Context } from "../context/context.ts";
import { followEvents, type StreamEvent } from "../events/follow.ts";
import { statusBody } from "./describe.ts";
import { isEnded } from "./lifecycle.ts";
import { outlookAt, outlookOf } from "./outlook.ts";
import { readTask } from "./read.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

export interface StreamOptions {
  /** One task only; its stream ends after the terminal event. Without it, every task. */
  taskId?: string;
  /** Last-Event-ID, when the client sent a whole number. */
  lastEventId?: number;
  /** Ends the stream, quietly. To be fired when the listener goes: an idle stream cannot notice by itself. */
  signal: AbortSignal;
}

/**
 * The events of all tasks or of one: a snapshot of what has not ended, then what was missed since `lastEventId`, then
 * live. An id that the log no longer reaches is answered by `stream.reset`, after which the snapshot is the truth.
 */
export async function* openEventStream(
  context: Context,
  options: StreamOptions,
): AsyncGenerator<StreamEvent, void, undefined> {
  const { taskId } = options;
  if (taskId === undefined) {
    yield* followEvents(context, { ...options, snapshot: () => snapshotOf(context, unendedTasks(context)) });
    return;
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const stateWhen = (ended: boolean) => () => {
    const task = readTask(context.database.prepareRead, taskId);
    return task === undefined || isEnded(task.status) !== ended ? [] : snapshotOf(context, [task]);
  };
  const told = { snapshot: stateWhen(false), epilogue: stateWhen(true) };
  try {
    for await (const event of followEvents(context, { ...options, signal, ...told })) {
      yield event;
      if (endsStream(event)) return;
    }
  } finally {
    stop.abort();
  }
}

function unendedTasks(context: Context): TaskRecord[] {
  const sql = "SELECT * FROM tasks WHERE status IN ('pending', 'processing') ORDER BY sequence";
  return context.database.prepareRead(sql).all().map(toTaskRecord);
}

/** `tasks` in the order of the queue, all that wait or one alone. */
function snapshotOf(context: Context, tasks: readonly TaskRecord[]): Omit<StreamEvent, "id">[] {
  const prepare = context.database.prepareRead;
  let waiting = 0;
  return tasks.map((task) => {
    if (task.status === "pending") waiting += 1;
    // One pass over a long queue instead of counting it anew for each that waits in it.
    const position = task.status === "pending" ? waiting : null;
    const outlook =
      tasks.length === 1 ? outlookOf(context, prepare, task) : outlookAt(context, prepare, task, position);
    return { type: "task.updated", data: JSON.stringify(statusBody(context, prepare, task, outlook)) };
  });
}

function endsStream(event: StreamEvent): boolean {
  if (event.type === "task.deleted") return true;
  if (event.type !== "task.updated") return false;
  return isEnded((JSON.parse(event.data) as { status: TaskRecord["status"] }).status);
}
