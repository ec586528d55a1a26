import type { AdminTask, QueueState, Statistics } from "@safelight/contract";
import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import type { Span } from "../search.ts";
import { asAdmin } from "../session/admin-session.ts";
import { often, polled, rarely } from "./polling.ts";

/** So many of each are shown; the rest of a long queue is told as a number. */
const shownTasks = 50;

export interface QueueNow {
  state: QueueState;
  running: readonly AdminTask[];
  /** In the order they wait in, as far as they are shown. */
  waiting: readonly AdminTask[];
}

/** How long the queue is, whether it stands, and what runs and waits, of every client. */
export function useQueue(): UseQueryResult<QueueNow> {
  return useQuery({
    queryKey: ["admin", "queue"],
    queryFn: async ({ signal }): Promise<QueueNow> => {
      const state = await asAdmin(() => client.getQueue({ signal }));
      const list = async (status: "processing" | "pending", count: number) => {
        // Most of the time nothing waits and nothing runs: a question less.
        if (count === 0) return [];
        const query = { status, per_page: shownTasks, order: "asc" } as const;
        return (await asAdmin(() => client.listAllTasks({ query, signal }))).items;
      };
      const [running, waiting] = await Promise.all([
        list("processing", state.processing),
        list("pending", state.pending),
      ]);
      return { state, running, waiting: waiting.toSorted((a, b) => Number(b.front) - Number(a.front)) };
    },
    ...polled(often),
  });
}

/** What was done in the last `hours`, and what lies on the disk. */
export function useStatistics(hours: Span): UseQueryResult<Statistics> {
  return useQuery({
    queryKey: ["admin", "statistics", hours],
    queryFn: ({ signal }) => asAdmin(() => client.getStatistics({ query: { hours }, signal })),
    placeholderData: keepPreviousData,
    ...polled(rarely),
  });
}
