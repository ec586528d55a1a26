// How a first page read just now joins the pages that are known.
import type { TaskItem, TasksPage } from "@safelight/contract";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createItem, time } from "../testing/sample-tasks.ts";
import { arrivalsIn, type HistoryPages, withNewest } from "./history-pages.ts";
import { byAge } from "./task-board.ts";

const perPage = 4;

function numbered(second: number): TaskItem {
  return createItem(`task-${String(second).padStart(3, "0")}`, { created_at: time(second) });
}

/** The page of a server that holds these tasks, beginning after `cursor`. */
function pageOf(held: readonly TaskItem[], cursor: string | null): TasksPage {
  const sorted = held.toSorted(byAge);
  const start = cursor === null ? 0 : sorted.findIndex((item) => item.id < cursor);
  const rest = start === -1 ? [] : sorted.slice(start);
  const items = rest.slice(0, perPage);
  const more = rest.length > perPage;
  const facts = { total: held.length, total_is_exact: true, page: 1, per_page: perPage };
  return { items, ...facts, has_more: more, next_cursor: more ? (items.at(-1)?.id ?? null) : null };
}

function readAll(held: readonly TaskItem[], pages: number): HistoryPages {
  const read: HistoryPages = { pages: [], pageParams: [] };
  let cursor: string | null = null;
  for (let index = 0; index < pages; index += 1) {
    const page = pageOf(held, cursor);
    read.pages.push(page);
    read.pageParams.push(cursor);
    cursor = page.next_cursor;
    if (cursor === null) break;
  }
  return read;
}

const idsOf = (known: HistoryPages) => known.pages.flatMap((page) => page.items.map((item) => item.id));

describe("the newest page", () => {
  it("lets new tasks in at the top and leaves the rest where it is", () => {
    const held = [1, 2, 3, 4, 5, 6, 7, 8].map(numbered);
    const known = readAll(held, 2);
    const newest = pageOf([...held, numbered(9)], null);
    expect(arrivalsIn(known, newest).map((item) => item.id)).toEqual(["task-009"]);
    expect(idsOf(withNewest(known, newest))).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1].map((n) => numbered(n).id));
  });

  it("takes out what was deleted among the newest", () => {
    const held = [1, 2, 3, 4, 5, 6].map(numbered);
    const known = readAll(held, 2);
    const left = held.filter((item) => item.id !== "task-005");
    expect(idsOf(withNewest(known, pageOf(left, null)))).not.toContain("task-005");
  });

  it("begins anew when more has come than one page holds: what lies between is not known", () => {
    const known = readAll([1, 2, 3].map(numbered), 1);
    const newest = pageOf([1, 2, 3, 11, 12, 13, 14, 15].map(numbered), null);
    expect(withNewest(known, newest)).toEqual({ pages: [newest], pageParams: [null] });
  });

  it("never doubles a task, keeps their order, and reading on from it reaches every task", () => {
    const drawn = fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 30 });
    fc.assert(
      fc.property(drawn, drawn, fc.integer({ min: 1, max: 4 }), (before, later, pages) => {
        const held = before.map(numbered);
        const grown = [...held, ...later.map((n) => numbered(100 + n))];
        const joined = withNewest(readAll(held, pages), pageOf(grown, null));
        const ids = idsOf(joined);
        let cursor = joined.pages.at(-1)?.next_cursor ?? null;
        while (cursor !== null) {
          const page = pageOf(grown, cursor);
          ids.push(...page.items.map((item) => item.id));
          cursor = page.next_cursor;
        }
        expect(ids).toEqual(grown.toSorted(byAge).map((item) => item.id));
      }),
      { seed: 4, numRuns: 300 },
    );
  });
});
