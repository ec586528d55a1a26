import { defaultRangeExtractor, type Range, useVirtualizer } from "@tanstack/react-virtual";
import { type FocusEvent, type RefObject, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLatest } from "../use-latest.ts";
import { rowOf, type Sheet } from "./sheet.ts";

/** Rows kept ready above and below what is in sight. */
const spare = 2;
/** The next page is asked for when this many screens are left. */
const foresight = 2;

/** The rows in sight, a few more, and the one with the current picture: focus must not fall out of the page. */
export function useRows(
  sheet: Sheet | null,
  scroller: RefObject<HTMLDivElement | null>,
  head: number,
  current: number,
) {
  const currentRow = sheet === null ? -1 : rowOf(sheet, current);
  const rangeExtractor = useCallback(
    (range: Range) => {
      const rows = defaultRangeExtractor(range);
      if (currentRow < 0 || rows.includes(currentRow)) return rows;
      return [...rows, currentRow].toSorted((a, b) => a - b);
    },
    [currentRow],
  );
  // oxlint-disable-next-line react/incompatible-library -- nothing of it is remembered from one drawing to the next
  return useVirtualizer({
    count: sheet?.rows.length ?? 0,
    getScrollElement: () => scroller.current,
    estimateSize: useCallback((row: number) => heightOf(sheet, row), [sheet]),
    // A new function makes the virtualizer ask for all sizes again, and a new sheet has new ones.
    getItemKey: useCallback((row: number) => keyOf(sheet, row), [sheet]),
    overscan: spare,
    // Rows ahead of the sight are ready; drawing within the scroll event itself would only hold it up.
    useFlushSync: false,
    scrollMargin: head,
    scrollPaddingStart: 8,
    scrollPaddingEnd: 72,
    rangeExtractor,
  });
}

function heightOf(sheet: Sheet | null, index: number): number {
  const row = sheet?.rows[index];
  if (row === undefined) return 0;
  return row.height + (row.kind === "pictures" ? (sheet?.rules.gap ?? 0) : 0);
}

function keyOf(sheet: Sheet | null, index: number): string {
  const row = sheet?.rows[index];
  if (row === undefined) return String(index);
  return row.kind === "day" ? `day ${sheet?.days[row.day]?.date}` : (sheet?.prints[row.first]?.id ?? String(index));
}

interface Focusing {
  scroller: RefObject<HTMLDivElement | null>;
  sheet: Sheet | null;
  /** Where each picture stands in the list. */
  index: ReadonlyMap<string, number>;
  scrollToIndex: (index: number, options: { align: "auto" }) => void;
}

/** Focusing a picture that may not exist yet: its row is scrolled into sight, then the focus follows. */
export function useFocusing({ scroller, ...rest }: Focusing): (id: string) => void {
  const wanted = useRef<string | null>(null);
  const [, draw] = useState(0);
  const latestRef = useLatest(rest);
  useEffect(() => {
    if (wanted.current === null) return;
    const name = CSS.escape(wanted.current);
    const cell = scroller.current?.querySelector<HTMLElement>(`[data-print="${name}"] button`);
    if (!cell || cell.closest("[inert]") !== null) return;
    wanted.current = null;
    cell.focus({ preventScroll: true });
  });
  return useCallback(
    (id: string) => {
      const { sheet, index, scrollToIndex } = latestRef.current;
      const row = sheet === null ? -1 : rowOf(sheet, index.get(id) ?? -1);
      if (row < 0) return;
      wanted.current = id;
      scrollToIndex(row, { align: "auto" });
      draw((count) => count + 1);
    },
    [latestRef],
  );
}

/** Focus that fell out of the page with a deleted picture goes to the one that took its place. Answers listeners. */
export function useKeptFocus(current: string | null, items: readonly unknown[], focus: (id: string) => void) {
  const inside = useRef(false);
  useEffect(() => {
    if (inside.current && current !== null && document.activeElement === document.body) focus(current);
  }, [current, items, focus]);
  return useMemo(
    () => ({
      onFocus: () => {
        inside.current = true;
      },
      onBlur: (event: FocusEvent) => {
        // Taking a picture out of the page may tell of a blur too; only who goes elsewhere leaves.
        inside.current = event.relatedTarget === null && !document.contains(event.target);
      },
    }),
    [],
  );
}

interface EndNear {
  sheet: Sheet | null;
  /** Pixels scrolled, and of one screen. */
  offset: number;
  screen: number;
  head: number;
  onEndNear: () => void;
}

/** Asks for more when few screens are left, and again when what came was not enough. */
export function useEndNear({ sheet, offset, screen, head, onEndNear }: EndNear): void {
  const rows = sheet?.rows.length ?? 0;
  const near = rows > 0 && screen > 0 && offset + (foresight + 1) * screen > head + (sheet?.height ?? 0);
  const length = sheet?.prints.length ?? 0;
  useEffect(() => {
    if (near && length > 0) onEndNear();
  }, [near, length, onEndNear]);
}
