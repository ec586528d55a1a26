// Tasks the user has deleted and may still want back. They are out of sight at once; the request leaves after a few
// seconds, or the moment the page may be going away. The queue belongs to the page, not to the part that filled it.
import { useSyncExternalStore } from "react";
import { client } from "./client.ts";
import { observedFetch } from "./connection.ts";
import { deleteSelection } from "./gallery.ts";

/** Milliseconds in which a deletion can be taken back. */
export const undoTime = 6_000;

/** Ids in one request that has to outlive the page: browsers carry 64 KB for all such requests together. */
const carriedIds = 1_500;
/** Ids in one request that need not. */
const sentIds = 10_000;

export interface DeleteFailure {
  ids: readonly string[];
  /** The code of the refusal for these tasks; null when the request itself failed with `error`. */
  code: string | null;
  error: unknown;
}

export interface PendingDelete {
  /** Brings the tasks back; false when the request has left already. */
  undo: () => boolean;
}

interface Listeners {
  /** The server has deleted these. */
  onDeleted?: (ids: readonly string[]) => void;
  /** These are there again, and why. */
  onFailed?: (failures: readonly DeleteFailure[]) => void;
  /** There is nothing to take back any more. */
  onLeaving?: () => void;
}

interface Batch extends Listeners {
  ids: readonly string[];
  timer: ReturnType<typeof setTimeout> | undefined;
}

const waiting = new Set<Batch>();
let hidden: ReadonlySet<string> = new Set();
const subscribers = new Set<() => void>();

/** Hides tasks and deletes them when `undoTime` has passed. */
export function deleteSoon(ids: readonly string[], listeners: Listeners = {}): PendingDelete {
  const batch: Batch = { ...listeners, ids, timer: undefined };
  batch.timer = setTimeout(() => void send(batch), undoTime);
  waiting.add(batch);
  setHidden([...hidden, ...ids]);
  return { undo: () => takeBack(batch) };
}

/** Ids that are out of sight: waiting for their deletion or on their way to it. */
export function useHiddenIds(): ReadonlySet<string> {
  return useSyncExternalStore(subscribe, () => hidden);
}

/** Sends every waiting deletion now, by requests that outlive the page. */
export function deleteNow(): void {
  let room = carriedIds;
  for (const batch of waiting) {
    const keepalive = batch.ids.length <= room;
    if (keepalive) room -= batch.ids.length;
    void send(batch, keepalive);
  }
}

if (typeof document !== "undefined") {
  window.addEventListener("pagehide", deleteNow);
  // On a phone this is the last thing a page hears before it is thrown away.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") deleteNow();
  });
}

function takeBack(batch: Batch): boolean {
  if (!waiting.delete(batch)) return false;
  clearTimeout(batch.timer);
  show(batch.ids);
  return true;
}

async function send(batch: Batch, keepalive = false): Promise<void> {
  if (!waiting.delete(batch)) return;
  clearTimeout(batch.timer);
  batch.onLeaving?.();
  const failures: DeleteFailure[] = [];
  const gone: string[] = [];
  for (let start = 0; start < batch.ids.length; start += sentIds) {
    const ids = batch.ids.slice(start, start + sentIds);
    try {
      const answer = keepalive ? await carry(ids) : await deleteSelection({ ids });
      const failed = answer.failed.filter(({ code }) => code !== "task_not_found");
      const kept = new Set(failed.map(({ id }) => id));
      gone.push(...ids.filter((id) => !kept.has(id)));
      for (const { id, code } of failed) failures.push({ ids: [id], code, error: null });
    } catch (error) {
      failures.push({ ids, code: null, error });
    }
  }
  if (gone.length > 0) batch.onDeleted?.(gone);
  show(batch.ids);
  if (failures.length > 0) batch.onFailed?.(failures);
}

interface Answer {
  readonly failed: readonly { readonly id: string; readonly code: string }[];
}

/** The same request in the one form that a browser finishes after the page has gone. */
async function carry(ids: readonly string[]): Promise<Answer> {
  const response = await observedFetch(client.urlOf("deleteTasks"), {
    method: "POST",
    keepalive: true,
    credentials: "same-origin",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ ids }),
  });
  // The page is still here, only out of sight: a refusal gets the usual way with its words and a renewed session.
  return response.ok ? ((await response.json()) as Answer) : deleteSelection({ ids });
}

function show(ids: readonly string[]): void {
  const left = new Set(hidden);
  for (const id of ids) left.delete(id);
  setHidden(left);
}

function setHidden(next: Iterable<string>): void {
  hidden = new Set(next);
  for (const subscriber of subscribers) subscriber();
}

function subscribe(listener: () => void): () => void {
  subscribers.add(listener);
  return () => subscribers.delete(listener);
}
