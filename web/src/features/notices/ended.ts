// Picks the ends worth a notice out of the stream: of tasks that were seen under way, once each, cancelled ones left out.
import type { ServerEvent, Status } from "@safelight/contract";

/** Takes batches of events in their order; answers those that have just ended. Remembers active tasks only. */
export function endWatcher(): (events: readonly ServerEvent[]) => readonly Status[] {
  const active = new Set<string>();
  return (events) => {
    const ended: Status[] = [];
    for (const event of events) {
      if (event.type === "stream.reset") active.clear();
      else if (event.type === "task.deleted") active.delete(event.data.task_id);
      else if (event.type === "task.updated") {
        const status = event.data;
        if (status.status === "pending" || status.status === "processing") active.add(status.task_id);
        else if (active.delete(status.task_id) && status.error?.code !== "cancelled") ended.push(status);
      }
    }
    return ended;
  };
}
