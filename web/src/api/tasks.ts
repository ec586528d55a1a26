// The latest tasks as the server lists them, with what the event stream has told since. Both live in the query cache,
// and every part of the page reads the merged list: nothing about a task is kept anywhere else.
import type { Status, TaskItem } from "@safelight/contract";
import { type QueryClient, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { client } from "./client.ts";
import { withSession } from "./session.ts";

type LiveField = "stage" | "stage_detail" | "step" | "steps" | "queue_position" | "eta_seconds";

/** A task of the list with its live fields, which are null until the stream has named them. */
export type Task = TaskItem & Pick<Status, LiveField>;

type News = Readonly<Record<string, Status>>;

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
  const list = useQuery({
    queryKey: listKey,
    queryFn: async () => (await withSession(() => client.listTasks())).items,
  });
  const news = useQuery<News>({ queryKey: newsKey, queryFn: () => ({}), enabled: false, initialData: {} }).data;
  const tasks = useMemo(() => list.data?.map((item) => merge(item, news[item.id])), [list.data, news]);
  return { tasks, error: list.error, isPending: list.isPending, refetch: list.refetch };
}

function merge(item: TaskItem, status: Status | undefined): Task {
  // News from before the list was read would set the task back.
  if (status === undefined || status.updated_at < item.updated_at) return { ...noLiveFields, ...item };
  const { task_id: _id, ...fields } = status;
  return { ...item, ...fields };
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
  const listed = list?.find((item) => item.id === status.task_id);
  if (list !== undefined && listed === undefined) void refreshTasks(queryClient);
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
