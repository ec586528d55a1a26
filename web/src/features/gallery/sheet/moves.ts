// Where a key leads in the grid. Up and down go to the picture that lies nearest, not to one with the same number.
import { placeOf, rowOf, type Sheet } from "./sheet.ts";

export type Move =
  | "left"
  | "right"
  | "up"
  | "down"
  | "row-start"
  | "row-end"
  | "page-up"
  | "page-down"
  | "first"
  | "last";

/** Key presses by name, without Shift. */
const keys: Readonly<Record<string, Move>> = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "row-start",
  End: "row-end",
  PageUp: "page-up",
  PageDown: "page-down",
};

export function moveOf(event: { key: string; ctrlKey: boolean; metaKey: boolean; altKey: boolean }): Move | null {
  if (event.altKey) return null;
  if (event.ctrlKey || event.metaKey) return event.key === "Home" ? "first" : event.key === "End" ? "last" : null;
  return Object.hasOwn(keys, event.key) ? (keys[event.key] ?? null) : null;
}

/** The picture a move leads to from picture `from`; `from` itself where it leads nowhere. `page`: pixels of a screen. */
export function destination(sheet: Sheet, from: number, move: Move, page: number): number {
  const last = sheet.prints.length - 1;
  const row = sheet.rows[rowOf(sheet, from)];
  if (row?.kind !== "pictures") return Math.min(Math.max(from, 0), last);
  switch (move) {
    case "left":
      return Math.max(0, from - 1);
    case "right":
      return Math.min(last, from + 1);
    case "row-start":
      return row.first;
    case "row-end":
      return row.first + row.widths.length - 1;
    case "first":
      return 0;
    case "last":
      return last;
    case "up":
      return nearestIn(sheet, rowBeside(sheet, from, -1), from);
    case "down":
      return nearestIn(sheet, rowBeside(sheet, from, 1), from);
    case "page-up":
      return nearestIn(sheet, rowAt(sheet, from, -page), from);
    case "page-down":
      return nearestIn(sheet, rowAt(sheet, from, page), from);
  }
}

/** The next row of pictures above or below; headings are passed over. */
function rowBeside(sheet: Sheet, from: number, step: 1 | -1): number {
  let index = rowOf(sheet, from) + step;
  while (sheet.rows[index]?.kind === "day") index += step;
  return index;
}

/** The row of pictures about `distance` pixels away, at least one row further. */
function rowAt(sheet: Sheet, from: number, distance: number): number {
  const step = distance > 0 ? 1 : -1;
  const start = rowOf(sheet, from);
  const wanted = (sheet.rows[start]?.top ?? 0) + distance;
  let best = rowBeside(sheet, from, step);
  for (let index = best; sheet.rows[index] !== undefined; index += step) {
    const row = sheet.rows[index];
    if (row?.kind !== "pictures") continue;
    if (step > 0 ? row.top > wanted : row.top < wanted) break;
    best = index;
  }
  return best;
}

function nearestIn(sheet: Sheet, rowIndex: number, from: number): number {
  const row = sheet.rows[rowIndex];
  const place = placeOf(sheet, from);
  if (row?.kind !== "pictures" || place === null) return from;
  const middle = place.left + place.width / 2;
  let left = 0;
  let best = row.first;
  let distance = Number.POSITIVE_INFINITY;
  for (const [offset, width] of row.widths.entries()) {
    const away = Math.abs(left + width / 2 - middle);
    if (away < distance) [best, distance] = [row.first + offset, away];
    left += width + sheet.rules.gap;
  }
  return best;
}
