import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type ReactNode,
  type Ref,
  useCallback,
  useEffect,
  useImperativeHandle,
  useRef,
  useMemo,
  useState,
} from "react";
import type { GalleryItem } from "../../../api/gallery.ts";
import type { PrintSize } from "../search.ts";
import { isEmpty, isSelected, type Selection } from "../selection.ts";
import { strings } from "../strings.ts";
import { Cell, type CellActions } from "./cell.tsx";
import { DayHeading } from "./day-heading.tsx";
import { destination, moveOf } from "./moves.ts";
import { countOfDay, rowOf, type Sheet } from "./sheet.ts";
import { useBox, useMeasures, useSheet } from "./use-sheet.ts";
import { useSteadyScroll } from "./use-steady-scroll.ts";

/** Rows kept ready above and below what is in sight. */
const spare = 2;
/** The next page is asked for when this many screens are left. */
const foresight = 2;

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
  const { items, complete, size, selection, current, playing, models, actions, entry, onEndNear, onTop } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const headBox = useRef<HTMLDivElement>(null);
  const box = useBox(scroller);
  const head = useBox(headBox)?.height ?? 0;
  const measures = useMeasures(size);
  const sheet = useSheet(items, box?.width ?? null, measures);
  const index = useIndex(items);
  const currentIndex = current === null ? 0 : (index.get(current) ?? 0);
  const virtualizer = useRows(sheet, scroller, head, currentIndex);
  const noteScroll = useSteadyScroll({ scroller, sheet, head, entry });
  const focus = useFocus(scroller, sheet, index, virtualizer.scrollToIndex);
  useImperativeHandle(props.handle, () => ({ focus, toTop: () => scroller.current?.scrollTo({ top: 0 }) }), [focus]);
  useEndNear(
    sheet,
    (virtualizer.scrollOffset ?? 0) + foresight * (box?.height ?? 0),
    box?.height ?? 0,
    head,
    onEndNear,
  );
  const onKeyDown = (event: KeyboardEvent) => {
    const move = sheet === null || !isInGrid(event) ? null : moveOf(event);
    const from = items[currentIndex];
    if (sheet === null || from === undefined) return;
    if (move !== null) {
      event.preventDefault();
      const next = items[destination(sheet, currentIndex, move, box?.height ?? 0)];
      if (next === undefined || next === from) return;
      if (event.shiftKey) actions.extend(next.id);
      focus(next.id);
    } else if (event.key === " " && event.target instanceof HTMLButtonElement && isInGrid(event)) {
      event.preventDefault();
      if (event.shiftKey) actions.extend(from.id);
      else actions.toggle(from.id);
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys of the grid bubble up to the box that scrolls it
    <div
      ref={scroller}
      className={`sheet${isEmpty(selection) ? "" : " sheet-selecting"}`}
      onScroll={(event) => {
        noteScroll(event.currentTarget.scrollTop);
        onTop(event.currentTarget.scrollTop <= head);
      }}
      onKeyDown={onKeyDown}
      onKeyUp={(event) => {
        // Some browsers press a button when the space bar comes up again.
        if (event.key === " " && event.target instanceof HTMLButtonElement && isInGrid(event)) event.preventDefault();
      }}
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
          : virtualizer.getVirtualItems().map((virtual) => {
              const row = sheet.rows[virtual.index];
              if (row === undefined) return null;
              const style = { transform: `translateY(${row.top}px)`, height: row.height };
              if (row.kind === "day") {
                const day = sheet.days[row.day];
                if (day === undefined) return null;
                return (
                  <div
                    key={virtual.key}
                    role="row"
                    aria-rowindex={virtual.index + 1}
                    className="sheet-day"
                    style={style}
                  >
                    <DayHeading date={day.date} count={countOfDay(sheet, row.day, complete)} />
                  </div>
                );
              }
              return (
                <div
                  key={virtual.key}
                  role="row"
                  aria-rowindex={virtual.index + 1}
                  className="sheet-row"
                  style={{ ...style, gap: measures.gap }}
                >
                  {row.widths.map((width, offset) => {
                    const item = items[row.first + offset];
                    if (item === undefined) return null;
                    return (
                      <Cell
                        key={item.id}
                        item={item}
                        index={row.first + offset}
                        width={width}
                        selected={isSelected(selection, item.id)}
                        current={row.first + offset === currentIndex}
                        playing={playing === item.id}
                        models={models}
                        actions={actions}
                      />
                    );
                  })}
                </div>
              );
            })}
      </div>
      {props.foot}
    </div>
  );
}

