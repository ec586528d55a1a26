// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { holdScrollAt, rememberScroll, restoreScroll } from "./scroll-memory.ts";

/** A page of a certain height, as jsdom has no layout: scrolling stops at its end. */
const page = { height: 0, scrollY: 0 };

beforeEach(() => {
  vi.useFakeTimers();
  sessionStorage.clear();
  Object.assign(page, { height: 300, scrollY: 0 });
  Object.defineProperty(window, "scrollY", { configurable: true, get: () => Math.min(page.scrollY, page.height) });
  window.scrollTo = ((_x: number, y: number) => {
    page.scrollY = Math.min(y, page.height);
  }) as typeof window.scrollTo;
});

afterEach(() => {
  vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

describe("where a page was scrolled to", () => {
  it("is found again once what makes it high has been read, however long that takes", () => {
    let isReading = true;
    holdScrollAt(400, { isReading: () => isReading });
    pass(20_000);
    expect(window.scrollY).toBe(300);
    page.height = 900;
    pass(50);
    expect(window.scrollY).toBe(400);
    isReading = false;
    page.scrollY = 0;
    pass(5_000);
    expect(window.scrollY).toBe(0);
  });

  it("is not waited for on a page that has read everything and stays short", () => {
    holdScrollAt(400, { isReading: () => false });
    pass(2_000);
    page.height = 900;
    pass(2_000);
    expect(window.scrollY).toBe(300);
  });

  it("is held while parts of the page come and go, until it rests", () => {
    let isReading = true;
    page.height = 900;
    holdScrollAt(400, { isReading: () => isReading, settling: 700 });
    pass(5_000);
    page.height = 100;
    pass(100);
    page.height = 900;
    pass(100);
    expect(window.scrollY).toBe(400);
    isReading = false;
    pass(1_000);
    page.scrollY = 10;
    pass(1_000);
    expect(window.scrollY).toBe(10);
  });

  it.each(["wheel", "touchmove", "keydown", "pointerdown"])("is left to the person after a %s", (type) => {
    holdScrollAt(400, { isReading: () => true });
    window.dispatchEvent(new Event(type));
    page.height = 900;
    pass(1_000);
    expect(window.scrollY).toBe(300);
  });

  it("is remembered for each entry of the history, and a later way back ends the one before", () => {
    page.height = 900;
    page.scrollY = 250;
    rememberScroll();
    page.scrollY = 0;
    page.height = 100;
    restoreScroll(() => true);
    pass(5_000);
    sessionStorage.clear();
    restoreScroll(() => true);
    page.height = 900;
    pass(1_000);
    expect(window.scrollY).toBe(0);
  });
});
