// The dashboard's address as its parts use it, and what is remembered of it while another page is open.
import { useCallback, useEffect, useMemo } from "react";
import { isReading } from "../../api/query-client.ts";
import { navigate, useSearch } from "../../ui/router.tsx";
import { entryKey, holdScrollAt, rememberedScroll } from "../../ui/scroll-memory.ts";
import { hold } from "./held.ts";
import { type AdminSearch, openRows, parseAdminSearch, withToggledRow } from "./search.ts";

export interface View {
  search: AdminSearch;
  /** Says something else in the address; as filters do, in the place of what it said before. */
  change: (next: (before: AdminSearch) => AdminSearch) => void;
  isOpen: (row: string) => boolean;
  toggle: (row: string) => void;
}

/** How the dashboard was left: what a link to it, which says nothing, leads back to. */
const left = hold<{ search: AdminSearch; scroll: number; entry: string } | null>(null);
/** How long the page may take to come to rest once it has read everything, in milliseconds. */
const settling = 700;

export function useView(): View {
  const given = useSearch({ strict: false });
  const search = useMemo(() => parseAdminSearch(given), [given]);
  const change = useCallback(
    (next: (before: AdminSearch) => AdminSearch) =>
      void navigate({
        to: "/admin/dashboard",
        search: (before) => next(parseAdminSearch({ ...before })),
        replace: true,
      }),
    [],
  );
  const rows = useMemo(() => openRows(search), [search]);
  const isOpen = useCallback((row: string) => rows.has(row), [rows]);
  const toggle = useCallback((row: string) => change((before) => withToggledRow(before, row)), [change]);
  return useMemo(() => ({ search, change, isOpen, toggle }), [search, change, isOpen, toggle]);
}

/** Takes note of how the dashboard is left, and brings it back when it is opened by a link, which says nothing of it. */
export function useComingBack({ search, change }: View): void {
  useEffect(() => {
    const before = left.read();
    const isByLink = before !== null && before.entry !== entryKey() && Object.keys(search).length === 0;
    if (isByLink) change(() => before.search);
    const wanted = isByLink ? before.scroll : rememberedScroll();
    return wanted > 0 ? holdScrollAt(wanted, { isReading, settling }) : undefined;
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- only when it opens
  }, []);
  useEffect(() => {
    const note = () => left.write({ search, scroll: left.read()?.scroll ?? 0, entry: entryKey() });
    note();
  }, [search]);
  useEffect(() => {
    const note = () => {
      const known = left.read();
      if (known !== null) left.write({ ...known, scroll: window.scrollY });
    };
    window.addEventListener("scroll", note, { passive: true });
    return () => window.removeEventListener("scroll", note);
  }, []);
}
