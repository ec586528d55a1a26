import type { AuditEvent, AuditPage } from "@safelight/contract";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { client } from "../../../api/client.ts";
import { type AdminSearch, auditFilters } from "../search.ts";
import { asAdmin } from "../session/admin-session.ts";
import { polled, sometimes } from "./polling.ts";

const pageSize = 25;

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
  return useInfiniteQuery({
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
    select: ({ pages }): readonly AuditEvent[] => pages.flatMap((page) => page.logs),
    placeholderData: keepPreviousData,
    ...polled(sometimes),
    // Somebody who reads far back is not disturbed, and would ask for every page anew.
    refetchInterval: ({ state }) => (state.data === undefined || state.data.pages.length === 1 ? sometimes : false),
  });
}
