import { useCallback, useSyncExternalStore } from "react";

/** The widths at which the layout changes, as the styles have them. */
export const phoneWidth = "(max-width: 39.99rem)";
export const narrowWidth = "(max-width: 69.99rem)";

/** Whether a media query holds now; follows the window. */
export function useMediaQuery(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener("change", listener);
      return () => list.removeEventListener("change", listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}
