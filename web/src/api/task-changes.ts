// Everything that changes what the page holds about tasks: events of the stream, answers to requests, submissions.
import type { ServerEvent, Status, TaskItem } from "@safelight/contract";
import type { QueryClient } from "@tanstack/react-query";
import { boardOf, isEnded, lastingFields, type News, withEvents, withoutTasks } from "./task-board.ts";
import { listKey, newsKey, noNews, taskKey } from "./task-keys.ts";
import { patchPages, removeFromPages, rereadPages } from "./task-pages.ts";

/** Fewer than this in sight while more wait: the list is read again. */
const waitingWanted = 20;

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
  const news = withEvents(before, events);
  if (news !== before) queryClient.setQueryData<News>(newsKey, news);
  const deleted = events.flatMap((event) => (event.type === "task.deleted" ? [event.data.task_id] : []));
  if (deleted.length > 0) forgetTasks(queryClient, new Set(deleted));
  const favourites = events.flatMap((event) => (event.type === "task.favourite" ? [event.data] : []));
  if (favourites.length > 0) {
    writeFields(queryClient, new Map(favourites.map(({ task_id, favourite }) => [task_id, { favourite }])));
  }
  const statuses = events.flatMap((event) => (event.type === "task.updated" ? [event.data] : []));
  const ended = statuses.filter((status) => isEnded(status.status) && news.get(status.task_id) === status);
  if (ended.length > 0) writeEnds(queryClient, ended);
  if (events.some((event) => event.type === "stream.reset")) {
    // Whether what ended is still there is not known any more; only what the server lists now counts.
    queryClient.setQueryData<TaskItem[]>(listKey, (list) => list?.filter((item) => !isEnded(item.status)));
    void refreshTasks(queryClient);
    void rereadPages(queryClient);
  } else if (ended.length > 0 || wantsList(queryClient, statuses)) {
    // A list on its way already will hold it; events come faster than lists.
    void queryClient.invalidateQueries({ queryKey: listKey }, { cancelRefetch: false });
  }
  for (const listener of listeners) listener(events);
}

/** How a task ended is written into the lists: its news is forgotten one day, the lists stay. */
function writeEnds(queryClient: QueryClient, ended: readonly Status[]): void {
  writeFields(queryClient, new Map(ended.map((status) => [status.task_id, lastingFields(status)])));
}

function writeFields(queryClient: QueryClient, changes: ReadonlyMap<string, Partial<TaskItem>>): void {
  queryClient.setQueryData<TaskItem[]>(listKey, (list) =>
    list?.some((item) => changes.has(item.id)) ? list.map((item) => withFields(item, changes.get(item.id))) : list,
  );
  for (const [id, fields] of changes) {
    queryClient.setQueryData<TaskItem>(taskKey(id), (item) => item && withFields(item, fields));
  }
  patchPages(queryClient, changes);
}

function withFields(item: TaskItem, fields: Partial<TaskItem> | undefined): TaskItem {
  return fields === undefined ? item : { ...item, ...fields };
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
  for (const id of ids) queryClient.setQueryData(taskKey(id), null);
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
  favourite: false,
  thumbnail_url: null,
  result_type: null,
  result_bytes: null,
  frames: null,
  fps: null,
  seed: 0,
  status: "pending",
  progress: 0,
  attempt: 0,
  engine: null,
  completed_prompt: null,
  warnings: [],
  waiting_reason: null,
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
