import { type RefObject, useLayoutEffect, useRef } from "react";

/**
 * Lets the rows of a list glide to their new places when their order changes, and new ones appear softly. Rows carry
 * `data-row`; `order` names them as they stand. Nothing moves for those who asked for less motion.
 */
export function useMovingRows(list: RefObject<HTMLElement | null>, order: string): void {
  const places = useRef<ReadonlyMap<string, number>>(new Map());
  useLayoutEffect(() => {
    // Asked for by its value, because it is what has changed the rows.
    void order;
    const rows = [...(list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    const now = new Map(rows.map((row) => [row.dataset.row ?? "", row.offsetTop]));
    if (places.current.size > 0 && !prefersStillness()) {
      for (const row of rows) moveFrom(row, places.current.get(row.dataset.row ?? ""));
    }
    places.current = now;
  }, [list, order]);
}

function moveFrom(row: HTMLElement, before: number | undefined): void {
  const timing = motionOf(row);
  if (before === undefined) row.animate([{ opacity: 0 }, { opacity: 1 }], timing);
  else if (before !== row.offsetTop) {
    row.animate([{ transform: `translateY(${before - row.offsetTop}px)` }, { transform: "none" }], timing);
  }
}

/** Pace and curve stand in the design tokens. */
function motionOf(row: HTMLElement): KeyframeAnimationOptions {
  const style = getComputedStyle(row);
  const duration = Number.parseFloat(style.getPropertyValue("--d-calm")) || 0;
  return { duration, easing: style.getPropertyValue("--ease").trim() || "ease-out" };
}

function prefersStillness(): boolean {
  return typeof Element.prototype.animate !== "function" || matchMedia("(prefers-reduced-motion: reduce)").matches;
}