function isInGrid(event: KeyboardEvent): boolean {
  return event.target instanceof Element && event.target.closest("[role=grid]") !== null;
}

/** The rows in sight, a few more, and the one with the current picture: focus must not fall out of the page. */
function useRows(sheet: Sheet | null, scroller: React.RefObject<HTMLDivElement | null>, head: number, current: number) {
  const currentRow = sheet === null ? -1 : rowOf(sheet, current);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const rows = defaultRangeExtractor(range);
      if (currentRow < 0 || rows.includes(currentRow)) return rows;
      return [...rows, currentRow].toSorted((a, b) => a - b);
    },
    [currentRow],
  );
  const rows = sheet?.rows;
  const gap = sheet?.rules.gap ?? 0;
  return useVirtualizer({
    count: rows?.length ?? 0,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback((row: number) => sizeOf(rows?.[row], gap), [rows, gap]),
    // A new function makes the virtualizer ask for all sizes again, and a new sheet has new ones.
    getItemKey: useCallback((row: number) => keyOf(sheet, row), [sheet]),
    overscan: spare,
    scrollMargin: head,
    rangeExtractor,
  });
}

function sizeOf(row: Sheet["rows"][number] | undefined, gap: number): number {
  if (row === undefined) return 0;
  return row.height + (row.kind === "pictures" ? gap : 0);
}

function keyOf(sheet: Sheet | null, index: number): string {
  const row = sheet?.rows[index];
  if (row === undefined) return String(index);
  return row.kind === "day" ? `day ${sheet?.days[row.day]?.date}` : (sheet?.prints[row.first]?.id ?? String(index));
}

/** Where each picture stands in the list. */
function useIndex(items: readonly GalleryItem[]): ReadonlyMap<string, number> {
  return useMemo(() => new Map(items.map((item, index) => [item.id, index])), [items]);
}

/** Focusing a picture that may not exist yet: its row is scrolled into sight, then the focus follows. */
function useFocus(
  scroller: React.RefObject<HTMLDivElement | null>,
  sheet: Sheet | null,
  index: ReadonlyMap<string, number>,
  scrollToIndex: (index: number, options: { align: "auto" }) => void,
): (id: string) => void {
  const wanted = useRef<string | null>(null);
  const [, draw] = useState(0);
  const latest = useRef({ sheet, index, scrollToIndex });
  latest.current = { sheet, index, scrollToIndex };
  useEffect(() => {
    if (wanted.current === null) return;
    const cell = scroller.current?.querySelector<HTMLElement>(`[data-print="${CSS.escape(wanted.current)}"] button`);
    if (!cell) return;
    wanted.current = null;
    cell.focus({ preventScroll: true });
  });
  return useCallback((id: string) => {
    const { sheet, index, scrollToIndex } = latest.current;
    const row = sheet === null ? -1 : rowOf(sheet, index.get(id) ?? -1);
    if (row < 0) return;
    wanted.current = id;
    scrollToIndex(row, { align: "auto" });
    draw((count) => count + 1);
  }, []);
}

function useEndNear(sheet: Sheet | null, reach: number, screen: number, head: number, onEndNear: () => void): void {
  const near = sheet !== null && sheet.rows.length > 0 && screen > 0 && reach + screen > head + sheet.height;
  const length = sheet?.prints.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each longer list that still ends too near asks again
  useEffect(() => {
    if (near) onEndNear();
  }, [near, length, onEndNear]);
}
