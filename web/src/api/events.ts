import type { ServerEvent } from "@safelight/contract";
import { createClient } from "@safelight/contract/client";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { observedFetch } from "./connection.ts";
import { isEndedSession, openSession, renewSession, sessionInUse } from "./session.ts";
import { applyEvents, refreshTasks } from "./task-changes.ts";
import { rereadPages } from "./task-pages.ts";

/** How long the page waits after a refused stream before it asks again, in milliseconds. */
const pauseAfterRefusal = 3_000;
/** Events that come within this many milliseconds change the page once: a snapshot may hold a thousand. */
const gathering = 30;

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
  const client = createClient({ baseUrl: "", fetch: noticing(() => catchUp(queryClient)) });
  const gather = gatherer((events) => applyEvents(queryClient, events), signal);
  let lastEventId: number | undefined;
  while (!signal.aborted) {
    let session = sessionInUse();
    try {
      await openSession();
      session = sessionInUse();
      const since = lastEventId === undefined ? {} : { lastEventId };
      for await (const event of client.events({ signal, ...since })) {
        lastEventId = event.id ?? lastEventId;
        gather(event);
      }
    } catch (error) {
      if (isEndedSession(error)) await renewSession(session).catch(() => {});
      else await pause(pauseAfterRefusal, signal);
    }
  }
}

/** Tells of each connection that does not say what was missed before it. */
function noticing(opened: () => void): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await observedFetch(input, init);
    if (response.ok && !new Headers(init?.headers).has("last-event-id")) opened();
    return response;
  };
}

/** Lists may have been read before the stream began; what ended in between is in neither. */
function catchUp(queryClient: QueryClient): void {
  void refreshTasks(queryClient);
  void rereadPages(queryClient);
}

/** Hands events on in batches. A hidden page has its timers held back, so there each event goes on at once. */
function gatherer(take: (events: readonly ServerEvent[]) => void, signal: AbortSignal): (event: ServerEvent) => void {
  let gathered: ServerEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hand = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const events = gathered;
    gathered = [];
    if (events.length > 0 && !signal.aborted) take(events);
  };
  return (event) => {
    gathered.push(event);
    if (document.visibilityState === "hidden") hand();
    else timer ??= setTimeout(hand, gathering);
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => resolve(clearTimeout(timer)), { once: true });
  });
}
