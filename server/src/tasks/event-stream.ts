import type { Context } from "../context/context.ts";
import { followEvents, type StreamEvent } from "../events/follow.ts";
import { statusBody } from "./describe.ts";
import { isEnded } from "./lifecycle.ts";
import { inOneState } from "./one-state.ts";
import { aheadOfEach, outlookOf } from "./outlook.ts";
import { type Prepare, readTask } from "./read.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";
import { allTurns, type Turn } from "./turns.ts";

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
    yield* followEvents(context, {
      ...options,
      snapshot: async (prepare) => snapshotOf(context, prepare, await unendedTasks(prepare)),
    });
    return;
  }
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const stateWhen = (ended: boolean) => async (prepare: Prepare) => {
    const task = await readTask(prepare, taskId);
    // Deleted before the state was read: what told of it stands before the place in the log, and would not be heard any more.
    if (task === undefined) return ended ? [deletionOf(taskId)] : [];
    return isEnded(task.status) !== ended ? [] : await snapshotOf(context, prepare, [task]);
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

async function unendedTasks(prepare: Prepare): Promise<TaskRecord[]> {
  const sql = "SELECT * FROM tasks WHERE status IN ('pending', 'processing') ORDER BY sequence";
  return (await prepare(sql).all()).map(toTaskRecord);
}

async function snapshotOf(
  context: Context,
  reading: Prepare,
  tasks: readonly TaskRecord[],
): Promise<Omit<StreamEvent, "id">[]> {
  const prepare = inOneState(reading);
  // One pass over a long queue instead of counting it anew for each that waits in it.
  const turns = tasks.length === 1 ? new Map<number, Turn>() : await allTurns(prepare);
  const placeOf = ({ sequence }: TaskRecord) => turns.get(sequence)?.position ?? 0;
  const waiting = tasks.filter(({ sequence }) => turns.has(sequence)).sort((one, two) => placeOf(one) - placeOf(two));
  const ahead = aheadOfEach(waiting);
  const told: Omit<StreamEvent, "id">[] = [];
  for (const task of tasks) {
    const turn = turns.get(task.sequence);
    const known = turn === undefined ? undefined : { turn, ahead: ahead.get(task.sequence) };
    const outlook = await outlookOf(context, prepare, task, known);
    const status = await statusBody(context, prepare, task, outlook);
    told.push({ type: "task.updated", data: JSON.stringify(status) });
  }
  return told;
}

function deletionOf(taskId: string): Omit<StreamEvent, "id"> {
  return { type: "task.deleted", data: JSON.stringify({ task_id: taskId }) };
}

function endsStream(event: StreamEvent): boolean {
  if (event.type === "task.deleted") return true;
  if (event.type !== "task.updated") return false;
  return isEnded((JSON.parse(event.data) as { status: TaskRecord["status"] }).status);
}
