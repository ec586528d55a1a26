import { type RefObject, useEffect, useRef, useState } from "react";

/** The width of an element in pixels, kept up to date; 0 until it is drawn. */
export function useWidth<Shape extends HTMLElement>(): { element: RefObject<Shape | null>; width: number } {
  const element = useRef<Shape>(null);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const target = element.current;
    if (target === null || typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(([entry]) => setWidth(entry?.contentRect.width ?? 0));
    observer.observe(target);
    return () => observer.disconnect();
  }, []);
  return { element, width };
}
