import { type RefObject, useEffect } from "react";
import { wheelFactor } from "./zoom.ts";

/** A place of the window, as pointer events name it. */
export interface Point {
  clientX: number;
  clientY: number;
}

interface Gestures {
  /** Closer or farther by a factor, around a place. */
  scale: (factor: number, at: Point) => void;
  /** A double click or a double tap. */
  toggle: (at: Point) => void;
}

/** Height of a line of a wheel that counts in lines, in pixels. */
const lineHeight = 16;

/**
 * Ctrl or ⌘ with the wheel, which is also how a pinch on a touch pad arrives; two fingers on a touch screen; a double
 * click. The wheel alone scrolls, as everywhere.
 */
export function useZoomGestures(easel: RefObject<HTMLElement | null>, { scale, toggle }: Gestures): void {
  useEffect(() => {
    const element = easel.current;
    if (element === null) return;
    const ending = new AbortController();
    // Only a listener that is not passive can keep the page itself, controls included, from being zoomed.
    const active = { passive: false, signal: ending.signal };
    element.addEventListener("wheel", (event) => turn(event, scale), active);
    element.addEventListener("dblclick", toggle, { signal: ending.signal });
    const pinch = pinchOf(scale);
    for (const type of ["touchstart", "touchmove", "touchend", "touchcancel"] as const) {
      element.addEventListener(type, pinch, active);
    }
    return () => ending.abort();
  }, [easel, scale, toggle]);
}

function turn(event: WheelEvent, scale: Gestures["scale"]): void {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * lineHeight : event.deltaY;
  scale(wheelFactor(delta), event);
}

/** Follows the distance of two fingers and tells each change of it around their middle. */
function pinchOf(scale: Gestures["scale"]): (event: TouchEvent) => void {
  let last: number | null = null;
  return (event) => {
    const [first, second] = event.touches;
    if (first === undefined || second === undefined) {
      last = null;
      return;
    }
    if (event.cancelable) event.preventDefault();
    const distance = Math.hypot(first.clientX - second.clientX, first.clientY - second.clientY);
    if (last !== null && last > 0 && distance > 0) {
      scale(distance / last, {
        clientX: (first.clientX + second.clientX) / 2,
        clientY: (first.clientY + second.clientY) / 2,
      });
    }
    last = distance;
  };
}
