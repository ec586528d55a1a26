import type { ServerEvent } from "@safelight/contract";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { client } from "./client.ts";
import { isEndedSession, openSession, renewSession, sessionInUse } from "./session.ts";
import { applyPreview, applyStatus, forgetTask, refreshTasks } from "./tasks.ts";

/** How long the page waits after a refused stream before it asks again, in milliseconds. */
const pauseAfterRefusal = 3_000;

/** Follows the server's events for as long as the page is open and writes them into the query cache. */
export function useTaskEvents(): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    const ending = new AbortController();
    void follow(queryClient, ending.signal);
    return () => ending.abort();
  }, [queryClient]);
}

/** A broken connection is the client's business; a refused one, by a session that has ended, is renewed here. */
async function follow(queryClient: QueryClient, signal: AbortSignal): Promise<void> {
  let lastEventId: number | undefined;
  while (!signal.aborted) {
    let session = sessionInUse();
    try {
      await openSession();
      session = sessionInUse();
      const since = lastEventId === undefined ? {} : { lastEventId };
      for await (const event of client.events({ signal, ...since })) {
        lastEventId = event.id ?? lastEventId;
        takeIn(queryClient, event);
      }
    } catch (error) {
      if (isEndedSession(error)) await renewSession(session).catch(() => {});
      else await pause(pauseAfterRefusal, signal);
    }
  }
}

function takeIn(queryClient: QueryClient, event: ServerEvent): void {
  switch (event.type) {
    case "task.updated":
      applyStatus(queryClient, event.data);
      break;
    case "task.preview":
      applyPreview(queryClient, event.data.task_id, event.data.preview_url);
      break;
    case "task.deleted":
      forgetTask(queryClient, event.data.task_id);
      break;
    case "stream.reset":
      void refreshTasks(queryClient);
      break;
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
}
