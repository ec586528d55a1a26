// The whole gallery as rows with known places: headings of days and rows of pictures. A longer list continues the sheet
// it already had; a shorter one keeps everything above the first change. Nothing here is measured on the page.
import { gridRatio, nextRow, type RowRules } from "./justify.ts";

/** As much of a picture as its place needs. */
export interface Print {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly created_at: string;
}

export interface DayRow {
  readonly kind: "day";
  /** Position in `days`. */
  readonly day: number;
  readonly top: number;
  readonly height: number;
}

export interface PictureRow {
  readonly kind: "pictures";
  /** Index of its first picture. */
  readonly first: number;
  readonly widths: readonly number[];
  readonly top: number;
  readonly height: number;
  readonly full: boolean;
}

export type SheetRow = DayRow | PictureRow;

export interface Day {
  /** Local date, "2026-03-01". */
  readonly date: string;
  /** Index of its first picture. */
  readonly first: number;
}

export interface SheetRules extends RowRules {
  /** Pixels a heading takes, its space included. */
  heading: number;
}

export interface Sheet<P extends Print = Print> {
  readonly prints: readonly P[];
  readonly rules: SheetRules;
  readonly rows: readonly SheetRow[];
  readonly days: readonly Day[];
  /** Pixels from the first heading to the end. */
  readonly height: number;
  /** Rows that had to be laid out to get here from the sheet before; for tests of that promise. */
  readonly laidOut: number;
}

/** Lays out `prints`, taking over from `before` every row that nothing new can change. */
export function layOut<P extends Print>(before: Sheet<P> | null, prints: readonly P[], rules: SheetRules): Sheet<P> {
  if (before !== null && before.prints === prints && sameRules(before.rules, rules)) return before;
  const kept = before !== null && sameRules(before.rules, rules) ? settledRows(before, prints) : 0;
  const rows = before?.rows.slice(0, kept) ?? [];
  const last = rows.at(-1);
  const days = before?.days.slice(0, daysIn(rows)) ?? [];
  const end = last === undefined ? 0 : bottomOf(last, rules);
  const next = last?.kind === "pictures" ? last.first + last.widths.length : (days.at(-1)?.first ?? 0);
  const height = continueRows(prints, rules, { rows, days, next, end });
  return { prints, rules, rows, days, height, laidOut: rows.length - kept };
}

interface Progress {
  rows: SheetRow[];
  days: Day[];
  next: number;
  end: number;
}

/** Adds rows to `rows` and days to `days` until every picture has a place; answers the height of it all. */
function continueRows(prints: readonly Print[], rules: SheetRules, progress: Progress): number {
  const { rows, days } = progress;
  let { next, end } = progress;
  const ratioAt = (index: number) => gridRatio(prints[index]?.width ?? 0, prints[index]?.height ?? 0);
  // The row of a day ends where the next day begins; how far it goes is found while it is laid out.
  while (next < prints.length) {
    const date = localDate(prints[next]?.created_at ?? "");
    if (days.at(-1)?.date !== date) {
      days.push({ date, first: next });
      rows.push({ kind: "day", day: days.length - 1, top: end, height: rules.heading });
      end += rules.heading;
    }
    const row = nextRow(ratioAt, next, endOfDay(prints, next, date, rules), rules);
    rows.push({ kind: "pictures", first: next, widths: row.widths, top: end, height: row.height, full: row.full });
    next += row.count;
    end += row.height + rules.gap;
  }
  return end;
}

/** The first picture of another day, looked for no further than one row can reach. */
function endOfDay(prints: readonly Print[], from: number, date: string, { width, height }: SheetRules): number {
  const reach = Math.min(prints.length, from + Math.ceil(width / (height * gridRatio(1, 1_000_000))) + 2);
  let index = from + 1;
  while (index < reach && localDate(prints[index]?.created_at ?? "") === date) index += 1;
  return index;
}

function bottomOf(row: SheetRow, rules: SheetRules): number {
  return row.top + row.height + (row.kind === "pictures" ? rules.gap : 0);
}

/** How many rows stay as they are: those that end before the first picture that is another one. */
function settledRows(before: Sheet, prints: readonly Print[]): number {
  const most = Math.min(before.prints.length, prints.length);
  let same = 0;
  while (same < most && samePlace(before.prints[same], prints[same])) same += 1;
  let kept = before.rows.length;
  while (kept > 0 && !isSettled(before.rows[kept - 1], before, same)) kept -= 1;
  return kept;
}

/** A row was decided by its own pictures and the one behind it; a heading by the first picture of its day. */
function isSettled(row: SheetRow | undefined, sheet: Sheet, same: number): boolean {
  if (row === undefined) return false;
  if (row.kind === "day") return (sheet.days[row.day]?.first ?? 0) < same;
  return row.first + row.widths.length < same;
}

function samePlace(one: Print | undefined, other: Print | undefined): boolean {
  return one === other || (one?.id === other?.id && one?.width === other?.width && one?.height === other?.height);
}

function sameRules(one: SheetRules, other: SheetRules): boolean {
  return (
    one.width === other.width && one.height === other.height && one.gap === other.gap && one.heading === other.heading
  );
}

function daysIn(rows: readonly SheetRow[]): number {
  for (let index = rows.length - 1; index >= 0; index -= 1) {
    const row = rows[index];
    if (row?.kind === "day") return row.day + 1;
  }
  return 0;
}

/** The row in which a picture stands; -1 when there is no such picture. */
export function rowOf(sheet: Sheet, picture: number): number {
  let low = 0;
  let high = sheet.rows.length - 1;
  let found = -1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const row = sheet.rows[middle];
    if (row === undefined) break;
    const first = row.kind === "day" ? (sheet.days[row.day]?.first ?? 0) : row.first;
    if (first <= picture) {
      found = middle;
      low = middle + 1;
    } else high = middle - 1;
  }
  const row = sheet.rows[found];
  return row?.kind === "pictures" && picture >= row.first && picture < row.first + row.widths.length ? found : -1;
}

export interface Place {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** Where a picture lies on the sheet, in pixels from its upper left corner. */
export function placeOf(sheet: Sheet, picture: number): Place | null {
  const row = sheet.rows[rowOf(sheet, picture)];
  if (row?.kind !== "pictures") return null;
  let left = 0;
  for (let index = 0; index < picture - row.first; index += 1) left += (row.widths[index] ?? 0) + sheet.rules.gap;
  return { left, top: row.top, width: row.widths[picture - row.first] ?? 0, height: row.height };
}

/** Pictures of a day; null while more of it may lie on pages that have not come. */
export function countOfDay(sheet: Sheet, day: number, complete: boolean): number | null {
  const next = sheet.days[day + 1];
  const first = sheet.days[day]?.first ?? 0;
  if (next !== undefined) return next.first - first;
  return complete ? sheet.prints.length - first : null;
}

const dates = new Map<string, string>();

/** The local date of an instant; the hour is enough to know it, and lists hold many pictures of one hour. */
function localDate(instant: string): string {
  // Zones are whole quarters of an hour away from UTC.
  const quarter = `${instant.slice(0, 14)}${Math.floor(Number(instant.slice(14, 16)) / 15)}`;
  const known = dates.get(quarter);
  if (known !== undefined) return known;
  const time = new Date(instant);
  const month = String(time.getMonth() + 1).padStart(2, "0");
  const date = `${time.getFullYear()}-${month}-${String(time.getDate()).padStart(2, "0")}`;
  dates.set(quarter, date);
  return date;
}
