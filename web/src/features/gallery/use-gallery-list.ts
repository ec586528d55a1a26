import { useCallback, useMemo, useState } from "react";
import { type GalleryFilters, type GalleryItem, type Total, useGallery, useGalleryTotal } from "../../api/gallery.ts";
import { useArrivals } from "../../api/gallery-arrivals.ts";
import { useHiddenIds } from "../../api/pending-deletes.ts";

export interface GalleryList {
  /** The filters of what is shown: while new ones are asked about, the pictures of the old ones stay. */
  shown: GalleryFilters;
  /** Loaded pictures in their order, without those that are being deleted. */
  items: readonly GalleryItem[];
  /** Ids that are being deleted. */
  hidden: ReadonlySet<string>;
  /** Whether `items` is all there is. */
  complete: boolean;
  total: Total | null;
  isPending: boolean;
  isStale: boolean;
  error: unknown;
  moreFailed: boolean;
  loadingMore: boolean;
  arrivals: number;
  takeInArrivals: () => void;
  loadMore: () => void;
  retry: () => void;
}

/** A gallery with everything that happens to it: further pages, pictures that come, pictures that go. */
export function useGalleryList(filters: GalleryFilters): GalleryList {
  const query = useGallery(filters);
  const total = useGalleryTotal(filters, { enabled: query.data !== undefined && !query.isPlaceholderData });
  const hidden = useHiddenIds();
  const arrivals = useArrivals(filters);
  const [shown, setShown] = useState(filters);
  if (!query.isPlaceholderData && shown !== filters) setShown(filters);
  const pages = query.data?.pages;
  const items = useMemo(
    () =>
      pages?.flatMap((page) => (hidden.size === 0 ? page.items : page.items.filter((item) => !hidden.has(item.id)))),
    [pages, hidden],
  );
  const waiting = useMemo(() => countHidden(pages, hidden), [pages, hidden]);
  const { hasNextPage, isFetching, isFetchNextPageError, fetchNextPage, refetch } = query;
  const loadMore = useCallback(() => {
    if (hasNextPage && !isFetching && !isFetchNextPageError) void fetchNextPage();
  }, [hasNextPage, isFetching, isFetchNextPageError, fetchNextPage]);
  const retry = useCallback(
    () => void (isFetchNextPageError ? fetchNextPage() : refetch()),
    [isFetchNextPageError, fetchNextPage, refetch],
  );
  return {
    shown,
    items: items ?? none,
    hidden,
    complete: !hasNextPage,
    total: total && { ...total, count: Math.max(0, total.count - (total.exact ? waiting : 0)) },
    isPending: query.isPending,
    isStale: query.isPlaceholderData,
    error: query.data === undefined ? query.error : null,
    moreFailed: isFetchNextPageError,
    loadingMore: query.isFetchingNextPage,
    arrivals: arrivals.items.length,
    takeInArrivals: arrivals.takeIn,
    loadMore,
    retry,
  };
}

const none: readonly GalleryItem[] = [];

function countHidden(
  pages: readonly { items: readonly GalleryItem[] }[] | undefined,
  hidden: ReadonlySet<string>,
): number {
  if (pages === undefined || hidden.size === 0) return 0;
  return pages.reduce((sum, page) => sum + page.items.filter((item) => hidden.has(item.id)).length, 0);
}

export function filtersKey(filters: GalleryFilters): string {
  return JSON.stringify(Object.entries(filters).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
