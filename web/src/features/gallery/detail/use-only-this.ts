import { type RefObject, useEffect } from "react";

/** Stays within reach while a picture is open: a deletion is taken back from a toast. */
const reachable = ".toasts, dialog, script, style";

/**
 * Makes everything beside an element unreachable for keyboard and screen reader as long as it is mounted, and gives it the
 * focus. A native modal dialog would do the same and also shut off the toasts with their way back.
 */
export function useOnlyThis(element: RefObject<HTMLElement | null>): void {
  useEffect(() => {
    const shut: HTMLElement[] = [];
    let node: HTMLElement | null = element.current;
    node?.focus({ preventScroll: true });
    while (node !== null && node !== document.body) {
      for (const sibling of node.parentElement?.children ?? []) {
        if (sibling === node || !(sibling instanceof HTMLElement) || sibling.inert) continue;
        if (sibling.matches(reachable)) continue;
        setInert(sibling, true);
        shut.push(sibling);
      }
      node = node.parentElement;
    }
    return () => {
      for (const other of shut) setInert(other, false);
    };
  }, [element]);
}

function setInert(element: HTMLElement, inert: boolean): void {
  element.inert = inert;
}
