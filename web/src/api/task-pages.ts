// Lists that other parts of the page hold in the query cache, gallery and history: what the stream tells is written into
// them without knowing their filters.
import type { QueryClient } from "@tanstack/react-query";

interface Row {
  readonly id: string;
}

interface Page {
  readonly items: readonly Row[];
  readonly total?: number;
}

/** First words of the query keys under which pages of tasks are held. */
const listKeys = [["gallery"], ["history"]] as const;

/** Takes deleted tasks out of every page that holds them, and out of its total. */
export function removeFromPages(queryClient: QueryClient, ids: ReadonlySet<string>): void {
  editPages(queryClient, (page) => {
    const items = page.items.filter((item) => !ids.has(item.id));
    const gone = page.items.length - items.length;
    return gone === 0 ? page : { ...page, items, ...totalLess(page, gone) };
  });
}

function totalLess(page: Page, gone: number): { total?: number } {
  return page.total === undefined ? {} : { total: Math.max(0, page.total - gone) };
}

/** Writes changed fields into every page that holds one of these tasks. */
export function patchPages(queryClient: QueryClient, changes: ReadonlyMap<string, object>): void {
  editPages(queryClient, (page) => {
    if (!page.items.some((item) => changes.has(item.id))) return page;
    return { ...page, items: page.items.map((item) => ({ ...item, ...changes.get(item.id) })) };
  });
}

/** Marks every list as behind the times; those on screen are read again. */
export function rereadPages(queryClient: QueryClient): Promise<unknown> {
  return Promise.all(listKeys.map((queryKey) => queryClient.invalidateQueries({ queryKey })));
}

function editPages(queryClient: QueryClient, edit: (page: Page) => Page): void {
  for (const queryKey of listKeys) {
    queryClient.setQueriesData({ queryKey }, (data: unknown) => editHeld(data, edit));
  }
}

/** A page by itself, an endless list of pages, or something else, which stays as it is. */
function editHeld(data: unknown, edit: (page: Page) => Page): unknown {
  if (isPage(data)) return edit(data);
  if (typeof data !== "object" || data === null || !("pages" in data) || !Array.isArray(data.pages)) return data;
  const pages = data.pages.map((page: unknown) => (isPage(page) ? edit(page) : page));
  return pages.every((page, index) => page === (data.pages as unknown[])[index]) ? data : { ...data, pages };
}

function isPage(data: unknown): data is Page {
  return typeof data === "object" && data !== null && "items" in data && Array.isArray(data.items);
}
