// Ten thousand pictures in a browser: however many are loaded, few are mounted, and a scroll is bounded work.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { copyTask, make, smallPicture, whileStopped } from "./src/scenes.ts";
import { patience, Visit } from "./src/visitor.ts";

const count = 10_000;
/** Cells that may be mounted at a time. */
const mostCells = 200;
const grid = '[role="grid"]';
let visit: Visit;

beforeAll(async () => {
  visit = await Visit.begin();
  const id = await make(visit, smallPicture("a red lighthouse by the sea"));
  // Sixty days, six shapes; the newest has the highest number.
  await whileStopped(visit, (database) =>
    copyTask(database, id, count - 1, {
      id: "printf('picture-%07d', n)",
      prompt: "'picture number ' || n",
      // Without files, so that the pages come as fast as the list does.
      result_path: "substr(tasks.result_path, 1, length(tasks.result_path) - 8) || '0000.png'",
      created_at: `tasks.created_at - 60 * 86400000 + n * ${Math.floor((60 * 86_400_000) / count)}`,
      width: "CASE n % 6 WHEN 0 THEN 1280 WHEN 1 THEN 512 ELSE 768 END",
      height: "CASE n % 5 WHEN 0 THEN 1280 WHEN 1 THEN 512 ELSE 768 END",
    }),
  );
}, patience);

afterAll(() => visit?.end());

const mounted = (page: Page) => page.locator(`${grid} [data-print]`).count();
const lastMounted = (page: Page) =>
  page.evaluate<number>(
    `Math.max(...[...document.querySelectorAll('[data-print]')].map((cell) => cell.dataset.index))`,
  );

/** Scrolls to a share of what is loaded, once the rows there are mounted; answers how many nodes came and went. */
function scrollTo(page: Page, share: number): Promise<number> {
  return page.evaluate<number>(`(async () => {
    const sheet = document.querySelector('.sheet');
    let changes = 0;
    const observer = new MutationObserver((records) => {
      for (const record of records) changes += record.addedNodes.length + record.removedNodes.length;
    });
    observer.observe(sheet, { childList: true, subtree: true });
    sheet.scrollTop = ${share} * (sheet.scrollHeight - sheet.clientHeight);
    const settled = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    for (let frame = 0; frame < 5; frame += 1) await settled();
    observer.disconnect();
    return changes;
  })()`);
}

/** Goes to the end of what is loaded again and again until everything is. */
async function loadAll(page: Page): Promise<void> {
  await page.evaluate(`(async () => {
    const sheet = document.querySelector('.sheet');
    while (document.querySelector('${grid}').getAttribute('aria-rowcount') === '-1') {
      sheet.scrollTop = sheet.scrollHeight;
      await new Promise((done) => requestAnimationFrame(done));
    }
  })()`);
}

describe("a gallery of ten thousand", () => {
  test("mounts at most 200 cells at the top, in the middle and at the end", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.open("/gallery");
    await page.getByText("10,000 pictures and clips").waitFor();
    await expect.poll(() => mounted(page)).toBeGreaterThan(10);
    const most = [await mounted(page)];
    await loadAll(page);
    const changes: number[] = [];
    for (const share of [1, 0.5, 0.51, 0.75, 0.25, 0]) {
      changes.push(await scrollTo(page, share));
      most.push(await mounted(page));
      if (share === 1) expect(await lastMounted(page)).toBe(count - 1);
      if (share === 0.5) expect(await lastMounted(page)).toBeGreaterThan(count / 4);
    }
    expect(Math.max(...most)).toBeLessThanOrEqual(mostCells);
    // What comes and goes with one scroll are the cells of a few screens, never the list.
    expect(Math.max(...changes)).toBeLessThanOrEqual(2 * mostCells);
    expect(Math.min(...changes)).toBeGreaterThan(0);
    await page.keyboard.press("Control+a");
    await page.getByText("10,000 selected").waitFor();
    expect(await mounted(page)).toBeLessThanOrEqual(mostCells);
    expect(faults).toEqual([]);
    await context.close();
  });
});
