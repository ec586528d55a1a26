import type { Context } from "../context/context.ts";
import type { EventSignal, EventType } from "../context/event-hub.ts";
import type { Transaction } from "../database/database.ts";

export interface NewEvent {
  taskId: string;
  type: EventType;
  data: object;
  signal: EventSignal;
}

/**
 * Writes the event into the log in the caller's transaction and tells the listeners once that is on disk: nobody hears
 * of a change that a crash could take back, and no change goes unheard.
 */
export async function appendEvent(context: Context, tx: Transaction, event: NewEvent): Promise<void> {
  const data = JSON.stringify(event.data);
  const added = await tx
    .prepare("INSERT INTO events (task_id, type, data, created_at, signal) VALUES (?, ?, ?, ?, ?) RETURNING id")
    .get(event.taskId, event.type, data, context.clock.now(), event.signal);
  const { taskId, type, signal } = event;
  const id = Number(added?.id);
  context.hub.expect(id);
  tx.afterCommit(() => context.hub.committed({ id, taskId, type, data, signal }));
}
