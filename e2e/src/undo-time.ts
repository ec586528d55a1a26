// The seconds in which a deletion can be taken back, ended by the test and not by the clock.
import type { Page } from "playwright-core";

/** Milliseconds that the page gives. */
const undoTime = 6_000;

/**
 * From now on, until a reload, those seconds do not pass on this page, nor do those of a message in its corner; every other
 * timer runs. Answers what lets them be over.
 */
export async function holdUndoTime(page: Page): Promise<() => Promise<void>> {
  await page.evaluate(`(() => {
    const { setTimeout, clearTimeout } = window;
    const held = new Map();
    window.setTimeout = (act, delay, ...rest) => {
      const id = setTimeout(act, delay === ${undoTime} ? 2 ** 31 - 1 : delay, ...rest);
      if (delay === ${undoTime}) held.set(id, act);
      return id;
    };
    window.clearTimeout = (id) => {
      held.delete(id);
      clearTimeout(id);
    };
    window.endUndoTime = () => {
      const due = [...held];
      held.clear();
      for (const [id, act] of due) {
        clearTimeout(id);
        act();
      }
      return due.length;
    };
  })()`);
  return async () => {
    const ended = await page.evaluate<number>("window.endUndoTime()");
    if (ended === 0) throw new Error("the page waits for no second thoughts");
  };
}
