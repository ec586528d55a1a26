import type { QueueState, Statistics } from "@safelight/contract";
import { keepPreviousData, type UseQueryResult, useQuery } from "@tanstack/react-query";
import { client } from "../../../api/client.ts";
import type { Span } from "../search.ts";
import { asAdmin } from "../session/admin-session.ts";
import { often, polled, rarely } from "./polling.ts";

/** How long the queue is, and whether it stands. */
export function useQueue(): UseQueryResult<QueueState> {
  return useQuery({
    queryKey: ["admin", "queue"],
    queryFn: ({ signal }) => asAdmin(() => client.getQueue({ signal })),
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
