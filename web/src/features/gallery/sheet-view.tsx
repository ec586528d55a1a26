import { type RefObject, useEffect, useMemo, useState } from "react";
import { useFavourite, useGalleryTotal } from "../../api/gallery.ts";
import type { StudioModel } from "../../api/models.ts";
import { useShortcuts } from "../../ui/shortcuts.ts";
import type { Change } from "./bar/filters.tsx";
import { PickedBar } from "./bar/picked-bar.tsx";
import { Tally } from "./bar/tally.tsx";
import { countText } from "./item-words.ts";
import { type GallerySearch, narrowed } from "./search.ts";
import { isEmpty } from "./selection.ts";
import type { CellActions } from "./sheet/cell.tsx";
import { Grid, type GridHandle } from "./sheet/grid.tsx";
import { useHoverPlay } from "./sheet/hover-play.ts";
import { EmptyGallery, GalleryOnItsWay, GalleryProblem, NoMatch } from "./states.tsx";
import { strings } from "./strings.ts";
import { download, sayProblem, useAll } from "./use-all.ts";
import { useDelete } from "./use-delete.ts";
import type { GalleryList } from "./use-gallery-list.ts";
import { useLatest } from "./use-latest.ts";
import { type Picking, usePicking } from "./use-picking.ts";

interface SheetViewProps {
  search: GallerySearch;
  models: readonly StudioModel[];
  list: GalleryList;
  entry: string;
  grid: RefObject<GridHandle | null>;
  /** Whether a picture is open above the sheet: then the keys are its own. */
  covered: boolean;
  onChange: Change;
  onClear: () => void;
  onOpen: (id: string) => void;
}

/** The pictures of one set of filters, what is chosen among them, and what stands there instead when there are none. */
export function SheetView(props: SheetViewProps) {
  const { search, models, list, entry, grid, covered, onChange, onClear, onOpen } = props;
  const picking = usePicking(list.items);
  const { playing, actions } = useCellActions(picking, onOpen);
  const names = useMemo(() => new Map(models.map((model) => [model.id, model.name])), [models]);
  const all = useAll(list.shown);
  const picked = usePicked(list, picking, all);
  useSheetKeys(list, picking, picked, !covered);
  const { atTop, setAtTop, showFresh } = useFresh(list, grid);
  const everything = useGalleryTotal(noFilters, { enabled: narrowed(search).length > 0 });
  const tally = (
    <Tally
      search={search}
      models={models}
      total={list.total}
      all={everything}
      fresh={atTop ? 0 : list.arrivals}
      onFresh={showFresh}
      onChange={onChange}
      onClear={onClear}
      onZipAll={() => void all.zip()}
      onDeleteAll={() => void all.remove()}
    />
  );
  if (list.error !== null) return <GalleryProblem error={list.error} onRetry={list.retry} />;
  if (list.isPending) return <GalleryOnItsWay />;
  const isNarrowed = narrowed(search).length > 0;
  if (list.items.length === 0 && list.complete) {
    return (
      <>
        {isNarrowed ? tally : null}
        {isNarrowed ? (
          <NoMatch favourites={narrowed(search).join() === "favourite"} onClear={onClear} />
        ) : (
          <EmptyGallery />
        )}
      </>
    );
  }
  return (
    <>
      <Grid
        items={list.items}
        complete={list.complete}
        size={search.size ?? "large"}
        selection={picking.selection}
        current={picking.current}
        playing={covered ? null : playing}
        models={names}
        actions={actions}
        entry={entry}
        head={tally}
        foot={<Foot list={list} />}
        onEndNear={list.loadMore}
        onTop={setAtTop}
        handle={grid}
      />
      <PickedBar
        selection={picking.selection}
        items={list.items}
        total={list.total}
        onSelectAll={() => picking.selectAll(list.complete)}
        onFavourite={picked.favourite}
        onZip={picked.zip}
        onDelete={picked.remove}
        onClear={picking.clear}
      />
    </>
  );
}

