// The history as it was read, page after page, and how what is newer joins it.
import type { TaskItem, TasksPage } from "@safelight/contract";
import { byAge } from "./task-board.ts";

export interface HistoryPages {
  pages: TasksPage[];
  pageParams: unknown[];
}

/**
 * Puts a first page that was read just now in front of what is known: new tasks join, changed ones change, those that are
 * gone go. Where more has come than one page holds, the list begins anew, because what lies between is not known.
 */
export function withNewest(known: HistoryPages, newest: TasksPage): HistoryPages {
  const last = newest.items.at(-1);
  const items = known.pages.flatMap((page) => page.items);
  if (last === undefined || !newest.has_more || !items.some((item) => byAge(item, last) <= 0)) {
    return { pages: [newest], pageParams: [null] };
  }
  const pages = known.pages.map((page, index) => {
    const older = page.items.filter((item) => byAge(item, last) > 0);
    return index === 0
      ? { ...page, items: [...newest.items, ...older], total: newest.total }
      : { ...page, items: older };
  });
  return { ...known, pages };
}

/** Items of the newest page that the list does not show yet. */
export function arrivalsIn(known: HistoryPages, newest: TasksPage): readonly TaskItem[] {
  const ids = new Set(known.pages.flatMap((page) => page.items.map((item) => item.id)));
  return newest.items.filter((item) => !ids.has(item.id));
}
