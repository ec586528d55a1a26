/** Streams of what happens to tasks. */
import { routes } from "@safelight/contract";
import { openEventStream, type StreamOptions } from "../tasks/event-stream.ts";
import { getTask } from "../tasks/get.ts";
import { type Call, type Registrar, register } from "./register.ts";
import { lastEventIdOf, sendEvents } from "./send-events.ts";
import { parseTaskId } from "./task-id.ts";

export function registerEventRoutes(registrar: Registrar): void {
  const { installation } = registrar;
  const stream = (call: Call, taskId: string | undefined) =>
    sendEvents(installation, call, (signal) => openEventStream(call.context, streamOptions(call, taskId, signal)));
  register(registrar, routes.allEvents, (call) => stream(call, undefined), { head: "none" });
  register(
    registrar,
    routes.taskEvents,
    async (call) => {
      // Asked before the stream opens: an unknown task is a 404, not an empty stream.
      const { id } = await getTask(call.context, await parseTaskId(call.context, call.id));
      return stream(call, id);
    },
    { head: "none" },
  );
}

function streamOptions(call: Call, taskId: string | undefined, signal: AbortSignal): StreamOptions {
  const lastEventId = lastEventIdOf(call);
  return { signal, ...(taskId === undefined ? {} : { taskId }), ...(lastEventId === undefined ? {} : { lastEventId }) };
}
