// The latest tasks as the server lists them, with what the event stream has told since. Both live in the query cache,
// and every part of the page reads the merged board: nothing about a task is kept anywhere else.
import type { TaskItem, TasksPage } from "@safelight/contract";
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { client } from "./client.ts";
import { problemCode } from "./problems.ts";
import { withSession } from "./session.ts";
import { type Board, boardOf, byAge, isEnded, mergeTask, type News, type Task } from "./task-board.ts";
import { applyStatus } from "./task-changes.ts";
import { listKey, newsKey, noNews, taskKey } from "./task-keys.ts";

export type { Task } from "./task-board.ts";
export { addSubmitted, applyStatus, forgetTasks, onTaskEvents, refreshTasks, type Submitted } from "./task-changes.ts";

/** Milliseconds between two questions how long the shown task still has to wait. */
const outlookInterval = 3_000;
/** As many of the foremost waiting tasks are listed; behind them only their number is shown. */
const waitingListed = 50;

/** As many ended tasks stay listed though they are no longer among the newest. */
const endsListed = 20;
/** Fewer results than this among the newest tasks, and the newest results are read too: they are what the page is about. */
const resultsWanted = 12;
const nothing: Board = { tasks: [], active: { running: 0, waiting: 0 } };

/** The latest tasks, newest first. `tasks` is undefined until the list has come once. */
export function useTasks() {
  const queryClient = useQueryClient();
  const list = useQuery({
    queryKey: listKey,
    queryFn: async () =>
      withLatestEnds(await withSession(readList), queryClient.getQueryData<TaskItem[]>(listKey) ?? []),
  });
  const news = useNews();
  const board = list.data === undefined ? null : boardOf(list.data, news);
  return {
    tasks: board?.tasks,
    active: board?.active ?? nothing.active,
    error: list.error,
    isPending: list.isPending,
    refetch: list.refetch,
  };
}

/**
 * One task by its id, whatever its state, with what the stream tells of it. `data` is null when there is none, or no
 * longer; without an id nothing is asked.
 */
export function useTask(id: string | null) {
  const query = useQuery({
    queryKey: taskKey(id ?? ""),
    queryFn: () => withSession(() => readTask(id ?? "")),
    enabled: id !== null,
  });
  const status = useNews().get(id ?? "");
  return { ...query, data: query.data ? mergeTask(query.data, status) : query.data };
}

/** The same once, from what is known or else from the server. */
export async function readTaskOnce(queryClient: QueryClient, id: string): Promise<TaskItem | null> {
  const listed = queryClient.getQueryData<TaskItem[]>(listKey)?.find((item) => item.id === id);
  return listed ?? withSession(() => readTask(id));
}

/** Ids of everything that waits, in the order of the queue, as far as the stream has told. */
export function waitingIds(queryClient: QueryClient): readonly string[] {
  const news = queryClient.getQueryData<News>(newsKey) ?? noNews;
  const waiting = [...news.values()].filter((status) => status.status === "pending");
  return waiting
    .map((status) => ({ ...status, id: status.task_id }))
    .toSorted(byAge)
    .map(({ id }) => id)
    .reverse();
}

async function readTask(id: string): Promise<TaskItem | null> {
  try {
    return await client.getTask({ path: { id } });
  } catch (error) {
    if (problemCode(error) === "task_not_found") return null;
    throw error;
  }
}

/** How many tasks run and wait in all: for a count beside a link. */
export function useActiveTasks(): Board["active"] {
  return useTasks().active;
}

/** The newest status of every active task. */
export function useNews(): News {
  return useQuery<News>({
    queryKey: newsKey,
    queryFn: () => noNews,
    enabled: false,
    initialData: noNews,
    // What the stream told once is not told again.
    gcTime: Number.POSITIVE_INFINITY,
    structuralSharing: false,
  }).data;
}

/** An item of any list as it stands now. */
export function useLive(item: TaskItem): Task {
  return mergeTask(item, useNews().get(item.id));
}

/** Of a long queue, what ended last was submitted long ago: it stays listed beside what is newer. */
function withLatestEnds(read: readonly TaskItem[], before: readonly TaskItem[]): TaskItem[] {
  const ids = new Set(read.map((item) => item.id));
  const ended = before.filter((item) => isEnded(item.status) && !ids.has(item.id));
  const latest = ended
    .toSorted((a, b) => ((a.finished_at ?? "") < (b.finished_at ?? "") ? 1 : -1))
    .slice(0, endsListed);
  return [...read, ...latest].toSorted(byAge);
}

/** The newest tasks and, where a long queue has pushed them out of that page, those that run and those that are next. */
async function readList(): Promise<TaskItem[]> {
  const pages = await Promise.all([
    client.listTasks(),
    client.listTasks({ query: { status: "processing" } }),
    client.listTasks({ query: { status: "pending", order: "asc", per_page: waitingListed } }),
  ]);
  const results = await readResultsBehind(pages[0]);
  const byId = new Map([...pages.flatMap((page) => page.items), ...results].map((item) => [item.id, item]));
  return [...byId.values()].toSorted(byAge);
}

/** The newest results, where tasks that wait or were cancelled by the hundred have pushed them out of the first page. */
async function readResultsBehind(newest: TasksPage): Promise<readonly TaskItem[]> {
  const results = newest.items.filter(({ status }) => status === "done").length;
  if (results >= resultsWanted || newest.total <= newest.items.length) return [];
  return (await client.listTasks({ query: { status: "done", per_page: resultsWanted } })).items;
}

/** Asks again and again how long a waiting task will have to wait: that changes without any news of the task itself. */
export function useWaitingOutlook(task: Task): void {
  const queryClient = useQueryClient();
  useQuery({
    queryKey: ["outlook", task.id],
    queryFn: async () => {
      const status = await withSession(() => client.getStatus({ path: { id: task.id } }));
      applyStatus(queryClient, status);
      return status;
    },
    enabled: task.status === "pending",
    refetchInterval: outlookInterval,
  });
}
