import type { AuditPage, AuditVerification } from "@safelight/contract";
import { keepPreviousData, type UseMutationResult, useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useEffect, useMemo } from "react";
import { client } from "../../../api/client.ts";
import { type AdminSearch, auditFilters } from "../search.ts";
import { asAdmin } from "../session/admin-session.ts";
import { isMereRead } from "./audit-actions.ts";
import { polled, sometimes } from "./polling.ts";

const pageSize = 100;
/** Where reading hides, so few records may be left of a page that the next one is fetched at once, up to this many. */
const enough = 20;
const mostPages = 6;

/** The audit log as it is filtered, newest first, and the way to older records. */
export function useAudit(search: AdminSearch) {
  const { action, actor, outcome, from, to } = search;
  const filters = useMemo(
    () =>
      auditFilters({
        ...(action === undefined ? {} : { action }),
        ...(actor === undefined ? {} : { actor }),
        ...(outcome === undefined ? {} : { outcome }),
        ...(from === undefined ? {} : { from }),
        ...(to === undefined ? {} : { to }),
      }),
    [action, actor, outcome, from, to],
  );
  const query = useInfiniteQuery({
    queryKey: ["admin", "audit", filters],
    queryFn: ({ pageParam, signal }): Promise<AuditPage> =>
      asAdmin(() =>
        client.listAuditEvents({
          query: { ...filters, limit: pageSize, ...(pageParam === null ? {} : { cursor: pageParam }) },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page: AuditPage) => page.next_cursor,
    select: ({ pages }) => ({ pages: pages.length, events: pages.flatMap((page) => page.logs) }),
    placeholderData: keepPreviousData,
    ...polled(sometimes),
    // Pages are read again one by one: many of them less often, and not at all for who reads far back.
    refetchInterval: ({ state }) => {
      const pages = state.data?.pages.length ?? 1;
      return pages === 1 ? sometimes : pages <= mostPages ? sometimes * 4 : false;
    },
  });
  const withReads = search.reads === "shown" || action !== undefined;
  const { data } = query;
  const events = useMemo(() => data?.events.filter((event) => withReads || !isMereRead(event)), [data, withReads]);
  const { hasNextPage, isFetching, isFetchNextPageError, isFetchingNextPage, fetchNextPage, error, refetch } = query;
  const isShort = events !== undefined && events.length < enough && (data?.pages ?? 0) < mostPages;
  const wanted = isShort && hasNextPage && !isFetching && !isFetchNextPageError;
  useEffect(() => {
    if (wanted) void fetchNextPage();
  }, [wanted, fetchNextPage]);
  return { data: events, error, refetch, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage };
}

/** Checks the whole log, when asked to: every hash and every signature. */
export function useAuditCheck(): UseMutationResult<AuditVerification, Error, void> {
  return useMutation({ mutationFn: () => asAdmin(() => client.verifyAudit()), networkMode: "always" });
}