const noFilters = {};

/** What cells can do, as one object that stays the same. */
function useCellActions({ toggle, extend, settle }: Picking, onOpen: (id: string) => void) {
  const { playing, enter, leave } = useHoverPlay();
  const actions: CellActions = useMemo(() => {
    const open = (id: string) => {
      settle(id);
      leave();
      onOpen(id);
    };
    return { open, toggle, extend, settle, enter, leave };
  }, [onOpen, toggle, extend, settle, enter, leave]);
  return { playing, actions };
}

/** New pictures go in by themselves while the list stands at its top; elsewhere they wait to be asked for. */
function useFresh(list: GalleryList, grid: RefObject<GridHandle | null>) {
  const [atTop, setAtTop] = useState(true);
  const { arrivals, takeInArrivals } = list;
  useEffect(() => {
    if (atTop && arrivals > 0) takeInArrivals();
  }, [atTop, arrivals, takeInArrivals]);
  const showFresh = () => {
    takeInArrivals();
    grid.current?.toTop();
  };
  return { atTop, setAtTop, showFresh };
}

interface Picked {
  favourite: (favourite: boolean) => void;
  zip: () => void;
  remove: () => void;
}

/** What is done with the selection. */
function usePicked(list: GalleryList, picking: Picking, all: ReturnType<typeof useAll>): Picked {
  const { selection, clear } = picking;
  const mark = useFavourite((error) => sayProblem(strings.detail.favouriteFailed, error));
  const remove = useDelete();
  return {
    favourite: (favourite) => mark.mutate({ ids: [...selection.ids], favourite }),
    zip: () => {
      if (selection.all) void all.zip();
      else void download(async () => ({ ids: [...selection.ids] }));
    },
    remove: () => {
      if (selection.all) {
        void all.remove().then((done) => (done ? clear() : undefined));
        return;
      }
      remove(list.items.filter((item) => selection.ids.has(item.id)));
      clear();
    },
  };
}

/** Keys that act on the selection or, without one, on the picture the keyboard stands on. */
function useSheetKeys(list: GalleryList, picking: Picking, picked: Picked, enabled: boolean): void {
  const { selection, current, toggle, selectAll, clear } = picking;
  const mark = useFavourite((error) => sayProblem(strings.detail.favouriteFailed, error));
  const remove = useDelete();
  const latest = useLatest(list.items);
  const here = () => latest.current.find((item) => item.id === current);
  useShortcuts(
    strings.keys.grid,
    {
      x: { label: strings.keys.select, run: () => (current === null ? undefined : toggle(current)) },
      "mod+a": { label: strings.keys.selectAll, run: () => selectAll(list.complete) },
      Escape: { label: strings.keys.clear, run: clear },
      s: {
        label: strings.keys.favourite,
        run: () => {
          const item = here();
          if (!isEmpty(selection) && !selection.all) {
            const marked = latest.current.filter((each) => selection.ids.has(each.id));
            picked.favourite(!marked.every((each) => each.favourite));
          } else if (item !== undefined) mark.mutate({ ids: [item.id], favourite: !item.favourite });
        },
      },
      Delete: {
        label: strings.keys.delete,
        run: () => {
          const item = here();
          if (!isEmpty(selection)) picked.remove();
          else if (item !== undefined) remove([item]);
        },
      },
    },
    { enabled },
  );
}

function Foot({ list }: { list: GalleryList }) {
  if (list.moreFailed) {
    return (
      <div className="sheet-foot" role="alert">
        {strings.failedMore}{" "}
        <button type="button" className="btn btn-small" onClick={list.retry}>
          {strings.retry}
        </button>
      </div>
    );
  }
  if (list.complete) return <p className="sheet-foot">{strings.end}</p>;
  const all = list.total === null ? "" : countText(list.total.count, list.total.exact);
  return <p className="sheet-foot">{strings.shown(countText(list.items.length, true), all)}</p>;
}
