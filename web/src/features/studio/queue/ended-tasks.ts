// Which tasks ended while this tab was looked at. Kept for the life of the tab, so that a reload does not lose them.
import { useEffect, useSyncExternalStore } from "react";
import type { Task } from "../../../api/tasks.ts";

/** As many ended tasks stay in sight beside the active ones. */
const endedShown = 12;
/** Tasks taken off the list that are remembered; those before them are long out of sight. */
const dismissedKept = 100;

interface Visit {
  /** Newest change on the server when the page was opened: what ended later, ended in front of the person. */
  since: string | null;
  dismissed: readonly string[];
}

const storageKey = "safelight.visit";
let visit: Visit = readVisit();
const listeners = new Set<() => void>();

/** The tasks that ended since the tab was opened, latest first. */
export function useEndedTasks(tasks: readonly Task[], loaded: boolean): readonly Task[] {
  const { since, dismissed } = useSyncExternalStore(subscribe, () => visit);
  useEffect(() => {
    // The first list tells when the visit began, by the server's own clock.
    if (loaded && since === null) setVisit({ since: latestChange(tasks), dismissed });
  }, [tasks, loaded, since, dismissed]);
  return since === null ? none : endedSince(tasks, since, dismissed);
}

const none: readonly Task[] = [];

/** `since` is a time of the server, ISO 8601; empty for the beginning of time. */
export function endedSince(tasks: readonly Task[], since: string, dismissed: readonly string[]): readonly Task[] {
  return tasks
    .filter((task) => task.finished_at !== null && task.finished_at > since && !dismissed.includes(task.id))
    .toSorted((a, b) => ((a.finished_at ?? "") < (b.finished_at ?? "") ? 1 : -1))
    .slice(0, endedShown);
}

function latestChange(tasks: readonly Task[]): string {
  return tasks.reduce((latest, task) => (task.updated_at > latest ? task.updated_at : latest), "");
}

/** Takes one off the list, for this tab. */
export function dismissEnded(id: string): void {
  setVisit({ ...visit, dismissed: [...visit.dismissed, id].slice(-dismissedKept) });
}

/** Empties the list, for this tab: the given tasks are those that are known. */
export function dismissAllEnded(tasks: readonly Task[]): void {
  setVisit({ since: latestChange(tasks), dismissed: [] });
}

function setVisit(next: Visit): void {
  visit = next;
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(visit));
  } catch {
    // Without storage a reload begins a new visit.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function readVisit(): Visit {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storageKey) ?? "null") as Partial<Visit> | null;
    const since = typeof kept?.since === "string" ? kept.since : null;
    return { since, dismissed: Array.isArray(kept?.dismissed) ? kept.dismissed : [] };
  } catch {
    return { since: null, dismissed: [] };
  }
}
