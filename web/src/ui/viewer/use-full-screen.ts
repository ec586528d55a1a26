import { type RefObject, useCallback, useEffect, useState } from "react";

export interface FullScreen {
  /** False where the browser has no full screen for parts of a page. */
  possible: boolean;
  active: boolean;
  toggle: () => void;
}

/** Full screen of one element. */
export function useFullScreen(element: RefObject<HTMLElement | null>): FullScreen {
  const [active, setActive] = useState(false);
  useEffect(() => {
    const read = () => setActive(document.fullscreenElement !== null && document.fullscreenElement === element.current);
    document.addEventListener("fullscreenchange", read);
    return () => document.removeEventListener("fullscreenchange", read);
  }, [element]);
  const toggle = useCallback(() => {
    // A refusal leaves everything as it is, which is what the button then says.
    if (document.fullscreenElement === null) element.current?.requestFullscreen?.().catch(() => {});
    else document.exitFullscreen().catch(() => {});
  }, [element]);
  return { possible: document.fullscreenEnabled === true, active, toggle };
}
