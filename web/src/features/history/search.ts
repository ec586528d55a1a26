// What the address says about the history. Anything unknown or malformed is left out: an address may come from anywhere.
import type { HistoryFilters } from "../../api/history.ts";

export interface HistorySearch {
  status?: NonNullable<HistoryFilters["status"]>;
  model?: string;
  type?: "image" | "video";
  mode?: string;
  /** Words of the prompt. */
  q?: string;
  /** First and last day, "2026-03-01", both included. */
  from?: string;
  to?: string;
}

const statuses = ["pending", "processing", "done", "failed"] as const;
const types = ["image", "video"] as const;
const longestSearch = 200;
const longestName = 64;

/** Reads the parameters of an address. */
export function parseHistorySearch(search: Record<string, unknown>): HistorySearch {
  const parsed: HistorySearch = {};
  const status = statuses.find((known) => known === search.status);
  const type = types.find((known) => known === search.type);
  const { model, mode, q, from, to } = search;
  if (status !== undefined) parsed.status = status;
  if (type !== undefined) parsed.type = type;
  if (isName(model)) parsed.model = model;
  if (isName(mode)) parsed.mode = mode;
  if (typeof q === "string" && q !== "") parsed.q = q.slice(0, longestSearch);
  if (isDay(from)) parsed.from = from;
  if (isDay(to)) parsed.to = to;
  return parsed;
}

/** The same as GET /tasks takes it: days become moments of this machine's calendar. */
export function filtersOf({ from, to, q, ...rest }: HistorySearch): HistoryFilters {
  const words = q?.trim() ?? "";
  return {
    ...rest,
    ...(words === "" ? {} : { q: words }),
    ...(from === undefined ? {} : { from: startOf(from, 0).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(startOf(to, 1).getTime() - 1).toISOString() }),
  };
}

/** How many filters beside the state are in force. */
export function narrowingOf({ status: _status, q: _q, ...rest }: HistorySearch): number {
  return Object.keys(rest).length;
}

function startOf(day: string, later: number): Date {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= longestName;
}

/** A day that the calendar has: "2026-02-30" is none. */
function isDay(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T12:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}
