// The gallery as the server lists it, page after page. Every list lives in the query cache under "gallery", where news of
// deleted tasks and changed favourites is written into it.
import type { GalleryItem, GalleryPage, GalleryQuery, Selection, SelectionFilters } from "@safelight/contract";
import {
  type InfiniteData,
  keepPreviousData,
  type QueryClient,
  useInfiniteQuery,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { client } from "./client.ts";
import { withSession } from "./session.ts";
import { patchPages } from "./task-pages.ts";

export type { GalleryItem, Selection, SelectionFilters } from "@safelight/contract";

/** What narrows a gallery down and in which order it comes, as GET /gallery takes it. */
export type GalleryFilters = Omit<SelectionFilters, "status"> & Pick<GalleryQuery, "order">;

/** Pictures in one answer: a few screens. */
const pageSize = 100;
/** How long a list that nobody looks at is kept, in milliseconds: a detour through the studio comes back to its place. */
const keptFor = 30 * 60_000;

type Pages = InfiniteData<GalleryPage, string | null>;

export function galleryKey(filters: GalleryFilters) {
  return ["gallery", "list", filters] as const;
}

function totalKey(filters: GalleryFilters) {
  return ["gallery", "total", withoutOrder(filters)] as const;
}

/** The pages of a gallery that have come so far, and the way to the next. */
export function useGallery(filters: GalleryFilters) {
  const queryClient = useQueryClient();
  return useInfiniteQuery({
    queryKey: galleryKey(filters),
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      const page = await withSession(() =>
        client.listGallery({ query: { ...filters, ...cursor, per_page: pageSize }, signal }),
      );
      if (pageParam === null) queryClient.setQueryData(totalKey(filters), totalOf(page));
      return page;
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    // What changes is told by the stream; reading a hundred pages again is for the day when it could not tell.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: keptFor,
    structuralSharing: false,
    placeholderData: keepPreviousData,
  });
}

export interface Total {
  count: number;
  /** False when there are more than `count`. */
  exact: boolean;
}

/** How many pictures match; null until that is known. */
export function useGalleryTotal(filters: GalleryFilters, { enabled = true } = {}): Total | null {
  const query = useQuery({
    queryKey: totalKey(filters),
    queryFn: () => readTotal(filters),
    staleTime: Number.POSITIVE_INFINITY,
    enabled,
  });
  return query.data ?? null;
}

async function readTotal(filters: GalleryFilters): Promise<Total> {
  return totalOf(await withSession(() => client.listGallery({ query: { ...withoutOrder(filters), per_page: 1 } })));
}

/** How many match now, and when the newest of them was made: what "all" means at the moment it is said. */
export async function readExtent(filters: GalleryFilters): Promise<Total & { newest: string | null }> {
  const page = await withSession(() => client.listGallery({ query: { ...withoutOrder(filters), per_page: 1 } }));
  return { ...totalOf(page), newest: page.items[0]?.created_at ?? null };
}

/** Asks again how many there are, after something came or went. */
export function recount(queryClient: QueryClient): void {
  void queryClient.invalidateQueries({ queryKey: ["gallery", "total"] });
}

function totalOf(page: GalleryPage): Total {
  return { count: page.total, exact: page.total_is_exact };
}

/** Filters as selections take them: which tasks, in no order. */
export function withoutOrder(filters: GalleryFilters): SelectionFilters {
  const { order: _order, ...rest } = filters;
  return rest;
}

/** Puts pictures that were finished since into a list, each at the place its age gives it. */
export function mergeArrivals(queryClient: QueryClient, filters: GalleryFilters, items: readonly GalleryItem[]): void {
  queryClient.setQueryData<Pages>(galleryKey(filters), (data) => (data ? withArrivals(data, filters, items) : data));
}

function withArrivals(data: Pages, filters: GalleryFilters, items: readonly GalleryItem[]): Pages {
  const known = new Set(data.pages.flatMap((page) => page.items.map((item) => item.id)));
  const sign = filters.order === "asc" ? 1 : -1;
  const inOrder = (a: GalleryItem, b: GalleryItem) => sign * (orderOf(a) < orderOf(b) ? -1 : 1);
  let rest = items.filter((item) => !known.has(item.id)).toSorted(inOrder);
  const lastPage = data.pages.length - 1;
  const pages = data.pages.map((page, index) => {
    const end = page.items.at(-1);
    // What belongs behind the last page comes with the page after it, unless there is none.
    const takesAll = index === lastPage && !page.has_more;
    const mine = rest.filter((item) => takesAll || (end !== undefined && inOrder(item, end) < 0));
    if (mine.length === 0) return page;
    rest = rest.filter((item) => !mine.includes(item));
    return { ...page, items: [...page.items, ...mine].toSorted(inOrder) };
  });
  return { ...data, pages };
}

/** Ids are ordered by time too, and settle what the clock cannot. */
function orderOf(item: GalleryItem): string {
  return `${item.created_at} ${item.id}`;
}

/** Marks a favourite or takes the mark away: shown at once, taken back when the server refuses. */
export function useFavourite(onRefused: (error: unknown) => void) {
  const queryClient = useQueryClient();
  const show = (ids: readonly string[], favourite: boolean) => {
    patchPages(queryClient, new Map(ids.map((id) => [id, { favourite }])));
    for (const id of ids) {
      queryClient.setQueryData<{ favourite: boolean } | null>(["task", id], (task) =>
        task ? { ...task, favourite } : task,
      );
    }
  };
  return useMutation({
    mutationFn: ({ ids, favourite }: { ids: readonly string[]; favourite: boolean }) => sendMarks(ids, favourite),
    onMutate: ({ ids, favourite }) => show(ids, favourite),
    onError: (error, { ids, favourite }) => {
      show(ids, !favourite);
      onRefused(error);
    },
  });
}

/** Marks at a time: enough to be quick, few enough to leave the connection to the pictures. */
const marksAtOnce = 4;

async function sendMarks(ids: readonly string[], favourite: boolean): Promise<void> {
  const waiting = [...ids];
  const work = async () => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      const path = { id };
      await withSession(() => client.setFavourite({ path, body: { favourite } }));
    }
  };
  await Promise.all(Array.from({ length: Math.min(marksAtOnce, ids.length) }, work));
}

/** Deletes at once and for good; answers what became of each. */
export function deleteSelection(selection: Selection) {
  return withSession(() => client.deleteTasks({ body: selection }));
}

/** Lets the browser save a zip of these tasks: a form's answer goes to disk and never through the page's memory. */
export async function downloadSelection(selection: Selection): Promise<void> {
  // A form cannot renew a session that has ended, so it is asked for first.
  await withSession(() => client.getSession());
  const form = document.createElement("form");
  form.method = "post";
  form.action = client.urlOf("exportTasks");
  form.hidden = true;
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = "selection";
  field.value = JSON.stringify(selection);
  form.append(field);
  document.body.append(form);
  form.submit();
  form.remove();
}
