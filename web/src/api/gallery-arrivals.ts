// Pictures that were finished after a list was read. The stream tells when a task is done, wherever in the page the user
// is at that moment; each list asks the server which of them belong to it, so that no filter is judged twice.
import { type QueryClient, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { client } from "./client.ts";
import { type GalleryFilters, type GalleryItem, galleryKey, mergeArrivals, recount } from "./gallery.ts";
import { withSession } from "./session.ts";
import { onTaskEvents } from "./tasks.ts";

interface Finish {
  readonly id: string;
  readonly created_at: string;
}

/** Finishes are remembered at least this long: the life of a list that nobody looks at. */
const remembered = 1_000;
/** Events come in bursts; lists are asked for once per burst, in milliseconds. */
const gathering = 200;
const most = 100;

let finishes: readonly Finish[] = [];
let version = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();

onTaskEvents((events) => {
  const ended = events.flatMap((event) =>
    event.type === "task.updated" && event.data.status === "done" ? [event.data] : [],
  );
  if (ended.length === 0) return;
  const known = new Set(finishes.map((finish) => finish.id));
  const fresh = ended.filter((status) => !known.has(status.task_id));
  if (fresh.length === 0) return;
  const added = fresh.map((status) => ({ id: status.task_id, created_at: status.created_at }));
  finishes = [...finishes, ...added].slice(-remembered);
  timer ??= setTimeout(tell, gathering);
});

function tell(): void {
  timer = undefined;
  version += 1;
  for (const listener of listeners) listener();
}

/** Finished pictures that match and are not in the list yet, newest first, and the way to put them in. */
export function useArrivals(filters: GalleryFilters): { items: readonly GalleryItem[]; takeIn: () => void } {
  const queryClient = useQueryClient();
  const seen = useSyncExternalStore(subscribe, () => version);
  const { data } = useQuery({
    queryKey: ["gallery", "arrivals", filters, seen],
    queryFn: () => readArrivals(queryClient, filters),
    enabled: finishes.length > 0 && queryClient.getQueryData(galleryKey(filters)) !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
    // While the next burst is asked about, what came before is still waiting to be let in.
    placeholderData: (before: { items: GalleryItem[] } | undefined) => before,
    gcTime: 0,
  });
  const items = data?.items ?? none;
  const takeIn = useCallback(() => {
    mergeArrivals(queryClient, filters, items);
    queryClient.setQueriesData({ queryKey: ["gallery", "arrivals", filters] }, { items: [] });
    recount(queryClient);
  }, [queryClient, filters, items]);
  return { items, takeIn };
}

const none: readonly GalleryItem[] = [];

async function readArrivals(queryClient: QueryClient, filters: GalleryFilters): Promise<{ items: GalleryItem[] }> {
  const listed = listedIds(queryClient, filters);
  const missing = finishes.filter((finish) => !listed.has(finish.id));
  if (missing.length === 0) return { items: [] };
  const times = missing.map((finish) => finish.created_at).toSorted();
  const from = later(times[0] ?? "", filters.from);
  const to = earlier(times.at(-1) ?? "", filters.to);
  const { order: _order, ...asked } = filters;
  const page = await withSession(() => client.listGallery({ query: { ...asked, from, to, per_page: most } }));
  const wanted = new Set(missing.map((finish) => finish.id));
  return { items: page.items.filter((item) => wanted.has(item.id)) };
}

function listedIds(queryClient: QueryClient, filters: GalleryFilters): ReadonlySet<string> {
  const data = queryClient.getQueryData<{ pages: readonly { items: readonly GalleryItem[] }[] }>(galleryKey(filters));
  return new Set(data?.pages.flatMap((page) => page.items.map((item) => item.id)));
}

function later(time: string, bound: string | undefined): string {
  return bound !== undefined && Date.parse(bound) > Date.parse(time) ? bound : time;
}

function earlier(time: string, bound: string | undefined): string {
  return bound !== undefined && Date.parse(bound) < Date.parse(time) ? bound : time;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
