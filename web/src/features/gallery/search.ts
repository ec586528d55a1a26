// What the address says about the gallery. Anything unknown or malformed is left out: an address may come from anywhere.
import type { GalleryFilters } from "../../api/gallery.ts";

export type PrintSize = "large" | "small";

/** A stretch of time that moves with the calendar, so that a kept address goes on meaning what it says. */
export type Span = "today" | "week" | "year";

export interface GallerySearch {
  model?: string;
  type?: "image" | "video";
  mode?: string;
  /** Words of the prompt. */
  q?: string;
  /** First day, "2026-03-01", or a span that ends today. */
  from?: string;
  /** Last day, included. */
  to?: string;
  order?: "asc";
  favourite?: true;
  size?: "small";
  /** The task in the detail view. */
  item?: string;
}

export const spans: readonly Span[] = ["today", "week", "year"];
const longestSearch = 200;

/** Reads the parameters of an address. */
export function parseGallerySearch(search: Record<string, unknown>): GallerySearch {
  const q = text(search.q)?.slice(0, longestSearch);
  const from = text(search.from);
  const to = text(search.to);
  const type = text(search.type);
  return {
    ...given("model", name(search.model)),
    ...given("type", type === "image" || type === "video" ? type : undefined),
    ...given("mode", name(search.mode)),
    ...given("q", q),
    ...given("from", from !== undefined && (isSpan(from) || isDay(from)) ? from : undefined),
    ...given("to", to !== undefined && isDay(to) ? to : undefined),
    ...given("order", search.order === "asc" ? ("asc" as const) : undefined),
    ...given("favourite", ["true", "1"].includes(String(search.favourite)) ? (true as const) : undefined),
    ...given("size", search.size === "small" ? ("small" as const) : undefined),
    ...given("item", name(search.item)),
  };
}

/** The filters as GET /gallery takes them; days become instants of this machine's calendar. `now` in milliseconds. */
export function filtersOf(search: GallerySearch, now: number = Date.now()): GalleryFilters {
  const { model, type, mode, q, from, to, order, favourite } = search;
  const words = q?.trim();
  return {
    ...given("model", model),
    ...given("type", type),
    ...given("mode", mode),
    ...given("q", words === "" ? undefined : words),
    ...given("from", from === undefined ? undefined : startOf(from, now).toISOString()),
    ...given("to", to === undefined ? undefined : endOfDay(to).toISOString()),
    ...given("order", order),
    ...given("favourite", favourite),
  };
}

const narrowing = ["model", "type", "mode", "q", "from", "to", "favourite"] as const;
export type Narrowing = (typeof narrowing)[number];

/** The filters in force that leave something out, in the order in which chips show them. */
export function narrowed(search: GallerySearch): Narrowing[] {
  return narrowing.filter((key) => search[key] !== undefined && search[key] !== "");
}

/** The address without filters; order, size and an open picture stay. */
export function withoutFilters({ order, size, item }: GallerySearch): GallerySearch {
  return { ...given("order", order), ...given("size", size), ...given("item", item) };
}

export function isSpan(from: string): from is Span {
  return (spans as readonly string[]).includes(from);
}

function startOf(from: string, now: number): Date {
  const today = new Date(now);
  const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
  if (from === "today") return new Date(year, month, day);
  if (from === "week") return new Date(year, month, day - 6);
  if (from === "year") return new Date(year, 0, 1);
  return localDay(from);
}

function endOfDay(day: string): Date {
  const start = localDay(day);
  return new Date(start.getFullYear(), start.getMonth(), start.getDate() + 1, 0, 0, 0, -1);
}

function localDay(day: string): Date {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date);
}

/** A day that the calendar has: "2026-02-30" is none. */
function isDay(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T12:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}

/** Text of an address; a router may have read "42" as a number. */
function text(value: unknown): string | undefined {
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

function name(value: unknown): string | undefined {
  const given = text(value);
  return given !== undefined && given.length <= 64 ? given : undefined;
}

function given<const Key extends string, const Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [K in Key]?: Value };
}
