import { useCallback, useMemo, useRef } from "react";
import { useModels } from "../../api/models.ts";
import { later } from "../../ui/later.tsx";
import { Filters } from "./bar/filters.tsx";
import { LeaveContext } from "./leave.tsx";
import { filtersOf, type GallerySearch, withoutFilters } from "./search.ts";
import type { GridHandle } from "./sheet/grid.tsx";
import { SheetView } from "./sheet-view.tsx";
import { strings } from "./strings.ts";
import { filtersKey, useGalleryList } from "./use-gallery-list.ts";
import { useLatest } from "./use-latest.ts";

const Detail = later(() => import("./detail/detail.tsx").then((module) => module.Detail));

export interface GalleryPageProps {
  search: GallerySearch;
  /** Names the entry of the browser's history. */
  entry: string;
  onSearch: (next: GallerySearch, how: { push: boolean }) => void;
  onOpen: (next: GallerySearch) => void;
  onClose: (next: GallerySearch) => void;
  /** Goes to another page of Safelight by its address. */
  onLeave: (href: string) => void;
}

/** The gallery without its address: filters, the sheet of pictures, and the open picture above them. */
export function GalleryPage({ search, entry, onSearch, onOpen, onClose, onLeave }: GalleryPageProps) {
  const models = useModels().data ?? noModels;
  const filters = useFilters(search);
  const list = useGalleryList(filters);
  const grid = useRef<GridHandle>(null);
  const latestRef = useLatest(search);
  const onChange = useCallback(
    (change: { [Key in keyof GallerySearch]?: GallerySearch[Key] | undefined }) =>
      onSearch(without({ ...latestRef.current, ...change }), { push: false }),
    [onSearch, latestRef],
  );
  const onClear = useCallback(
    () => onSearch(withoutFilters(latestRef.current), { push: false }),
    [onSearch, latestRef],
  );
  const open = useCallback((id: string) => onOpen({ ...latestRef.current, item: id }), [onOpen, latestRef]);
  const go = useCallback(
    (id: string) => onSearch({ ...latestRef.current, item: id }, { push: false }),
    [onSearch, latestRef],
  );
  const close = useCallback(
    (id: string | null) => {
      onClose(without({ ...latestRef.current, item: undefined }));
      if (id !== null) grid.current?.focus(id);
    },
    [onClose, latestRef],
  );
  return (
    <LeaveContext value={onLeave}>
      <main id="main" className="gallery">
        <h1 className="visually-hidden">{strings.title}</h1>
        <Filters search={search} models={models} onChange={onChange} />
        <SheetView
          key={filtersKey(list.shown)}
          search={search}
          models={models}
          list={list}
          entry={entry}
          grid={grid}
          covered={search.item !== undefined}
          onChange={onChange}
          onClear={onClear}
          onOpen={open}
        />
        {search.item === undefined ? null : (
          <Detail id={search.item} list={list} models={models} onGo={go} onClose={close} />
        )}
      </main>
    </LeaveContext>
  );
}

const noModels: readonly never[] = [];

/** The same filters stay the same object: days turn into instants once, not with every drawing. */
function useFilters(search: GallerySearch) {
  const { model, type, mode, q, from, to, order, favourite } = search;
  return useMemo(
    () => filtersOf(without({ model, type, mode, q, from, to, order, favourite })),
    [model, type, mode, q, from, to, order, favourite],
  );
}

function without(search: { [Key in keyof GallerySearch]?: GallerySearch[Key] | undefined }): GallerySearch {
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as GallerySearch;
}
