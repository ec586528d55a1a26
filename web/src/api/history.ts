// Every task in every state as the server lists it. The lists live in the query cache under "history", where the stream's
// news of ends and deletions is written into them.
import type { TaskItem, TaskStatus, TasksPage, TasksQuery } from "@safelight/contract";
import { keepPreviousData, useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { client } from "./client.ts";
import { arrivalsIn, type HistoryPages, withNewest } from "./history-pages.ts";
import { withSession } from "./session.ts";
import { mergeTask, type Task } from "./task-board.ts";
import { onTaskEvents, useNews } from "./tasks.ts";

export type HistoryFilters = Pick<TasksQuery, "status" | "model" | "type" | "mode" | "q" | "from" | "to">;

export interface Count {
  count: number;
  /** False when there are more than `count`. */
  exact: boolean;
}

export type Counts = Readonly<Record<TaskStatus, Count>>;

const pageSize = 50;
/** How long a list that nobody looks at is kept, in milliseconds. */
const keptFor = 10 * 60_000;
/** Events come in bursts; the server is asked once per burst, in milliseconds. */
const gathering = 700;

const listKey = (filters: HistoryFilters) => ["history", "list", filters] as const;
const newestKey = (filters: HistoryFilters) => ["history", "newest", filters] as const;
const countsKey = (filters: HistoryFilters) => ["history", "counts", filters] as const;

/** The tasks that match, newest first, each as it stands now, and the way to more. */
export function useHistory(filters: HistoryFilters) {
  const query = useInfiniteQuery({
    queryKey: listKey(filters),
    queryFn: ({ pageParam, signal }) =>
      readPage({ ...filters, ...(pageParam === null ? {} : { cursor: pageParam }) }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page: TasksPage) => page.next_cursor,
    // What changes is told by the stream.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: keptFor,
    structuralSharing: false,
  });
  const news = useNews();
  const { data } = query;
  const tasks = useMemo(() => {
    const items = data?.pages.flatMap((page) => page.items) ?? [];
    const live = items.map((item) => mergeTask(item, news.get(item.id)));
    // A list of what runs is not the place of what has ended meanwhile.
    return filters.status === undefined ? live : live.filter((task) => task.status === filters.status);
  }, [data, news, filters.status]);
  return { ...query, tasks };
}

/** Tasks that were submitted after the list was read, and the way to let them in. */
export function useHistoryArrivals(
  filters: HistoryFilters,
  known: HistoryPages | undefined,
): { arrivals: readonly TaskItem[]; takeIn: () => void } {
  const queryClient = useQueryClient();
  const newest = useQuery({
    queryKey: newestKey(filters),
    queryFn: ({ signal }) => readPage(filters, signal),
    enabled: false,
  }).data;
  useEffect(() => {
    const ask = gathered(() => {
      if (queryClient.getQueryData(listKey(filters)) === undefined) return;
      void queryClient
        .fetchQuery({ queryKey: newestKey(filters), queryFn: ({ signal }) => readPage(filters, signal), staleTime: 0 })
        .catch(() => {});
    });
    const stop = onTaskEvents((events) => {
      if (events.some((event) => event.type === "task.updated" || event.type === "stream.reset")) ask.soon();
    });
    return () => {
      stop();
      ask.never();
    };
  }, [queryClient, filters]);
  const arrivals = useMemo(
    () => (newest === undefined || known === undefined ? [] : arrivalsIn(known, newest)),
    [newest, known],
  );
  const takeIn = useCallback(() => {
    if (newest === undefined) return;
    queryClient.setQueryData<HistoryPages>(listKey(filters), (before) => before && withNewest(before, newest));
  }, [queryClient, filters, newest]);
  return { arrivals, takeIn };
}

/** How many there are in each state, whatever state is looked at; null until that is known. */
export function useHistoryCounts(filters: HistoryFilters): Counts | null {
  const queryClient = useQueryClient();
  const stateless = useMemo(() => withoutStatus(filters), [filters]);
  const query = useQuery({
    queryKey: countsKey(stateless),
    queryFn: () => readCounts(stateless),
    placeholderData: keepPreviousData,
  });
  useEffect(() => {
    const recount = gathered(() => void queryClient.invalidateQueries({ queryKey: countsKey(stateless) }));
    const stop = onTaskEvents((events) => {
      if (events.some((event) => event.type !== "task.preview")) recount.soon();
    });
    return () => {
      stop();
      recount.never();
    };
  }, [queryClient, stateless]);
  return query.data ?? null;
}

function withoutStatus({ status: _status, ...rest }: HistoryFilters): HistoryFilters {
  return rest;
}

async function readCounts(filters: HistoryFilters): Promise<Counts> {
  const count = async (status: TaskStatus): Promise<Count> => {
    const page = await readPage({ ...filters, status, per_page: 1 });
    return { count: page.total, exact: page.total_is_exact };
  };
  const [pending, processing, done, failed] = await Promise.all([
    count("pending"),
    count("processing"),
    count("done"),
    count("failed"),
  ]);
  return { pending, processing, done, failed };
}

function readPage(query: TasksQuery, signal?: AbortSignal): Promise<TasksPage> {
  return withSession(() => client.listTasks({ query: { per_page: pageSize, ...query }, ...(signal && { signal }) }));
}

/** Does something once after a burst of wishes. */
function gathered(act: () => void): { soon: () => void; never: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const run = (): void => {
    timer = undefined;
    act();
  };
  return {
    soon: () => {
      timer ??= setTimeout(run, gathering);
    },
    never: () => clearTimeout(timer),
  };
}

export type { Task };
