// The latest tasks as the server lists them, with what the event stream has told since. Both live in the query cache,
// and every part of the page reads the merged list: nothing about a task is kept anywhere else.
import type { Status, TaskItem } from "@safelight/contract";
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { client } from "./client.ts";
import { withSession } from "./session.ts";

type LiveField = "stage" | "stage_detail" | "step" | "steps" | "queue_position" | "eta_seconds";

/** A task of the list with its live fields, which are null until the stream has named them. */
export type Task = TaskItem & Pick<Status, LiveField>;

type News = Readonly<Record<string, Status>>;

/** Milliseconds between two questions how long the shown task still has to wait. */
const outlookInterval = 3_000;

const listKey = ["tasks"] as const;
const newsKey = ["task-news"] as const;
const noLiveFields: Pick<Status, LiveField> = {
  stage: null,
  stage_detail: null,
  step: null,
  steps: null,
  queue_position: null,
  eta_seconds: null,
};

/** The latest tasks, newest first. `data` is undefined until the list has come once. */
export function useTasks() {
  const list = useQuery({ queryKey: listKey, queryFn: () => withSession(readList) });
  const news = useQuery<News>({ queryKey: newsKey, queryFn: () => ({}), enabled: false, initialData: {} }).data;
  const tasks = useMemo(
    () =>
      list.data
        ? withPlaces(
            list.data.map((item) => merge(item, news[item.id])),
            news,
          )
        : undefined,
    [list.data, news],
  );
  const active = useMemo(() => countActive(tasks ?? [], news), [tasks, news]);
  return { tasks, active, error: list.error, isPending: list.isPending, refetch: list.refetch };
}

/** The newest tasks and, where a long queue has pushed them out of that page, those that run and those that are next. */
async function readList(): Promise<TaskItem[]> {
  const pages = await Promise.all([
    client.listTasks(),
    client.listTasks({ query: { status: "processing" } }),
    client.listTasks({ query: { status: "pending", order: "asc" } }),
  ]);
  const byId = new Map(pages.flatMap((page) => page.items).map((item) => [item.id, item]));
  return [...byId.values()].toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
}

function merge(item: TaskItem, status: Status | undefined): Task {
  // News from before the list was read would set the task back.
  if (status === undefined || status.updated_at < item.updated_at) return { ...noLiveFields, ...item };
  const { task_id: _id, ...fields } = status;
  return { ...item, ...fields };
}

/**
 * Places in the queue as they are now. The stream tells when a task joins or leaves the queue, not that all behind it
 * moved up: so places are counted among everything known to wait.
 */
function withPlaces(tasks: readonly Task[], news: News): Task[] {
  const waiting = Object.values(news)
    .filter((status) => status.status === "pending")
    .toSorted((a, b) => (inOrder(a.created_at, a.task_id) < inOrder(b.created_at, b.task_id) ? -1 : 1));
  const places = new Map(waiting.map((status, index) => [status.task_id, index + 1]));
  return tasks.map((task) => ({ ...task, queue_position: places.get(task.id) ?? task.queue_position }));
}

/** Ids are ordered by time too, and settle what the clock cannot. */
function inOrder(createdAt: string, id: string): string {
  return `${createdAt} ${id}`;
}

/** How many tasks run and wait in all: the stream tells of every one, the list holds only a page. */
function countActive(tasks: readonly Task[], news: News): { running: number; waiting: number } {
  const statuses = new Map(Object.values(news).map((status) => [status.task_id, status.status]));
  for (const task of tasks) statuses.set(task.id, task.status);
  const count = (wanted: Task["status"]) => [...statuses.values()].filter((status) => status === wanted).length;
  return { running: count("processing"), waiting: count("pending") };
}

/** Reads the list again: after a submission, a reset of the stream, or news of a task that is not in it. */
export function refreshTasks(queryClient: QueryClient): Promise<void> {
  return queryClient.invalidateQueries({ queryKey: listKey });
}

/** Takes in where a task stands now. */
export function applyStatus(queryClient: QueryClient, status: Status): void {
  queryClient.setQueryData<News>(newsKey, (news = {}) => {
    const known = news[status.task_id];
    return known && known.updated_at > status.updated_at ? news : { ...news, [status.task_id]: status };
  });
  const list = queryClient.getQueryData<TaskItem[]>(listKey);
  if (list !== undefined && belongsInList(list, status)) {
    // A list on its way already will hold it; events come faster than lists.
    void queryClient.invalidateQueries({ queryKey: listKey }, { cancelRefetch: false });
  }
}

/** Of a task that is not listed, only a new one and one that starts to run are worth asking for the list again. */
function belongsInList(list: readonly TaskItem[], status: Status): boolean {
  if (list.some((item) => item.id === status.task_id)) return false;
  const newest = list[0]?.created_at ?? "";
  return status.status === "processing" || status.created_at > newest;
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

/** Takes in a new preview picture of a running task. */
export function applyPreview(queryClient: QueryClient, taskId: string, previewUrl: string): void {
  queryClient.setQueryData<News>(newsKey, (news = {}) => {
    const known = news[taskId];
    return known ? { ...news, [taskId]: { ...known, preview_url: previewUrl } } : news;
  });
}

export function forgetTask(queryClient: QueryClient, taskId: string): void {
  queryClient.setQueryData<TaskItem[]>(listKey, (list) => list?.filter((item) => item.id !== taskId));
  queryClient.setQueryData<News>(newsKey, ({ [taskId]: _gone, ...rest } = {}) => rest);
}
