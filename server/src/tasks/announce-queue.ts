import type { Context } from "../context/context.ts";
import { eventLogEnds } from "../context/event-log.ts";
import { statusBody } from "./describe.ts";
import { inOneState } from "./one-state.ts";
import { aheadOfEach, outlookOf } from "./outlook.ts";
import { foremost } from "./turns.ts";

// Who waits further back is told when it matters: nobody watches place 800 become 799.
const TOLD = 20;

/**
 * Tells those who listen where the foremost waiting tasks stand now. A place in the queue changes with what happens to
 * other tasks, so nothing of it is written or kept in the event log: it is news without an id.
 */
export async function announceQueue(context: Context): Promise<void> {
  const { database, hub } = context;
  // Of whom something newer is told while this is read, nothing older is told afterwards: a task that runs would seem to wait again.
  const told = new Map<string, number>();
  const unwatch = hub.watch(({ taskId, id }) => told.set(taskId, id ?? Number.POSITIVE_INFINITY));
  try {
    const { asOf, news } = await database.read(async (reading) => {
      const prepare = inOneState(reading.prepare);
      const found: { taskId: string; data: string }[] = [];
      const next = await foremost(prepare, TOLD);
      const ahead = aheadOfEach(next.map(({ task }) => task));
      for (const { task, turn } of next) {
        const outlook = await outlookOf(context, prepare, task, { turn, ahead: ahead.get(task.sequence) });
        const status = await statusBody(context, prepare, task, outlook);
        found.push({ taskId: task.id, data: JSON.stringify(status) });
      }
      return { asOf: (await eventLogEnds(prepare)).head, news: found };
    });
    // Where other gateways write too, what this state was made of may not have been told here yet.
    await hub.reach(asOf);
    unwatch();
    for (const { taskId, data } of news) {
      if ((told.get(taskId) ?? 0) <= asOf)
        hub.publish({ id: null, asOf, taskId, type: "task.updated", data, signal: "none" });
    }
  } finally {
    unwatch();
  }
}
