// What the eye rests on stays where it is: pictures that come or go above it, a new window size or another size of
// thumbnails move the scroll position along. What does move on the screen, moves for the eye to follow.
import { type RefObject, useCallback, useLayoutEffect, useRef } from "react";
import { placeOf, rowOf, type Sheet } from "./sheet.ts";

/** The design's duration for lists that close a gap, in milliseconds. */
const calm = 240;
const easing = "cubic-bezier(0.2, 0, 0, 1)";

/** Scroll positions by the entry of the browser's history that they belong to. */
const places = new Map<string, number>();
const placesKept = 50;

interface SteadyScroll {
  scroller: RefObject<HTMLElement | null>;
  sheet: Sheet | null;
  /** Pixels from the top of the scrolled content to the sheet. */
  head: number;
  /** Names the entry of the history whose position is kept. */
  entry: string;
}

/** Answers the function that has to hear of every scroll. */
export function useSteadyScroll({ scroller, sheet, head, entry }: SteadyScroll): (offset: number) => void {
  const before = useRef<Sheet | null>(null);
  const offset = useRef(0);
  useLayoutEffect(() => {
    const old = before.current;
    if (sheet === null || old === sheet || (old === null && sheet.rows.length === 0)) return;
    before.current = sheet;
    if (old === null) {
      offset.current = places.get(entry) ?? 0;
      scrollTo(scroller.current, offset.current);
      return;
    }
    offset.current += adjust(scroller.current, old, sheet, offset.current - head);
  }, [scroller, sheet, head, entry]);
  return useCallback(
    (next: number) => {
      offset.current = next;
      places.delete(entry);
      places.set(entry, next);
      for (const first of places.keys()) if (places.size > placesKept) places.delete(first);
    },
    [entry],
  );
}

/** Moves the scroll position along with what the eye rests on, and answers by how much. */
function adjust(scroller: HTMLElement | null, old: Sheet, sheet: Sheet, offset: number): number {
  if (scroller === null) return 0;
  const sized = sameSize(old, sheet);
  // A list that only grew at its end moves nothing that is in sight.
  if (sized && old.prints.every((print, index) => print.id === sheet.prints[index]?.id)) return 0;
  const positions = new Map(old.prints.map((print, index) => [print.id, index]));
  const shift = offset > 0 ? anchorShift(old, sheet, offset, positions) : 0;
  if (shift !== 0) scrollTo(scroller, scroller.scrollTop + shift);
  if (sized) slide(scroller, old, sheet, positions, shift);
  return shift;
}

function scrollTo(scroller: HTMLElement | null, top: number): void {
  if (scroller !== null && scroller.scrollTop !== top) scroller.scrollTop = top;
}

function sameSize(one: Sheet, other: Sheet): boolean {
  return one.rules.width === other.rules.width && one.rules.height === other.rules.height;
}

/** How far the first picture in sight has moved that is still there. */
function anchorShift(old: Sheet, sheet: Sheet, offset: number, positions: ReadonlyMap<string, number>): number {
  const row = old.rows.find((candidate) => candidate.top + candidate.height > offset);
  const first = row?.kind === "pictures" ? row.first : row === undefined ? -1 : (old.days[row.day]?.first ?? -1);
  if (first < 0) return 0;
  const now = new Map(sheet.prints.map((print, index) => [print.id, index]));
  for (let index = first; index < old.prints.length; index += 1) {
    const id = old.prints[index]?.id ?? "";
    const current = now.get(id);
    if (current === undefined) continue;
    const was = old.rows[rowOf(old, positions.get(id) ?? -1)]?.top ?? 0;
    const is = sheet.rows[rowOf(sheet, current)]?.top ?? 0;
    // A picture of a lower row took the place of the one that went: the row in sight did not move.
    return was > offset + sheet.rules.height ? 0 : is - was;
  }
  return 0;
}

/** Lets every mounted picture come from where it was. Both places are known from the sheets; nothing is measured. */
function slide(
  scroller: HTMLElement,
  old: Sheet,
  sheet: Sheet,
  positions: ReadonlyMap<string, number>,
  shift: number,
): void {
  if (typeof scroller.animate !== "function" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  for (const cell of scroller.querySelectorAll<HTMLElement>("[data-print]")) {
    const was = placeOf(old, positions.get(cell.dataset.print ?? "") ?? -1);
    const is = placeOf(sheet, Number(cell.dataset.index));
    if (was === null || is === null) continue;
    const [x, y] = [was.left - is.left, was.top - is.top + shift];
    if (x === 0 && y === 0 && was.width === is.width) continue;
    const scale = `scale(${was.width / is.width}, ${was.height / is.height})`;
    cell.animate(
      [
        { transform: `translate(${x}px, ${y}px) ${scale}`, transformOrigin: "0 0" },
        { transform: "none", transformOrigin: "0 0" },
      ],
      { duration: calm, easing },
    );
  }
}
