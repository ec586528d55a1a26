// The latest tasks as the server lists them, with what the event stream has told since. Both live in the query cache,
// and every part of the page reads the merged board: nothing about a task is kept anywhere else.
import type { ServerEvent, Status, TaskItem } from "@safelight/contract";
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { client } from "./client.ts";
import { withSession } from "./session.ts";
import {
  type Board,
  boardOf,
  byAge,
  isEnded,
  lastingFields,
  mergeTask,
  type News,
  type Task,
  withoutTasks,
  withPreviews,
  withStatuses,
} from "./task-board.ts";
import { patchPages, removeFromPages, rereadPages } from "./task-pages.ts";

export type { Task } from "./task-board.ts";

/** Milliseconds between two questions how long the shown task still has to wait. */
const outlookInterval = 3_000;
/** As many of the foremost waiting tasks are listed; behind them only their number is shown. */
const waitingListed = 50;
/** Fewer than this in sight while more wait: the list is read again. */
const waitingWanted = 20;

const listKey = ["tasks"] as const;
const newsKey = ["task-news"] as const;
const noNews: News = new Map();
const nothing: Board = { tasks: [], active: { running: 0, waiting: 0 } };

/** The latest tasks, newest first. `tasks` is undefined until the list has come once. */
export function useTasks() {
  const list = useQuery({ queryKey: listKey, queryFn: () => withSession(readList) });
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

/** The newest tasks and, where a long queue has pushed them out of that page, those that run and those that are next. */
async function readList(): Promise<TaskItem[]> {
  const pages = await Promise.all([
    client.listTasks(),
    client.listTasks({ query: { status: "processing" } }),
    client.listTasks({ query: { status: "pending", order: "asc", per_page: waitingListed } }),
  ]);
  const byId = new Map(pages.flatMap((page) => page.items).map((item) => [item.id, item]));
  return [...byId.values()].toSorted(byAge);
}

/** Reads the list again: after a submission, a reset of the stream, or news of a task that is not in it. */
export function refreshTasks(queryClient: QueryClient): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: listKey });
}

/** Takes in where a task stands now. */
export function applyStatus(queryClient: QueryClient, status: Status): void {
  applyEvents(queryClient, [{ id: null, type: "task.updated", data: status }]);
}

/** Takes in a batch of events, in their order, with one change of the cache. */
export function applyEvents(queryClient: QueryClient, events: readonly ServerEvent[]): void {
  const before = queryClient.getQueryData<News>(newsKey) ?? noNews;
  const news = events.reduce(withEvent, before);
  if (news !== before) queryClient.setQueryData<News>(newsKey, news);
  const deleted = events.flatMap((event) => (event.type === "task.deleted" ? [event.data.task_id] : []));
  if (deleted.length > 0) forgetTasks(queryClient, new Set(deleted));
  const statuses = events.flatMap((event) => (event.type === "task.updated" ? [event.data] : []));
  const ended = statuses.filter((status) => isEnded(status.status) && news.get(status.task_id) === status);
  if (ended.length > 0) writeEnds(queryClient, ended);
  if (events.some((event) => event.type === "stream.reset")) {
    void refreshTasks(queryClient);
    void rereadPages(queryClient);
  } else if (wantsList(queryClient, statuses)) {
    // A list on its way already will hold it; events come faster than lists.
    void queryClient.invalidateQueries({ queryKey: listKey }, { cancelRefetch: false });
  }
  for (const listener of listeners) listener(events);
}

function withEvent(news: News, event: ServerEvent): News {
  switch (event.type) {
    case "task.updated":
      return withStatuses(news, [event.data]);
    case "task.preview":
      return withPreviews(news, [event.data]);
    case "task.deleted":
      return withoutTasks(news, new Set([event.data.task_id]));
    case "stream.reset":
      // A snapshot of what has not ended follows; whatever else was thought to run, does not.
      return noNews;
  }
}

/** How a task ended is written into the lists: its news is forgotten one day, the lists stay. */
function writeEnds(queryClient: QueryClient, ended: readonly Status[]): void {
  const changes = new Map(ended.map((status) => [status.task_id, lastingFields(status)]));
  queryClient.setQueryData<TaskItem[]>(listKey, (list) =>
    list?.some((item) => changes.has(item.id)) ? list.map((item) => ({ ...item, ...changes.get(item.id) })) : list,
  );
  patchPages(queryClient, changes);
}

/** Of a task that is not listed, only a new one and one that starts to run are worth asking for the list again. */
function wantsList(queryClient: QueryClient, statuses: readonly Status[]): boolean {
  const list = queryClient.getQueryData<TaskItem[]>(listKey);
  if (list === undefined || statuses.length === 0) return false;
  const listed = new Set(list.map((item) => item.id));
  const newest = list[0]?.created_at ?? "";
  const strange = statuses.filter((status) => !listed.has(status.task_id));
  if (strange.some((status) => status.status === "processing" || status.created_at > newest)) return true;
  const { tasks, active } = boardOf(list, queryClient.getQueryData<News>(newsKey) ?? noNews);
  const inSight = tasks.filter((task) => task.status === "pending").length;
  return inSight < Math.min(waitingWanted, active.waiting);
}

/** Takes deleted tasks out of every list of the page. */
export function forgetTasks(queryClient: QueryClient, ids: ReadonlySet<string>): void {
  queryClient.setQueryData<News>(newsKey, (news) => news && withoutTasks(news, ids));
  queryClient.setQueryData<TaskItem[]>(listKey, (list) => list?.filter((item) => !ids.has(item.id)));
  removeFromPages(queryClient, ids);
  for (const id of ids) queryClient.removeQueries({ queryKey: ["task", id] });
}

/** What a submission already says about the task that it made. */
export type Submitted = Pick<TaskItem, "model" | "type" | "mode" | "prompt"> & { parameters: TaskItem["parameters"] };

/** Shows a task at once when the server has taken it, before any list or event has told of it. */
export function addSubmitted(queryClient: QueryClient, id: string, submitted: Submitted): void {
  const now = new Date().toISOString();
  const waiting: TaskItem = { ...unknownYet, ...submitted, id, created_at: now, updated_at: "" };
  queryClient.setQueryData<TaskItem[]>(listKey, (list) =>
    list === undefined || list.some((item) => item.id === id) ? list : [waiting, ...list],
  );
  void refreshTasks(queryClient);
}

const unknownYet: Omit<TaskItem, keyof Submitted | "id" | "created_at" | "updated_at"> = {
  workspace: null,
  negative_prompt: "",
  width: 0,
  height: 0,
  catalog_version: "",
  result_missing: false,
  seed: 0,
  status: "pending",
  progress: 0,
  attempt: 0,
  engine: null,
  completed_prompt: null,
  warnings: [],
  error: null,
  error_msg: null,
  result: null,
  result_url: null,
  preview_url: null,
  started_at: null,
  finished_at: null,
};

type Listener = (events: readonly ServerEvent[]) => void;
const listeners = new Set<Listener>();

/** Hears every batch of events after the cache has taken it in. Answers how to stop. */
export function onTaskEvents(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
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
