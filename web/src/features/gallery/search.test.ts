import fc from "fast-check";
import { expect, test } from "vitest";
import { filtersOf, narrowed, parseGallerySearch, withoutFilters } from "./search.ts";

const noon = new Date(2026, 10, 21, 12).getTime();

test("an address is read, whatever its router made of numbers and truths", () => {
  expect(
    parseGallerySearch({ q: 42, type: "video", favourite: true, item: "0195", order: "asc", size: "small" }),
  ).toEqual({
    q: "42",
    type: "video",
    favourite: true,
    item: "0195",
    order: "asc",
    size: "small",
  });
});

test("what makes no sense is left out", () => {
  expect(
    parseGallerySearch({ type: "sound", from: "2026-02-30", to: "week", order: "desc", size: "huge", favourite: "no" }),
  ).toEqual({});
  expect(parseGallerySearch({ model: "x".repeat(65), mode: "", q: "" })).toEqual({});
  expect(parseGallerySearch({ q: ["a"], from: {}, to: null })).toEqual({});
});

test("no address breaks the page, and what was read is read again unchanged", () => {
  const parameters = ["model", "type", "mode", "q", "from", "to", "order", "favourite", "size", "item"];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...parameters), fc.anything()), (search) => {
      const read = parseGallerySearch(search);
      expect(parseGallerySearch({ ...read })).toEqual(read);
      expect(() => filtersOf(read, noon)).not.toThrow();
    }),
    { seed: 20_261_121, numRuns: 500 },
  );
});

test("days become instants of the local calendar, the last day included", () => {
  const { from, to } = filtersOf({ from: "2026-03-01", to: "2026-03-02" }, noon);
  expect(from).toBe(new Date(2026, 2, 1).toISOString());
  expect(to).toBe(new Date(2026, 2, 2, 23, 59, 59, 999).toISOString());
});

test("spans end today", () => {
  expect(filtersOf({ from: "today" }, noon).from).toBe(new Date(2026, 10, 21).toISOString());
  expect(filtersOf({ from: "week" }, noon).from).toBe(new Date(2026, 10, 15).toISOString());
  expect(filtersOf({ from: "year" }, noon).from).toBe(new Date(2026, 0, 1).toISOString());
});

test("filters can be told and cleared; the view stays", () => {
  const search = { q: "boat", from: "week", order: "asc", size: "small", favourite: true } as const;
  expect(narrowed(search)).toEqual(["q", "from", "favourite"]);
  expect(withoutFilters(search)).toEqual({ order: "asc", size: "small" });
});
