// What is known about tasks, put together: the list as the server gave it and the news that came since. Nothing here
// touches the network or the cache, so that every order in which news can arrive is easy to try.
import type { ServerEvent, Status, TaskItem } from "@safelight/contract";

type LiveField = "stage" | "stage_detail" | "step" | "steps" | "queue_position" | "eta_seconds";

/** A task of the list with its live fields, which are null until the stream has named them. */
export type Task = TaskItem & Pick<Status, LiveField>;

/** The newest status of every task that runs or waits, and of those that ended last. */
export type News = ReadonlyMap<string, Status>;

export interface Board {
  /** Newest first. */
  readonly tasks: readonly Task[];
  /** How many run and wait in all, listed or not. */
  readonly active: { readonly running: number; readonly waiting: number };
}

/** Ended tasks whose status is remembered. A page stays open for days; what it remembers must not grow with them. */
const endedKept = 200;
/** Forgetting goes by batches of this size, so that it costs next to nothing per event. */
const endedSlack = 100;

const noLiveFields: Pick<Status, LiveField> = {
  stage: null,
  stage_detail: null,
  step: null,
  steps: null,
  queue_position: null,
  eta_seconds: null,
};

export function isEnded(status: Task["status"]): boolean {
  return status === "done" || status === "failed";
}

/** Takes in events in the order in which they came; answers `news` itself when none says anything new. */
export function withEvents(news: News, events: readonly ServerEvent[]): News {
  let next = new Map(news);
  let changed = false;
  for (const event of events) {
    if (event.type === "stream.reset") {
      // A snapshot of what has not ended follows; whatever else was thought to run, does not.
      next = new Map();
      changed = true;
    } else if (takeIn(next, event)) changed = true;
  }
  return changed ? withoutOldEnds(next) : news;
}

/** Whether the event said anything new. */
function takeIn(news: Map<string, Status>, event: Exclude<ServerEvent, { type: "stream.reset" }>): boolean {
  const id = event.data.task_id;
  const known = news.get(id);
  switch (event.type) {
    case "task.updated":
      if (known !== undefined && isOutdated(event.data, known)) return false;
      news.set(id, event.data);
      return true;
    case "task.preview":
      // Of a task that is not known, the next status tells all.
      if (known !== undefined) news.set(id, { ...known, preview_url: event.data.preview_url });
      return known !== undefined;
    case "task.deleted":
      return news.delete(id);
    case "task.favourite":
      return false;
  }
}

/** A status never goes back, whatever the clock of the server did meanwhile. */
function isOutdated(status: Status, known: Status): boolean {
  if (isEnded(known.status) !== isEnded(status.status)) return isEnded(known.status);
  return known.updated_at > status.updated_at;
}

function withoutOldEnds(news: Map<string, Status>): News {
  const ended = [...news.values()].filter((status) => isEnded(status.status));
  if (ended.length <= endedKept + endedSlack) return news;
  const oldestFirst = ended.toSorted((a, b) => compareText(a.updated_at, b.updated_at));
  for (const status of oldestFirst.slice(0, ended.length - endedKept)) news.delete(status.task_id);
  return news;
}

export function withoutTasks(news: News, ids: ReadonlySet<string>): News {
  if (![...ids].some((id) => news.has(id))) return news;
  return new Map([...news].filter(([id]) => !ids.has(id)));
}

/** One item as it stands now. Answers the same object while nothing about it has changed, so that rows can rest. */
export function mergeTask(item: TaskItem, status: Status | undefined): Task {
  const kept = merged.get(item);
  if (kept !== undefined && kept.status === status) return kept.task;
  const task = mergeAnew(item, status);
  merged.set(item, { status, task });
  return task;
}

const merged = new WeakMap<TaskItem, { status: Status | undefined; task: Task }>();

function mergeAnew(item: TaskItem, status: Status | undefined): Task {
  // News from before the list was read would set the task back.
  if (status === undefined || isStale(status, item)) return { ...noLiveFields, ...item };
  const { task_id: _id, ...fields } = status;
  return { ...item, ...fields };
}

/** What a status says that the items of a list say too. */
export function lastingFields(status: Status): Partial<TaskItem> {
  const fields: Partial<Status> = { ...status };
  delete fields.task_id;
  for (const name of Object.keys(noLiveFields)) delete fields[name as LiveField];
  return { ...(fields as Partial<TaskItem>), ...factsOf(status.result) };
}

function factsOf(result: Status["result"]): Partial<TaskItem> {
  if (result === null) return {};
  const { content_type, bytes, frames, fps } = result;
  return { result_type: content_type, result_bytes: bytes, frames, fps };
}

function isStale(status: Status, item: TaskItem): boolean {
  if (isEnded(item.status) !== isEnded(status.status)) return isEnded(item.status);
  return status.updated_at < item.updated_at;
}

/**
 * The board: the listed tasks as they stand now, with their places in the queue. The server tells the places of the
 * foremost only; those behind are counted among everything known to wait.
 */
export function boardOf(list: readonly TaskItem[], news: News): Board {
  if (lastBoard?.list === list && lastBoard.news === news) return lastBoard.board;
  const merging = list.map((item) => mergeTask(item, news.get(item.id)));
  const places = placesIn(merging, news);
  const board = {
    tasks: merging.map((task) => atPlace(task, places.get(task.id) ?? null)),
    active: countActive(merging, news),
  };
  lastBoard = { list, news, board };
  return board;
}

// Several parts of the page ask for the board after each piece of news; one answer serves them all.
let lastBoard: { list: readonly TaskItem[]; news: News; board: Board } | null = null;

function atPlace(task: Task, place: number | null): Task {
  if (task.status !== "pending" || place === null || task.queue_position === place) return task;
  const kept = placed.get(task);
  if (kept?.queue_position === place) return kept;
  const moved = { ...task, queue_position: place };
  placed.set(task, moved);
  return moved;
}

const placed = new WeakMap<Task, Task>();

function placesIn(tasks: readonly Task[], news: News): ReadonlyMap<string, number> {
  const ended = new Set(tasks.filter((task) => task.status !== "pending").map((task) => task.id));
  const waiting: string[] = [];
  for (const status of news.values()) {
    if (status.status === "pending" && !ended.has(status.task_id)) waiting.push(orderOf(status));
  }
  waiting.sort(compareText);
  return new Map(waiting.map((order, index) => [order.slice(order.indexOf(" ") + 1), index + 1]));
}

/** Ids are ordered by time too, and settle what the clock cannot. */
function orderOf(status: Status): string {
  return `${status.created_at} ${status.task_id}`;
}

function countActive(tasks: readonly Task[], news: News): Board["active"] {
  const listed = new Map(tasks.map((task) => [task.id, task.status]));
  let running = 0;
  let waiting = 0;
  const count = (status: Task["status"]): void => {
    if (status === "processing") running += 1;
    if (status === "pending") waiting += 1;
  };
  for (const status of listed.values()) count(status);
  for (const status of news.values()) if (!listed.has(status.task_id)) count(status.status);
  return { running, waiting };
}

/** Newest first. */
export function byAge(a: { created_at: string; id: string }, b: { created_at: string; id: string }): number {
  return compareText(b.created_at, a.created_at) || compareText(b.id, a.id);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
