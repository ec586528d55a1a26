import fc from "fast-check";
import { expect, test } from "vitest";
import { gridRatio, nextRow } from "./justify.ts";
import { countOfDay, layOut, type Print, placeOf, rowOf, type Sheet, type SheetRules } from "./sheet.ts";

const seed = 20_261_121;
const rules: SheetRules = { width: 1408, height: 196, gap: 4, heading: 44 };

const sizes = fc.record({ width: fc.integer({ min: 32, max: 2048 }), height: fc.integer({ min: 32, max: 2048 }) });
const anyRules = fc.record({
  width: fc.integer({ min: 300, max: 3000 }),
  height: fc.constantFrom(80, 116, 120, 150, 196),
  gap: fc.constantFrom(2, 4),
  heading: fc.constant(44),
});

/** Newest first, a few each day. */
function printsOf(list: readonly { width: number; height: number }[], perDay = 9): Print[] {
  const start = Date.UTC(2026, 5, 1, 12);
  return list.map((size, index) => ({
    ...size,
    id: `p${index}`,
    created_at: new Date(start - Math.floor(index / perDay) * 86_400_000 - (index % perDay) * 60_000).toISOString(),
  }));
}

function manyPrints(count: number, perDay = 40): Print[] {
  const shapes = [
    { width: 896, height: 896 },
    { width: 720, height: 1280 },
    { width: 1280, height: 720 },
    { width: 896, height: 1120 },
  ];
  return printsOf(
    Array.from({ length: count }, (_, index) => shapes[(index * 7) % shapes.length] ?? { width: 1, height: 1 }),
    perDay,
  );
}

test("a full row fills the width to the pixel, keeps its height within bounds and proportions within a pixel", () => {
  fc.assert(
    fc.property(fc.array(sizes, { minLength: 1, maxLength: 80 }), anyRules, (list, given) => {
      const ratioAt = (index: number) => gridRatio(list[index]?.width ?? 0, list[index]?.height ?? 0);
      let start = 0;
      while (start < list.length) {
        const row = nextRow(ratioAt, start, list.length, given);
        expect(row.count).toBeGreaterThan(0);
        expect(row.widths).toHaveLength(row.count);
        const total = row.widths.reduce((sum, width) => sum + width, 0) + given.gap * (row.count - 1);
        if (row.full) expect(total).toBe(given.width);
        else {
          expect(start + row.count).toBe(list.length);
          expect(row.height).toBe(given.height);
          expect(total).toBeLessThanOrEqual(given.width + row.count);
        }
        expect(row.height).toBeLessThanOrEqual(Math.round(given.height * 1.5));
        const cropped = row.height === Math.round(given.height * 1.5);
        for (const [offset, width] of row.widths.entries()) {
          expect(width).toBeGreaterThan(0);
          if (!cropped)
            expect(Math.abs(width / ratioAt(start + offset) - row.height)).toBeLessThan(row.height * 0.1 + 4);
        }
        start += row.count;
      }
    }),
    { seed, numRuns: 300 },
  );
});

test("every picture stands in exactly one row, in order, and no two places overlap", () => {
  fc.assert(
    fc.property(
      fc.array(sizes, { maxLength: 60 }),
      anyRules,
      fc.integer({ min: 1, max: 20 }),
      (list, given, perDay) => {
        const sheet = layOut(null, printsOf(list, perDay), given);
        const covered = sheet.rows.flatMap((row) =>
          row.kind === "pictures" ? row.widths.map((_, offset) => row.first + offset) : [],
        );
        expect(covered).toEqual(list.map((_, index) => index));
        for (const index of covered) {
          const row = sheet.rows[rowOf(sheet, index)];
          expect(row?.kind).toBe("pictures");
          expect(placeOf(sheet, index)?.left).toBeGreaterThanOrEqual(0);
        }
        for (const [index, row] of sheet.rows.entries()) {
          const above = sheet.rows[index - 1];
          if (above !== undefined) expect(row.top).toBeGreaterThanOrEqual(above.top + above.height);
        }
      },
    ),
    { seed, numRuns: 200 },
  );
});

test("a sheet that grew page by page is the sheet laid out at once", () => {
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 90 }), anyRules, fc.integer({ min: 1, max: 30 }), (list, given, page) => {
      const prints = printsOf(list, 13);
      let grown: Sheet | null = null;
      for (let end = page; end < prints.length + page; end += page) grown = layOut(grown, prints.slice(0, end), given);
      const whole = layOut(null, prints, given);
      expect({ ...grown, laidOut: 0 }).toEqual({ ...(prints.length === 0 ? grown : whole), laidOut: 0 });
    }),
    { seed, numRuns: 200 },
  );
});

test("taking pictures out gives the sheet of what is left", () => {
  fc.assert(
    fc.property(
      fc.array(sizes, { minLength: 2, maxLength: 60 }),
      fc.array(fc.nat(), { maxLength: 8 }),
      (list, holes) => {
        const prints = printsOf(list, 11);
        const removed = new Set(holes.map((hole) => hole % prints.length));
        const left = prints.filter((_, index) => !removed.has(index));
        const edited = layOut(layOut(null, prints, rules), left, rules);
        expect({ ...edited, laidOut: 0 }).toEqual({ ...layOut(null, left, rules), laidOut: 0 });
      },
    ),
    { seed, numRuns: 200 },
  );
});

test("the hundredth page of 10,000 pictures costs as many rows as the second", () => {
  const prints = manyPrints(10_000, 10_000);
  let sheet: Sheet | null = null;
  const costs: number[] = [];
  for (let end = 100; end <= prints.length; end += 100) {
    sheet = layOut(sheet, prints.slice(0, end), rules);
    costs.push(sheet.laidOut);
  }
  expect(Math.max(...costs.slice(1))).toBeLessThanOrEqual((costs[1] ?? 0) + 3);
});

test("a day is counted once its end is known", () => {
  const prints = manyPrints(25, 10);
  const sheet = layOut(null, prints, rules);
  expect(sheet.days).toHaveLength(3);
  expect([0, 1, 2].map((day) => countOfDay(sheet, day, false))).toEqual([10, 10, null]);
  expect(countOfDay(sheet, 2, true)).toBe(5);
});
