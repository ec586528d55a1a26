/* oxlint-disable jsx-a11y/prefer-tag-over-role -- rows that are placed one by one make no table */
import { type KeyboardEvent, type ReactNode, type Ref, useImperativeHandle, useMemo, useRef } from "react";
import type { GalleryItem } from "../../../api/gallery.ts";
import type { PrintSize } from "../search.ts";
import { isEmpty, type Selection } from "../selection.ts";
import { strings } from "../strings.ts";
import type { CellActions } from "./cell.tsx";
import { GridRow } from "./grid-row.tsx";
import { destination, moveOf } from "./moves.ts";
import type { Sheet } from "./sheet.ts";
import { useEndNear, useFocusing, useKeptFocus, useRows } from "./use-rows.ts";
import { useBox, useMeasures, useSheet } from "./use-sheet.ts";
import { useSteadyScroll } from "./use-steady-scroll.ts";

export interface GridHandle {
  /** Puts the focus on a picture and brings it into sight. */
  focus: (id: string) => void;
  toTop: () => void;
}

interface GridProps {
  items: readonly GalleryItem[];
  /** Whether `items` is all there is. */
  complete: boolean;
  size: PrintSize;
  selection: Selection;
  current: string | null;
  playing: string | null;
  models: ReadonlyMap<string, string>;
  actions: CellActions;
  /** Names the entry of the history whose scroll position is kept. */
  entry: string;
  /** Above the first row, scrolled with it. */
  head: ReactNode;
  foot: ReactNode;
  onEndNear: () => void;
  /** Hears whether the list stands at its top. */
  onTop: (atTop: boolean) => void;
  handle: Ref<GridHandle>;
}

/** Rows of pictures without end, of which only those in sight exist. */
export function Grid(props: GridProps) {
  const { items, complete, selection, current, playing, models, actions, entry, onEndNear, onTop } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const headBox = useRef<HTMLDivElement>(null);
  const box = useBox(scroller);
  const head = useBox(headBox)?.height ?? 0;
  const screen = box?.height ?? 0;
  const measures = useMeasures(props.size);
  const sheet = useSheet(items, box?.width ?? null, measures);
  const index = useMemo(() => new Map(items.map((item, place) => [item.id, place])), [items]);
  const currentIndex = current === null ? 0 : (index.get(current) ?? 0);
  const virtualizer = useRows(sheet, scroller, head, currentIndex);
  const noteScroll = useSteadyScroll({ scroller, sheet, head, entry });
  const focus = useFocusing({ scroller, sheet, index, scrollToIndex: virtualizer.scrollToIndex });
  useEndNear({ sheet, offset: virtualizer.scrollOffset ?? 0, screen, head, onEndNear });
  useImperativeHandle(props.handle, () => ({ focus, toTop: () => scroller.current?.scrollTo({ top: 0 }) }), [focus]);
  const focusing = useKeptFocus(current, items, focus);
  const keys = gridKeys({ sheet, currentIndex, screen, actions, focus });
  return (
    // oxlint-disable-next-line jsx-a11y/no-static-element-interactions -- keys of the cells bubble up to the box that scrolls
    <div
      ref={scroller}
      className={`sheet${isEmpty(selection) ? "" : " sheet-selecting"}`}
      onScroll={(event) => {
        noteScroll(event.currentTarget.scrollTop);
        onTop(event.currentTarget.scrollTop <= head);
      }}
      {...keys}
      {...focusing}
    >
      <div ref={headBox}>{props.head}</div>
      <div
        role="grid"
        aria-label={strings.grid}
        aria-multiselectable="true"
        aria-rowcount={complete && sheet !== null ? sheet.rows.length : -1}
        className="sheet-rows"
        style={{ height: sheet?.height ?? 0, marginInline: measures.margin }}
      >
        {sheet === null
          ? null
          : virtualizer
              .getVirtualItems()
              .map((virtual) => (
                <GridRow
                  key={virtual.key}
                  {...{ sheet, complete, selection, playing, models, actions }}
                  index={virtual.index}
                  current={currentIndex}
                />
              ))}
      </div>
      {props.foot}
    </div>
  );
}

interface GridKeys {
  sheet: Sheet<GalleryItem> | null;
  currentIndex: number;
  screen: number;
  actions: CellActions;
  focus: (id: string) => void;
}

/** Arrows and their kin move, Shift takes along what lies between, Space chooses. */
function gridKeys({ sheet, currentIndex, screen, actions, focus }: GridKeys) {
  const onKeyDown = (event: KeyboardEvent) => {
    const from = sheet?.prints[currentIndex];
    if (sheet === null || from === undefined || !isInGrid(event)) return;
    const move = moveOf(event);
    if (move !== null) {
      event.preventDefault();
      const next = sheet.prints[destination(sheet, currentIndex, move, screen)];
      if (next === undefined || next === from) return;
      if (event.shiftKey) actions.extend(next.id);
      focus(next.id);
    } else if (isSpaceOnPicture(event)) {
      event.preventDefault();
      if (event.shiftKey) actions.extend(from.id);
      else actions.toggle(from.id);
    }
  };
  const onKeyUp = (event: KeyboardEvent) => {
    // Some browsers press a button when the space bar comes up again.
    if (isSpaceOnPicture(event)) event.preventDefault();
  };
  return { onKeyDown, onKeyUp };
}

function isSpaceOnPicture(event: KeyboardEvent): boolean {
  return event.key === " " && isInGrid(event) && event.target instanceof HTMLButtonElement;
}

function isInGrid(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("[role=grid]") !== null;
}
